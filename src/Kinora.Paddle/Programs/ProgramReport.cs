namespace Kinora.Paddle.Programs;

/// <summary>A defect that PaddlePaddle's exporter left in a program.</summary>
/// <param name="Operator">Where: operator, block, index and output variable.</param>
/// <param name="Description">What is wrong and what was done about it.</param>
/// <param name="Repaired">Whether the file computes what the network computes in spite of it.</param>
public sealed record ProgramRepair(string Operator, string Description, bool Repaired);

/// <summary>What a conversion wrote.</summary>
/// <param name="Path">The ONNX file.</param>
/// <param name="FileBytes">Its size.</param>
/// <param name="WeightBytes">Bytes of the constants inside it.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="Inputs">The program's inputs; the file has one, clips.</param>
/// <param name="ProgramOperators">The program's operators by type, over all blocks.</param>
/// <param name="Operators">The file's nodes by operator.</param>
/// <param name="Repairs">Defects that were found.</param>
/// <param name="Notes">How the file differs from the program by intention, one sentence each.</param>
public sealed record ProgramReport(
    string Path,
    long FileBytes,
    long WeightBytes,
    int Classes,
    IReadOnlyList<ProgramPort> Inputs,
    IReadOnlyDictionary<string, int> ProgramOperators,
    IReadOnlyDictionary<string, int> Operators,
    IReadOnlyList<ProgramRepair> Repairs,
    IReadOnlyList<string> Notes);

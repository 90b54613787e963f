namespace Kinora.Paddle.Programs;

/// <summary>A list of operators with the variables that they declare. Block 0 is the network; others are branches.</summary>
/// <param name="Index">Position in the program.</param>
/// <param name="Variables">By name.</param>
/// <param name="Operators">In the order in which they run.</param>
internal sealed record ProgramBlock(int Index, IReadOnlyDictionary<string, ProgramVariable> Variables, IReadOnlyList<ProgramOperator> Operators);

/// <summary>What a block says about one variable.</summary>
/// <param name="Name">Name, unique in its block.</param>
/// <param name="Type">Element type; null where it isn't a tensor.</param>
/// <param name="Shape">Sizes; -1 stands for any.</param>
/// <param name="IsParameter">Whether its elements are stored beside the program.</param>
internal sealed record ProgramVariable(string Name, ElementType? Type, IReadOnlyList<long> Shape, bool IsParameter);

/// <summary>Element types under PaddlePaddle's numbers.</summary>
internal enum ElementType
{
    /// <summary>Truth values, one byte each.</summary>
    Bool = 0,

    /// <summary>16-bit integers.</summary>
    Int16 = 1,

    /// <summary>32-bit integers.</summary>
    Int32 = 2,

    /// <summary>64-bit integers.</summary>
    Int64 = 3,

    /// <summary>IEEE half precision.</summary>
    Float16 = 4,

    /// <summary>IEEE single precision.</summary>
    Float32 = 5,

    /// <summary>IEEE double precision.</summary>
    Float64 = 6,

    /// <summary>Bytes.</summary>
    UInt8 = 20,

    /// <summary>Signed bytes.</summary>
    Int8 = 21,

    /// <summary>The upper half of single precision.</summary>
    BFloat16 = 22,
}

/// <summary>One operator of a program.</summary>
internal sealed class ProgramOperator
{
    public required string Type { get; init; }

    /// <summary>The block that it is in.</summary>
    public required int Block { get; init; }

    /// <summary>Position in its block.</summary>
    public required int Index { get; init; }

    /// <summary>Names of variables by parameter, such as "Filter".</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Inputs { get; init; }

    /// <summary>Names of variables by parameter, such as "Out".</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Outputs { get; init; }

    /// <summary>long, double, bool, string, long[] or double[] by name.</summary>
    public required IReadOnlyDictionary<string, object> Attributes { get; init; }

    /// <summary>The variables of a parameter; none where it is left out.</summary>
    public IReadOnlyList<string> InputsOf(string parameter) => Inputs.GetValueOrDefault(parameter, []);

    /// <summary>The variables that hold the results; statistics and other by-products aren't among them.</summary>
    public IReadOnlyList<string> Results =>
        Outputs.GetValueOrDefault("Out") ?? Outputs.GetValueOrDefault("Output") ?? Outputs.GetValueOrDefault("Y") ?? [];

    /// <summary>"conv2d (block 0, operator 12, output 'conv2d_0.tmp_0')".</summary>
    public override string ToString() =>
        $"{Type} (block {Block}, operator {Index}{(Results.Count > 0 ? $", output '{Results[0]}'" : "")})";
}

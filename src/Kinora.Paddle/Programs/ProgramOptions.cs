namespace Kinora.Paddle.Programs;

/// <summary>What a program doesn't say about itself, and how it is converted.</summary>
public sealed record ProgramOptions
{
    /// <summary>
    /// The way from a video to the input; a program doesn't hold it, so it comes from the recipe that the program was
    /// exported with. Frames of one view may be a part of what the program takes at once (several crops in a row).
    /// Its layout becomes the file's.
    /// </summary>
    public ClipSpec? Spec { get; init; }

    /// <summary>Class names; null numbers the classes.</summary>
    public LabelMap? Labels { get; init; }

    /// <summary>The recipe as text, kept in the file.</summary>
    public string Config { get; init; } = "";

    /// <summary>Where the weights come from; the converter adds the program's file, version and repairs.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Layer names by the program's parameter names (the content of <c>.pdiparams.info</c>), under which the weights
    /// appear in the file; null keeps the program's names.
    /// </summary>
    public IReadOnlyDictionary<string, string>? StructuredNames { get; init; }

    /// <summary>
    /// Whether known defects of PaddlePaddle's exporter are repaired, so that the file computes what the network
    /// computes; otherwise it computes what the program computes. The report names each defect either way.
    /// </summary>
    public bool Repair { get; init; } = true;

    /// <summary>Version of the ONNX operator set, 17 to 21.</summary>
    public int Opset { get; init; } = Onnx.Export.Format.OnnxWriter.OldestOpset;
}

namespace Kinora.Onnx.Export;

/// <summary>Runs an ONNX file, so that the exporter can compare it with the network without knowing a runtime.</summary>
/// <param name="path">The file.</param>
/// <param name="clips">Elements of the input.</param>
/// <param name="shape">Shape of the input, [N, T, 3, H, W].</param>
/// <returns>Elements of the only output, [N, …].</returns>
public delegate float[] OnnxRunner(string path, float[] clips, long[] shape);

/// <summary>What travels with an exported network, and how it is checked.</summary>
public sealed record ExportOptions
{
    /// <summary>The largest difference between file and network that counts as equal, relative to the network's largest score.</summary>
    public const double DefaultTolerance = 1e-4;

    /// <summary>Class names; as many as the network has classes.</summary>
    public required LabelMap Labels { get; init; }

    /// <summary>Runs the written file for the check.</summary>
    public required OnnxRunner Runner { get; init; }

    /// <summary>
    /// Real clips for the check, preprocessed as <see cref="Spec"/> says: one or more times T·3·H·W values, in the
    /// order [N, T, 3, H, W].
    /// </summary>
    public required ReadOnlyMemory<float> CheckClips { get; init; }

    /// <summary>The way from a video to the input; null takes the network's own. It decides T, H and W of the file.</summary>
    public ClipSpec? Spec { get; init; }

    /// <summary>The effective configuration of the run that made the weights (YAML or JSON text).</summary>
    public string Config { get; init; } = "";

    /// <summary>Where the weights come from: data set, seed, scores, versions.</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>Version of the ONNX operator set, 17 to 21. Older ones are read by more runtimes.</summary>
    public int Opset { get; init; } = Format.OnnxWriter.OldestOpset;

    /// <summary>Allowed relative difference, above 0.</summary>
    public double Tolerance { get; init; } = DefaultTolerance;
}

/// <summary>What an export wrote and how well it agrees.</summary>
/// <param name="Path">The file.</param>
/// <param name="FileBytes">Size of the file.</param>
/// <param name="WeightBytes">Bytes of the constants inside it.</param>
/// <param name="Operators">Nodes by operator.</param>
/// <param name="Difference">Largest |file − network| of the check, divided by the network's largest |score|.</param>
public sealed record ExportReport(string Path, long FileBytes, long WeightBytes, IReadOnlyDictionary<string, int> Operators, double Difference);

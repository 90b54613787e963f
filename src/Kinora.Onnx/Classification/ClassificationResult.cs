namespace Kinora.Onnx;

/// <summary>Where the time of one clip went, on the thread that classified it.</summary>
/// <param name="DecodeMilliseconds">Opening the file and decoding the sampled frames.</param>
/// <param name="PixelsMilliseconds">Resizing, cropping and normalising.</param>
/// <param name="NetworkMilliseconds">Running the network over all views.</param>
public readonly record struct ClassificationTimings(double DecodeMilliseconds, double PixelsMilliseconds, double NetworkMilliseconds)
{
    /// <summary>Waiting for the network to be loaded, which only the first clips do; not part of the sum.</summary>
    public double WaitMilliseconds { get; init; }

    /// <summary>Decode, pixels and network together.</summary>
    public double TotalMilliseconds => DecodeMilliseconds + PixelsMilliseconds + NetworkMilliseconds;
}

/// <summary>What a network says about a video.</summary>
/// <param name="Path">The file or frame folder; empty for frames that came from memory.</param>
/// <param name="Predictions">The most probable classes, best first.</param>
/// <param name="Logits">One value a class, averaged over the views before the softmax.</param>
/// <param name="Spec">How the video was turned into the network's input.</param>
public sealed record ClassificationResult(
    string Path, IReadOnlyList<Prediction> Predictions, ReadOnlyMemory<float> Logits, ClipSpec Spec)
{
    /// <summary>Where the time went.</summary>
    public ClassificationTimings Timings { get; init; }

    /// <summary>Frames of the whole video.</summary>
    public int FrameCount { get; init; }

    /// <summary>Frame width in pixels, after rotation.</summary>
    public int Width { get; init; }

    /// <summary>Frame height in pixels, after rotation.</summary>
    public int Height { get; init; }

    /// <summary>The rotation that was applied, in degrees clockwise.</summary>
    public int Rotation { get; init; }

    /// <summary>Duration as the file states it; zero for frame folders and where it is unknown.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The sampled frames' numbers, from 0.</summary>
    public IReadOnlyList<int> FrameIndices { get; init; } = [];

    /// <summary>
    /// The sampled frames of the middle clip as JPEG files, cropped in the middle as the network saw them. Empty unless
    /// <see cref="ClassifierOptions.Thumbnails"/> asks for them, and where the sampled frames exceed a gigabyte.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Thumbnails { get; init; } = [];

    /// <summary>The most probable class.</summary>
    public Prediction Best => Predictions[0];
}

/// <summary>What became of one clip among several: a result or the reason why there is none.</summary>
/// <param name="Path">The file or frame folder.</param>
/// <param name="Result">The result, or null.</param>
/// <param name="Failure">The reason, or null.</param>
public sealed record ClipOutcome(string Path, ClassificationResult? Result, KinoraException? Failure)
{
    /// <summary>Whether there is a result.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(Result))]
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Result is not null;
}

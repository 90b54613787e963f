namespace Kinora.Onnx;

/// <summary>How a <see cref="VideoClassifier"/> uses the machine, and what its results carry.</summary>
public sealed record ClassifierOptions
{
    /// <summary>Cores to keep busy, at least 1; by default all of the process.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Whether <see cref="VideoClassifier.Load"/> waits for the network, and so reports a damaged graph at once.
    /// Otherwise the network is loaded beside the decoding of the first clip, which saves a command its start-up time.
    /// </summary>
    public bool WaitForNetwork { get; init; } = true;

    /// <summary>Whether results carry pictures of the sampled frames, as the network saw them.</summary>
    public bool Thumbnails { get; init; }

    /// <summary>JPEG quality of the pictures, 1 to 100.</summary>
    public int ThumbnailQuality { get; init; } = 85;

    /// <summary>Decoded frames of one video held in memory at a time, in bytes; beyond it a video is worked off in parts.</summary>
    internal long MaxDecodedBytes { get; init; } = 1L << 30;
}

namespace Kinora.Media;

/// <summary>How <see cref="VideoWriter"/> encodes.</summary>
public sealed record VideoWriterOptions
{
    /// <summary>Constant quality (x264's crf): 0 is lossless, 23 good, 51 worst.</summary>
    public int Quality { get; init; } = 23;

    /// <summary>Most frames from one keyframe to the next.</summary>
    public int KeyframeInterval { get; init; } = 250;

    /// <summary>Most B-frames in a row, 0 to 16.</summary>
    public int BFrames { get; init; } = 3;

    /// <summary>x264's speed against size: <c>ultrafast</c> to <c>placebo</c>.</summary>
    public string Preset { get; init; } = "medium";

    /// <summary>Turn that players shall apply, in degrees clockwise; a multiple of 90.</summary>
    public int Rotation { get; init; }
}

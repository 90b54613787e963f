namespace Kinora.Media;

/// <summary>x264's presets: each step takes more time for a smaller file of the same quality.</summary>
public enum EncoderPreset
{
    /// <summary>No B-frames, no deblocking, hardly any search.</summary>
    UltraFast,

    /// <summary>A little search.</summary>
    SuperFast,

    /// <summary>About a third of the default's time.</summary>
    VeryFast,

    /// <summary>Between <see cref="VeryFast"/> and <see cref="Fast"/>.</summary>
    Faster,

    /// <summary>Slightly less search than the default.</summary>
    Fast,

    /// <summary>The default.</summary>
    Medium,

    /// <summary>More references and search.</summary>
    Slow,

    /// <summary>Still more.</summary>
    Slower,

    /// <summary>The last that is worth its time.</summary>
    VerySlow,
}

/// <summary>How <see cref="VideoWriter"/> encodes.</summary>
public sealed record VideoWriterOptions
{
    /// <summary>Constant quality: 0 is lossless, 23 good, 51 worst. x264's crf, or its qp with <see cref="KeyframeInterval"/> 1.</summary>
    public int Quality { get; init; } = 23;

    /// <summary>
    /// Most frames from one keyframe to the next. With 1 every frame is coded by itself at a fixed quantiser, so that its
    /// pixels depend on no other frame.
    /// </summary>
    public int KeyframeInterval { get; init; } = 250;

    /// <summary>Most B-frames in a row, 0 to 16.</summary>
    public int BFrames { get; init; } = 3;

    /// <summary>Time spent on a smaller file.</summary>
    public EncoderPreset Preset { get; init; } = EncoderPreset.Medium;

    /// <summary>Turn that players shall apply, in degrees clockwise; a multiple of 90.</summary>
    public int Rotation { get; init; }
}

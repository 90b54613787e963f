namespace Kinora.Media;

/// <summary>Where PaddleVideo takes frames from; its index base depends on it.</summary>
public enum LegacySource
{
    /// <summary>A video decoder: frame indices, from 0.</summary>
    Video,

    /// <summary>A folder of extracted frames: file numbers, from 1.</summary>
    Frames,
}

/// <summary>
/// What PaddleVideo's sampler asks its reader for, defects included: file numbers past the last file, dense indices one
/// too high on videos, zeros as floating-point numbers.
/// </summary>
/// <param name="Requested">Indices (video) or file numbers (frames) in time order.</param>
/// <param name="Source">Which of the two.</param>
/// <param name="Fractional">
/// True where the request is made of floating-point numbers: decord truncates them, OpenCV and PyAV refuse, and frame
/// folders look for a file name with a decimal point.
/// </param>
public readonly record struct LegacyIndices(int[] Requested, LegacySource Source, bool Fractional = false)
{
    /// <summary>The same frames as indices from 0; they may lie outside the video.</summary>
    /// <returns>New array.</returns>
    public int[] ToFrameIndices()
    {
        int first = First;
        return Array.ConvertAll(Requested, n => n - first);
    }

    /// <summary>Whether PaddleVideo itself can read them (through decord, for videos).</summary>
    /// <param name="frameCount">Frames of the video or folder.</param>
    /// <returns>False where it fails with an exception.</returns>
    public bool IsReadable(int frameCount)
    {
        int first = First;
        return !(Fractional && Source == LegacySource.Frames)
            && Array.TrueForAll(Requested, n => n >= first && n < first + frameCount);
    }

    private int First => Source == LegacySource.Frames ? 1 : 0;
}

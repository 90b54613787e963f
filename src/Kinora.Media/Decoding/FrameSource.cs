namespace Kinora.Media;

/// <summary>Opens whatever holds frames.</summary>
public static class FrameSource
{
    /// <summary>Opens a folder of JPEG frames or a video file, whichever the path names.</summary>
    /// <param name="path">A folder (see <see cref="RawFrameFolder"/>) or a video file (see <see cref="VideoReader"/>).</param>
    /// <param name="color">YUV matrix for video files; JPEG defines its own.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The source, owned by the caller.</returns>
    /// <exception cref="MediaException">Not readable as frames.</exception>
    public static IFrameSource Open(string path, ColorMatrix color = ColorMatrix.FromStream, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Directory.Exists(path)
            ? RawFrameFolder.Open(path)
            : VideoReader.Open(path, new VideoReaderOptions { Color = color }, cancellationToken);
    }

    /// <summary>The checks that every source makes at its edge.</summary>
    internal static void CheckRequest(IFrameSource source, ReadOnlySpan<int> indices, Span<byte> destination)
    {
        CheckIndices(source, indices);
        long needed = (long)indices.Length * source.Height * source.Width * 3;
        if (destination.Length < needed)
        {
            throw new ArgumentException($"expected room for {needed} bytes, found {destination.Length}", nameof(destination));
        }
    }

    /// <summary>Whether all indices exist.</summary>
    internal static void CheckIndices(IFrameSource source, ReadOnlySpan<int> indices)
    {
        foreach (int index in indices)
        {
            if ((uint)index >= (uint)source.FrameCount)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"expected frame indices from 0 to {source.FrameCount - 1}");
            }
        }
    }
}

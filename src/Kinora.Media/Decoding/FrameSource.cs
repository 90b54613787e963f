namespace Kinora.Media;

/// <summary>Opens whatever holds frames.</summary>
public static class FrameSource
{
    /// <summary>Opens a folder of JPEG frames, a video file or a clip of a pack, whichever the path names.</summary>
    /// <param name="path">
    /// A folder (see <see cref="RawFrameFolder"/>), a video file (see <see cref="VideoReader"/>), or a pack's folder followed
    /// by the name of a clip (see <see cref="ClipPack"/>).
    /// </param>
    /// <param name="color">YUV matrix for video files; JPEG defines its own.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The source, owned by the caller.</returns>
    /// <exception cref="MediaException">Not readable as frames.</exception>
    public static IFrameSource Open(string path, ColorMatrix color = ColorMatrix.FromStream, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            return RawFrameFolder.Open(path);
        }

        return !File.Exists(path) && ClipPack.TryFind(path, out ClipPack pack, out string name)
            ? OpenPacked(pack, name, color)
            : VideoReader.Open(path, new VideoReaderOptions { Color = color }, cancellationToken);
    }

    private static PackedClip OpenPacked(ClipPack pack, string name, ColorMatrix color) => pack.Header.Color == color
        ? pack.OpenClip(name)
        : throw new MediaException($"opening: expected a pack with colours {color}, found one with {pack.Header.Color}; pack the videos again with --color {color}", pack.Folder);

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

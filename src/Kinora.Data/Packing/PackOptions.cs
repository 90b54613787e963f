using Kinora.Media;

namespace Kinora.Data;

/// <summary>How <see cref="DatasetPacker"/> keeps frames.</summary>
public sealed record PackOptions
{
    /// <summary>Form of the frames. As RGB they are the very bits that the videos give.</summary>
    public PackedPixels Pixels { get; init; }

    /// <summary>JPEG quality, 1 to 100; has no meaning for RGB.</summary>
    public int Quality { get; init; } = 95;

    /// <summary>Short side to which larger frames are resized, in pixels, with their aspect kept; 0: not resized.</summary>
    public int ShortSide { get; init; }

    /// <summary>Whose filter resizes.</summary>
    public ResizeEngine Engine { get; init; }

    /// <summary>Every how many frames one is kept, 1 or more.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Frames per second to which faster videos are thinned; 0: not thinned.</summary>
    public double Rate { get; init; }

    /// <summary>YUV matrix; must be that of the networks that will read the pack.</summary>
    public ColorMatrix Color { get; init; }

    /// <summary>Size at which a new shard is begun, in bytes.</summary>
    public long ShardBytes { get; init; } = 1L << 30;

    /// <summary>Videos decoded at a time; 0: one for each core. The pack doesn't depend on it.</summary>
    public int Workers { get; init; }

    /// <summary>Whether another pack, or the beginning of one, in the same folder is deleted.</summary>
    public bool Overwrite { get; init; }

    internal void Validate()
    {
        Require(Quality is >= 1 and <= 100, "quality", "1 to 100", Quality);
        Require(ShortSide is >= 0 and <= 8192, "short side", "0 to 8192", ShortSide);
        Require(Engine != ResizeEngine.Interpolate, "engine", "Pillow or OpenCv", Engine);
        Require(Stride is >= 1 and <= 4096, "stride", "1 to 4096", Stride);
        Require(Rate is >= 0 and <= 1000, "frame rate", "0 to 1000", Rate);
        Require(Rate == 0 || Stride == 1, "stride", "1 where a frame rate is given", Stride);
        Require(ShardBytes >= 1 << 16, "shard size", "65536 bytes or more", ShardBytes);
        Require(Workers is >= 0 and <= 1024, "workers", "0 to 1024", Workers);

        static void Require(bool holds, string name, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"pack: {name}: expected {expected}, found {found}");
            }
        }
    }
}

/// <summary>What was packed.</summary>
/// <param name="Clips">Clips in the pack, those that could not be read included.</param>
/// <param name="Found">How many of them were there before.</param>
/// <param name="Shards">Number of shards.</param>
/// <param name="Bytes">Bytes of all shards.</param>
/// <param name="Failures">The clips that could not be read; the pack keeps their places, so that they count as unreadable later too.</param>
public sealed record PackReport(int Clips, int Found, int Shards, long Bytes, IReadOnlyList<FailedSample> Failures);

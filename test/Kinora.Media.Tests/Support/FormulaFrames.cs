using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>Pictures of golden/pipeline/README.md that are given by a formula, and an in-memory video of them.</summary>
internal static class FormulaFrames
{
    /// <summary>Frames of the formula with the constants of a file.</summary>
    public static byte[] Create(JsonElement constants, int width, int height, int frames) => Create(
        width, height, frames, constants.Int("kx", 37), constants.Int("ky", 91), constants.Int("kc", 53), constants.Int("kt", 17), constants.Int("m", 251));

    public static byte[] Create(int width, int height, int frames, int kx = 37, int ky = 91, int kc = 53, int kt = 17, int m = 251)
    {
        var bytes = new byte[frames * height * width * 3];
        int at = 0;
        for (int t = 0; t < frames; t++)
        {
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    int value = (kx * x) + (ky * y) + (kt * t) + (x * y % m);
                    bytes[at++] = (byte)value;
                    bytes[at++] = (byte)(value + kc);
                    bytes[at++] = (byte)(value + (2 * kc));
                }
            }
        }

        return bytes;
    }
}

/// <summary>Frames in memory as a source.</summary>
internal sealed class MemorySource(byte[] frames, int width, int height, double framesPerSecond = 0) : IFrameSource
{
    public double FramesPerSecond => framesPerSecond;

    public int FrameCount => frames.Length / (width * height * 3);

    public int Width => width;

    public int Height => height;

    public int FramesRead { get; private set; }

    public void ReadFrames(ReadOnlySpan<int> indices, Span<byte> destination, CancellationToken cancellationToken = default)
    {
        int bytes = width * height * 3;
        for (int i = 0; i < indices.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            frames.AsSpan(indices[i] * bytes, bytes).CopyTo(destination.Slice(i * bytes, bytes));
            FramesRead++;
        }
    }

    public void Dispose()
    {
    }
}

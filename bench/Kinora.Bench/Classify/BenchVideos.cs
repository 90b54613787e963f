using Kinora.Media;

namespace Kinora.Bench.Classify;

/// <summary>H.264 clips of the usual size of Kinetics: 340x256, 300 frames, one keyframe in 250.</summary>
internal static class BenchVideos
{
    private const int Width = 340;
    private const int Height = 256;
    private const int Frames = 300;

    /// <summary>Clips that differ from each other, made on first use.</summary>
    /// <param name="count">How many.</param>
    /// <returns>Paths.</returns>
    public static string[] Kinetics(int count) =>
        [.. Enumerable.Range(0, count).Select(i => BenchFolder.Cached($"kinetics-1-{i}.mp4", path => Write(path, i)))];

    // Two textures that drift against each other under sensor noise: motion, detail and bits as in a real recording.
    private static void Write(string path, int number)
    {
        using var writer = new VideoWriter(path, Width, Height, 30);
        var frame = new byte[Width * Height * 3];
        for (int t = 0; t < Frames; t++)
        {
            var noise = new CounterRandom(1, number, t, "bench video");
            for (int y = 0; y < Height; y++)
            {
                for (int x = 0; x < Width; x++)
                {
                    double ground = 60 * Math.Sin((0.08 * (x + t)) + number) * Math.Cos(0.11 * (y - (0.5 * t)));
                    double body = Math.Pow(x - 170 - (80 * Math.Sin(0.05 * t)), 2) + Math.Pow(y - 128 - (40 * Math.Cos(0.07 * t)), 2) < 2500
                        ? 70 * Math.Sin(0.3 * x) * Math.Sin((0.25 * y) + (0.2 * t))
                        : 0;
                    uint bits = noise.NextUInt32();
                    for (int c = 0; c < 3; c++)
                    {
                        frame[(((y * Width) + x) * 3) + c] = (byte)Math.Clamp(110 + (15 * c) + ground + body + ((bits >> (8 * c)) & 7), 0, 255);
                    }
                }
            }

            writer.Write(frame);
        }

        writer.Finish();
    }
}

using System.Diagnostics;

namespace Kinora.Media.Tests;

/// <summary>Small moving pictures that carry their own frame number, and the ffmpeg command as an oracle.</summary>
internal static class TestClips
{
    private const int Bits = 8;

    /// <summary>A frame with moving shapes, and its number modulo 256 as a row of black and white blocks on top.</summary>
    public static byte[] Frame(int index, int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                Span<byte> pixel = rgb.AsSpan(((y * width) + x) * 3, 3);
                if (y < height / 4)
                {
                    pixel.Fill((index >> (x * Bits / width) & 1) != 0 ? (byte)235 : (byte)16);
                }
                else
                {
                    int dx = x - ((index * 3) % width), dy = y - (height / 2) - (index % 7);
                    bool inside = (dx * dx) + (dy * dy) < height * height / 36;
                    pixel[0] = (byte)(inside ? 220 : (x * 2) + index);
                    pixel[1] = (byte)(inside ? 40 : (y * 2) - index);
                    pixel[2] = (byte)(inside ? 60 : ((x + y) & 255) / 2);
                }
            }
        }

        return rgb;
    }

    /// <summary>The number that <see cref="Frame"/> wrote, also behind lossy compression.</summary>
    public static int Number(ReadOnlySpan<byte> rgb, int width, int height)
    {
        int number = 0;
        for (int bit = 0; bit < Bits; bit++)
        {
            int x = ((2 * bit) + 1) * width / (2 * Bits), y = height / 8;
            number |= rgb[((y * width) + x) * 3] > 128 ? 1 << bit : 0;
        }

        return number;
    }

    public static string Encode(string path, int frames, int width = 96, int height = 64, VideoWriterOptions? options = null, double framesPerSecond = 25)
    {
        using var writer = new VideoWriter(path, width, height, framesPerSecond, options);
        for (int i = 0; i < frames; i++)
        {
            writer.Write(Frame(i, width, height));
        }

        writer.Finish();
        return path;
    }

    public static byte[] ReadAll(VideoReader reader)
    {
        var frames = new byte[reader.FrameCount * reader.Width * reader.Height * 3];
        reader.ReadFrames([.. Enumerable.Range(0, reader.FrameCount)], frames);
        return frames;
    }

    /// <summary>Runs ffmpeg or ffprobe and returns its standard output; skips the test where the program is missing.</summary>
    public static byte[] Run(string program, params IEnumerable<string> arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"the {program} command isn't installed");
            throw;
        }

        using (process)
        {
            using var output = new MemoryStream();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            process.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors.GetAwaiter().GetResult());
            return output.ToArray();
        }
    }
}

using Kinora.Media;

namespace Kinora.Data.Tests.Inspection;

/// <summary>Makes other files of the same video.</summary>
internal static class Reencoding
{
    /// <summary>Encodes a video anew.</summary>
    /// <param name="source">The video.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="quality">x264's crf.</param>
    /// <param name="shortSide">New short side, made even; 0 keeps the size.</param>
    /// <param name="stride">Every how many frames one is kept.</param>
    /// <param name="change">Changes each frame's bytes (RGB), if any.</param>
    /// <param name="frames">How many of the first frames there are to be at the most, before every other is left out.</param>
    public static void Write(string source, string target, int quality, int shortSide = 0, int stride = 1, Action<byte[]>? change = null, int frames = int.MaxValue)
    {
        using VideoReader reader = VideoReader.Open(source);
        FrameScaler scaler = new(shortSide == 0 ? new ResizeSpec(ResizeRule.None, 0) : new ResizeSpec(ResizeRule.KeepAspectTruncate, shortSide), reader.Width, reader.Height);
        int width = scaler.Width & ~1, height = scaler.Height & ~1;
        using VideoWriter writer = new(target, width, height, Math.Max(1, reader.FramesPerSecond / stride), new VideoWriterOptions { Quality = quality, Preset = EncoderPreset.UltraFast });
        byte[] frame = new byte[reader.Width * reader.Height * 3], scaled = new byte[scaler.Width * scaler.Height * 3], cut = new byte[width * height * 3];
        using FrameSequence kept = reader.Frames([.. Enumerable.Range(0, (Math.Min(frames, reader.FrameCount) + stride - 1) / stride).Select(i => i * stride)]);
        while (kept.Next(frame, out _))
        {
            scaler.Scale(frame, scaled);
            for (int y = 0; y < height; y++)
            {
                scaled.AsSpan(y * scaler.Width * 3, width * 3).CopyTo(cut.AsSpan(y * width * 3));
            }

            change?.Invoke(cut);
            writer.Write(cut);
        }

        writer.Finish();
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Media.Tests;

/// <summary>The shared clips and frame folders that recorded answers start from.</summary>
internal static class ClipFrames
{
    /// <summary>Opens what a record calls its source.</summary>
    /// <param name="name">clips/…, handwash/… or rawframes/….</param>
    /// <param name="color">YUV matrix.</param>
    /// <param name="applyRotation">As decord does, and not OpenCV or PyAV.</param>
    public static IFrameSource Open(string name, ColorMatrix color = ColorMatrix.FromStream, bool applyRotation = true)
    {
        string path = SharedData.Require(name.StartsWith("rawframes/", StringComparison.Ordinal) ? $"golden/pipeline/{name}" : $"data/{name}");
        return Directory.Exists(path) ? RawFrameFolder.Open(path)
            : VideoReader.Open(path, new() { Color = color, ApplyRotation = applyRotation });
    }

    /// <summary>Reads the frames of a case's input and checks that they were decoded as recorded.</summary>
    public static Pictures Read(JsonElement input)
    {
        using IFrameSource source = Open(input.Text("clip"));
        int[] frames = input.GetProperty("frames").Ints();
        byte[] bytes = new byte[frames.Length * source.Width * source.Height * 3];
        source.ReadFrames(frames, bytes, TestContext.Current.CancellationToken);
        Assert.Equal(input.Text("sha256"), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        return new(bytes, frames.Length, source.Width, source.Height);
    }
}

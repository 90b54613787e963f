using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

/// <summary>golden/pipeline/decode.json: what decord, PyAV and OpenCV deliver, bit for bit.</summary>
public sealed class DecodeGoldenTests
{
    private const string Json = "golden/pipeline/decode.json";

    public static TheoryData<string> Clips() => [.. Records("clips").Select(record => record.GetProperty("clip").GetString()!)];

    public static TheoryData<string> DamagedClips() =>
        [.. Records("clips").Where(record => record.TryGetProperty("decord", out JsonElement decord) && decord.ValueKind == JsonValueKind.Object && decord.TryGetProperty("single_frames", out _)).Select(record => record.GetProperty("clip").GetString()!)];

    public static TheoryData<string> RawFrames() =>
        [.. RawFrameRecords().Select(record => record.GetProperty("file").GetString()!)];

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void ReadFrames_StreamColoursUpright_EqualDecord(string clip)
    {
        JsonElement decord = Section(clip, "decord");
        using VideoReader reader = Open(clip, new VideoReaderOptions());
        Assert.Equal(decord.GetProperty("frames").GetInt32(), reader.FrameCount);
        Assert.Equal((decord.GetProperty("w").GetInt32(), decord.GetProperty("h").GetInt32()), (reader.Width, reader.Height));
        Assert.Equal(decord.GetProperty("avg_fps").GetDouble(), reader.FramesPerSecond, 1e-3);
        int good = decord.TryGetProperty("next_error_after", out JsonElement damaged) ? damaged[0].GetInt32() : reader.FrameCount;
        CompareAll(reader, decord, good);
        CompareSome(reader, decord.GetProperty("at"));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(DamagedClips))]
    public void ReadFrames_SingleFramesOfDamagedClip_FailWhereDecordFails(string clip)
    {
        JsonElement single = Section(clip, "decord").GetProperty("single_frames");
        using VideoReader reader = Open(clip, new VideoReaderOptions());
        var frame = new byte[reader.Width * reader.Height * 3];
        foreach (JsonProperty expected in single.EnumerateObject())
        {
            int index = int.Parse(expected.Name);
            if (expected.Value.ValueKind == JsonValueKind.String)
            {
                MediaException e = Assert.Throws<MediaException>(() => reader.ReadFrames([index], frame));
                Assert.Contains($"frame {index} ", e.Message, StringComparison.Ordinal);
            }
            else
            {
                reader.ReadFrames([index], frame);
                Assert.Equal(expected.Value.GetProperty("sha256").GetString(), Digest(frame));
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void ReadFrames_Bt601NotTurned_EqualOpenCv(string clip)
    {
        JsonElement cv2 = Section(clip, "cv2");
        using VideoReader reader = Open(clip, new VideoReaderOptions { Color = ColorMatrix.Bt601, ApplyRotation = false });
        Assert.Equal((cv2.GetProperty("w").GetInt32(), cv2.GetProperty("h").GetInt32()), (reader.Width, reader.Height));
        Assert.Equal(cv2.GetProperty("fps").GetDouble(), reader.FramesPerSecond, 1e-3);
        Assert.Equal(cv2.GetProperty("orientation").GetDouble(), reader.Rotation);

        // OpenCV reads on behind a damaged frame; only what comes before is comparable.
        int first = cv2.GetProperty("failed_reads").EnumerateArray().Select(e => e.GetInt32()).Append(int.MaxValue).Min();
        int good = Math.Min(first, cv2.GetProperty("frames").GetInt32());
        if (good == cv2.GetProperty("frames").GetInt32())
        {
            CompareAll(reader, cv2, good);
        }

        CompareSome(reader, cv2.GetProperty("at"), good);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void ReadFrames_StreamColoursNotTurned_EqualPyAv(string clip)
    {
        JsonElement pyav = Section(clip, "pyav");
        using VideoReader reader = Open(clip, new VideoReaderOptions { ApplyRotation = false });
        Assert.Equal(pyav.GetProperty("codec").GetString(), reader.Codec);
        int good = pyav.GetProperty("frames").GetInt32();
        CompareAll(reader, pyav, good);
        CompareSome(reader, pyav.GetProperty("at"));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void ReadFrames_OneFrame_EqualsPyAvVariants(string clip)
    {
        JsonElement pyav = Section(clip, "pyav");
        Assert.SkipUnless(pyav.TryGetProperty("variants", out JsonElement variants), "no variants recorded");
        int index = pyav.GetProperty("variants_of_frame").GetInt32();
        foreach ((ColorMatrix color, string name) in new[] { (ColorMatrix.FromStream, "bilinear"), (ColorMatrix.Bt601, "src_itu601") })
        {
            using VideoReader reader = Open(clip, new VideoReaderOptions { Color = color, ApplyRotation = false });
            var frame = new byte[reader.Width * reader.Height * 3];
            reader.ReadFrames([index], frame);
            Assert.Equal(variants.GetProperty(name).GetProperty("sha256").GetString(), Digest(frame));
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void TimestampsSeconds_OfStream_EqualRecordedPts(string clip)
    {
        JsonElement pyav = Section(clip, "pyav");
        using VideoReader reader = Open(clip, new VideoReaderOptions());
        if (!reader.HasTimestamps)
        {
            // The recorded ones are out of order: frames are counted instead.
            for (int i = 0; i < reader.FrameCount; i++)
            {
                Assert.Equal(i / reader.FramesPerSecond, reader.TimestampsSeconds[i], 1e-9);
            }

            return;
        }

        string[] timeBase = pyav.GetProperty("time_base").GetString()!.Split('/');
        double seconds = double.Parse(timeBase[0]) / double.Parse(timeBase[1]);
        JsonElement pts = pyav.GetProperty("pts");
        IEnumerable<(int Frame, long Pts)> recorded = pts.ValueKind == JsonValueKind.Array
            ? pts.EnumerateArray().Select((value, i) => (i, value.GetInt64()))
            : pts.EnumerateObject().Select(value => (int.Parse(value.Name), value.Value.GetInt64()));
        foreach ((int frame, long ticks) in recorded)
        {
            Assert.Equal(ticks * seconds, reader.TimestampsSeconds[frame], 1e-9);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Clips))]
    public void IsKeyframe_OfStream_EqualsDecord(string clip)
    {
        JsonElement decord = Section(clip, "decord");
        using VideoReader reader = Open(clip, new VideoReaderOptions());
        Assert.Equal(decord.GetProperty("keyframes").EnumerateArray().Select(k => k.GetInt32()), Enumerable.Range(0, reader.FrameCount).Where(i => reader.IsKeyframe[i]));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(RawFrames))]
    public void Decode_RawFrame_EqualsPillow(string file)
    {
        JsonElement record = RawFrameRecords().Single(r => r.GetProperty("file").GetString() == file);
        string path = SharedData.Require($"golden/pipeline/rawframes/{file}");
        JsonElement expected = record.GetProperty("pil");
        (int width, int height, byte[] rgb) = JpegImage.Decode(File.ReadAllBytes(path), path);
        Assert.Equal(expected.GetProperty("sha256").GetString(), Digest(rgb));
        foreach (JsonElement pixel in expected.GetProperty("px").EnumerateArray())
        {
            int at = ((pixel[0].GetInt32() * width) + pixel[1].GetInt32()) * 3;
            Assert.True(at < width * height * 3);
            Assert.Equal([pixel[2].GetByte(), pixel[3].GetByte(), pixel[4].GetByte()], rgb[at..(at + 3)]);
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(RawFrames))]
    public void ReadFrames_RawFrameFolder_EqualsPillow(string file)
    {
        JsonElement record = RawFrameRecords().Single(r => r.GetProperty("file").GetString() == file);
        string path = SharedData.Require($"golden/pipeline/rawframes/{file}");
        int number = int.Parse(Path.GetFileNameWithoutExtension(path).Split('_')[^1]);
        using var folder = RawFrameFolder.Open(Path.GetDirectoryName(path)!);
        var frame = new byte[folder.Width * folder.Height * 3];
        folder.ReadFrames([number - 1], frame);
        Assert.Equal(record.GetProperty("pil").GetProperty("sha256").GetString(), Digest(frame));
    }

    private static string Digest(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static VideoReader Open(string clip, VideoReaderOptions options) => VideoReader.Open(SharedData.Require($"data/{clip}"), options);

    // All frames in order, in chunks: a reading may not cost more memory than a few frames.
    private static void CompareAll(VideoReader reader, JsonElement section, int frames)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int frameBytes = reader.Width * reader.Height * 3;
        int chunk = Math.Clamp((128 << 20) / frameBytes, 1, frames);
        var buffer = new byte[chunk * frameBytes];
        for (int start = 0; start < frames; start += chunk)
        {
            int[] indices = [.. Enumerable.Range(start, Math.Min(chunk, frames - start))];
            reader.ReadFrames(indices, buffer);
            hash.AppendData(buffer.AsSpan(0, indices.Length * frameBytes));
        }

        Assert.Equal(section.GetProperty("all_sha256").GetString(), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    // The recorded single frames, last first and each a random access of its own.
    private static void CompareSome(VideoReader reader, JsonElement at, int end = int.MaxValue)
    {
        var frame = new byte[reader.Width * reader.Height * 3];
        foreach (JsonProperty expected in at.EnumerateObject().Reverse())
        {
            int index = int.Parse(expected.Name);
            if (index >= end)
            {
                continue;
            }

            reader.ReadFrames([index], frame);
            Assert.Equal(expected.Value.GetProperty("sha256").GetString(), Digest(frame));
            foreach (JsonElement pixel in expected.Value.GetProperty("px").EnumerateArray())
            {
                int start = ((pixel[0].GetInt32() * reader.Width) + pixel[1].GetInt32()) * 3;
                Assert.Equal([pixel[2].GetByte(), pixel[3].GetByte(), pixel[4].GetByte()], frame[start..(start + 3)]);
            }
        }
    }

    private static JsonElement Section(string clip, string decoder)
    {
        JsonElement record = Records("clips").Single(r => r.GetProperty("clip").GetString() == clip);
        Assert.SkipUnless(record.TryGetProperty(decoder, out JsonElement section) && section.ValueKind == JsonValueKind.Object && section.TryGetProperty("all_sha256", out _),
            $"nothing recorded with {decoder}");
        string? format = record.TryGetProperty("pyav", out JsonElement pyav) && pyav.ValueKind == JsonValueKind.Object && pyav.TryGetProperty("pix_fmt", out JsonElement f) ? f.GetString() : null;
        Assert.SkipWhen(format is not null && (format.Contains("10", StringComparison.Ordinal) || format.Contains("12", StringComparison.Ordinal)),
            $"{format}: the decoders themselves disagree above 8 bits");
        return section;
    }

    private static IEnumerable<JsonElement> RawFrameRecords()
    {
        string? path = SharedData.Files("golden/pipeline", "decode.json").SingleOrDefault();
        return path is null ? [] : JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty("rawframes").GetProperty("frames").EnumerateArray().ToArray();
    }

    private static JsonElement[] Records(string section)
    {
        string? path = SharedData.Files("golden/pipeline", Path.GetFileName(Json)).SingleOrDefault();
        return path is null ? [] : [.. JsonDocument.Parse(File.ReadAllBytes(path)).RootElement.GetProperty(section).EnumerateArray()];
    }
}

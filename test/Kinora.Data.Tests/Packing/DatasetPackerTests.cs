using System.Security.Cryptography;
using System.Text;
using Kinora.Data.Tests.Loading;
using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Data.Tests.Packing;

public sealed class DatasetPackerTests(Clips clips) : IDisposable
{
    private static readonly ClipSpec _spec = new(
        new SamplingSpec(SamplingMethod.Uniform, 4), new ResizeSpec(ResizeRule.KeepAspectTruncate, 40), new CropSpec(CropMethod.Center, 32), Normalization.ImageNet);

    private static readonly ClipLoaderOptions _training = new()
    {
        Spec = _spec,
        Augmentation = new TrainingAugmentation { Resize = new(ResizeRule.FixedRatio, 40), MultiScaleCrop = new() { Size = 36 }, RandomCrop = true },
        BatchSize = 4,
        Seed = 9,
        Workers = 2,
    };

    private static readonly PackOptions _small = new() { ShardBytes = 1 << 20, Workers = 3 };

    private readonly TemporaryFolder _folder = new();

    private string Root => Path.GetDirectoryName(clips.Broken)!;

    private string Packed => _folder["pack"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Load_RgbPack_GivesTheBitsOfTheVideos(bool training, bool cached)
    {
        Pack(clips.Set, _small);
        VideoDataset packed = Undivided(Packed);
        ClipLoaderOptions options = training ? _training : _training with { Augmentation = null };

        Assert.Equal(clips.Set.Samples.Select(s => s.Label), packed.Samples.Select(s => s.Label));
        for (int epoch = 0; epoch < 2; epoch++)
        {
            Assert.Equal(Pixels(clips.Set, options, epoch), Pixels(packed, options with { Cache = cached ? new ClipCache(1 << 28) : null }, epoch));
        }
    }

    [Fact]
    public void Load_ResizedPack_GivesTheBitsOfTheSameResize()
    {
        // A short side of 40 first is what the training chain does anyway.
        ClipLoaderOptions options = _training with { Augmentation = _training.Augmentation! with { Resize = new(ResizeRule.KeepAspectTruncate, 40) } };
        Pack(clips.Set, _small with { ShortSide = 40 });

        Assert.Equal(Pixels(clips.Set, options, 1), Pixels(Undivided(Packed), options, 1));
    }

    [Fact]
    public void Load_JpegPack_GivesTheEncodersPixels()
    {
        Pack(clips.Set, _small with { Pixels = PackedPixels.Jpeg, Quality = 80 });
        for (int i = 0; i < clips.Set.Samples.Count; i += 5)
        {
            using IFrameSource video = clips.Set.Samples[i].Open(), packed = Undivided(Packed).Samples[i].Open();
            byte[] expected = new byte[video.Width * video.Height * 3], found = new byte[expected.Length];
            foreach (int frame in new[] { 0, 7, video.FrameCount - 1 })
            {
                video.ReadFrames([frame], expected);
                packed.ReadFrames([frame], found);
                Assert.Equal(JpegImage.Decode(JpegImage.Encode(expected, video.Width, video.Height, 80)).Rgb24, found);
            }
        }
    }

    [Fact]
    public void Pack_Thinned_KeepsTheFramesShown()
    {
        // 25 frames a second: every third frame; and 10 a second, which shows frames 0, 2, 5, 7, 10 …
        VideoDataset one = clips.Set with { Samples = [clips.Set.Samples[0]] };
        using IFrameSource video = one.Samples[0].Open();
        Pack(one, _small with { Stride = 3 }, "stride");
        Pack(one, _small with { Rate = video.FramesPerSecond / 2.5 }, "rate");
        AssertFrames(video, "stride", i => 3 * i, video.FramesPerSecond / 3);
        AssertFrames(video, "rate", i => (int)(2.5 * i), video.FramesPerSecond / 2.5);
    }

    [Fact]
    public void Pack_AnyWorkersAndInterruptions_SameBytes()
    {
        Pack(clips.Set, _small with { Workers = 1 }, "one");
        string expected = Digest("one");
        Assert.True(Directory.GetFiles(_folder["one"], "shard-*.bin").Length > 3);

        for (int after = 1; after < 12; after += 3)
        {
            using var stop = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() => Pack(clips.Set, _small, "stopped", (done, _) => { if (done == after) { stop.Cancel(); } }, stop.Token));
            Assert.False(ClipPack.IsPack(_folder["stopped"]));
        }

        PackReport report = Pack(clips.Set, _small, "stopped");
        Assert.InRange(report.Found, 10, 12);
        Assert.Equal(expected, Digest("stopped"));
        Assert.Equal(13, Pack(clips.Set, _small, "stopped").Found);
    }

    [Fact]
    public void Pack_AfterACrashAtAnyByte_SameBytes()
    {
        Pack(clips.Set, _small, "whole");
        string expected = Digest("whole");
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Pack(clips.Set, _small, "crashed", (done, _) => { if (done == 8) { stop.Cancel(); } }, stop.Token));
        string journal = Path.Combine(_folder["crashed"], ".kinora-pack.jsonl.part");
        byte[] lines = File.ReadAllBytes(journal);
        string part = Assert.Single(Directory.GetFiles(_folder["crashed"], "*.bin.part"));
        byte[] shard = File.ReadAllBytes(part);
        string[] closed = Directory.GetFiles(_folder["crashed"], "shard-*.bin");
        Dictionary<string, byte[]> kept = closed.ToDictionary(f => f, File.ReadAllBytes);
        for (int round = 0; round < 40; round++)
        {
            var random = new CounterRandom(3, 0, round, "crash");
            string folder = _folder[$"round{round}"];
            Directory.CreateDirectory(folder);
            foreach ((string file, byte[] bytes) in kept)
            {
                File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(file)), bytes);
            }

            byte[] journalNow = lines[..random.NextInt32(lines.Length + 1)], shardNow = shard.ToArray();
            if (round % 2 == 0)
            {
                shardNow = shardNow[..random.NextInt32(shardNow.Length + 1)];
            }
            else
            {
                shardNow.AsSpan(random.NextInt32(shardNow.Length)).Clear();
            }

            File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(journal)), journalNow);
            File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(part)), shardNow);
            Pack(clips.Set, _small, $"round{round}");
            Assert.Equal(expected, Digest($"round{round}"));
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Pack_OtherPackInTheFolder_IsKeptUnlessToldOtherwise()
    {
        Pack(clips.Set, _small);
        string before = Digest("pack");
        MediaException e = Assert.Throws<MediaException>(() => Pack(clips.Set, _small with { ShortSide = 32 }));
        Assert.Contains("--overwrite", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Digest("pack"));

        Pack(clips.Set, _small with { ShortSide = 32, Overwrite = true });
        Assert.All(ClipPack.Open(Packed).Clips, c => Assert.Equal(32, c.Height));

        File.WriteAllText(_folder["other"] + ".txt", "");
        Directory.CreateDirectory(_folder["other"]);
        File.WriteAllText(Path.Combine(_folder["other"], "thesis.doc"), "");
        Assert.Throws<MediaException>(() => Pack(clips.Set, _small, "other"));
    }

    [Fact]
    public void Pack_UnreadableVideo_KeepsItsPlaceAndSaysWhy()
    {
        PackReport report = Pack(clips.WithBroken(3, 13), _small);
        Assert.Equal([3, 13], report.Failures.Select(f => f.SampleIndex));

        VideoDataset packed = Undivided(Packed);
        using var loader = new ClipLoader(packed, _training with { Augmentation = null });
        List<int> failed = [];
        foreach (ClipBatch batch in loader.Epoch(0, ct: Token))
        {
            using (batch)
            {
                failed.AddRange(batch.Failures.Select(f => f.SampleIndex));
                Assert.All(batch.Failures, f => Assert.Contains("when it was packed", f.Reason, StringComparison.Ordinal));
            }
        }

        Assert.Equal([3, 13], failed);
        Assert.Equal(15, packed.Samples.Count);
    }

    [Fact]
    public void Open_OtherColourMatrix_IsRefused()
    {
        Pack(clips.Set, _small);
        MediaException e = Assert.Throws<MediaException>(() => Undivided(Packed).Samples[0].Open(ColorMatrix.Bt601));
        Assert.Contains("--color", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PackedPixels.Rgb24)]
    [InlineData(PackedPixels.Jpeg)]
    public void Open_DamagedPack_AMessageOrTheRightFrames(PackedPixels pixels)
    {
        VideoDataset four = clips.Set with { Samples = [.. clips.Set.Samples.Take(4)] };
        Pack(four, _small with { Pixels = pixels, ShortSide = 24 });
        string index = Path.Combine(Packed, "kinora-pack.jsonl");
        Dictionary<string, byte[]> whole = Directory.GetFiles(Packed).ToDictionary(f => f, File.ReadAllBytes);
        Dictionary<string, byte[]> expected = ReadAll(ClipPack.Open(Packed));
        int refused = 0, right = 0;
        for (int round = 0; round < 600; round++)
        {
            var random = new CounterRandom(8, 0, round, "damage");
            string file = random.NextBool(0.7) ? index : whole.Keys.Order(StringComparer.Ordinal).ElementAt(random.NextInt32(whole.Count));
            byte[] bytes = Damage(whole[file], random);
            if (file == index && round % 3 != 0)
            {
                bytes = Signed(bytes);
            }

            File.WriteAllBytes(file, bytes);
            try
            {
                foreach ((string name, byte[] frames) in ReadAll(ClipPack.Open(Packed)))
                {
                    Assert.True(!expected.TryGetValue(name, out byte[]? known) || known.AsSpan().SequenceEqual(frames), $"round {round}");
                }

                right++;
            }
            catch (MediaException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }

            File.WriteAllBytes(file, whole[file]);
        }

        Assert.True(refused > 300 && right > 10, $"{refused} refused, {right} right");
    }

    [Fact]
    public void Load_PackOfADividedFolder_DividesAlike()
    {
        string data = SharedData.Require("data/handwash");
        DatasetSplits folder = DatasetFolder.Load(data, new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 });
        DatasetPacker.Pack(folder, data, Packed, new PackOptions { Pixels = PackedPixels.Jpeg, ShortSide = 48, Stride = 16, Quality = 75 }, ct: Token);

        DatasetSplits packed = DatasetFolder.Load(Packed);

        AssertAlike(folder.Train, packed.Train);
        AssertAlike(folder.Validation, packed.Validation);
        AssertAlike(folder.Test!, packed.Test!);
        Assert.False(packed.ValidationHeldOut || packed.TestHeldOut);

        void AssertAlike(VideoDataset videos, VideoDataset clips)
        {
            Assert.Equal(videos.Labels.Names, clips.Labels.Names);
            Assert.Equal(videos.Samples.Select(s => (Path.GetRelativePath(data, s.Path), s.Label)), clips.Samples.Select(s => (Path.GetRelativePath(Packed, s.Path), s.Label)));
        }
    }

    [Fact]
    public void Load_PackOfAnUndividedFolder_HoldsOutTheSameClips()
    {
        string data = Path.Combine(SharedData.Require("data/handwash"), "train");
        DatasetSplits held = DatasetFolder.Load(data);
        DatasetSplits whole = DatasetFolder.Load(data, new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 });
        DatasetPacker.Pack(whole, data, Packed, new PackOptions { Pixels = PackedPixels.Jpeg, ShortSide = 32, Stride = 32, Quality = 50 }, ct: Token);

        DatasetSplits packed = DatasetFolder.Load(Packed);

        Assert.Equal(held.Train.Samples.Select(s => Path.GetFileName(s.Path)), packed.Train.Samples.Select(s => Path.GetFileName(s.Path)));
        Assert.Equal(held.Validation.Samples.Select(s => Path.GetFileName(s.Path)), packed.Validation.Samples.Select(s => Path.GetFileName(s.Path)));
        Assert.Equal(held.Test!.Samples.Select(s => Path.GetFileName(s.Path)), packed.Test!.Samples.Select(s => Path.GetFileName(s.Path)));
    }

    [Theory]
    [InlineData("\"labels\":[", "]")]
    [InlineData("\"name\":\"", "\"")]
    [InlineData("\"origin\":{", "}")]
    [InlineData("\"classes\":[", "]")]
    [InlineData("\"parts\":[", "]")]
    public void Open_IndexThatLeavesAMemberOut_IsRefused(string start, string end)
    {
        Pack(clips.Set with { Samples = [.. clips.Set.Samples.Take(2)] }, _small with { ShortSide = 24 });
        string index = Path.Combine(Packed, "kinora-pack.jsonl"), text = File.ReadAllText(index);
        int from = text.IndexOf(start, StringComparison.Ordinal), to = text.IndexOf(end, from + start.Length, StringComparison.Ordinal) + end.Length;
        File.WriteAllBytes(index, Signed(Encoding.Latin1.GetBytes(text[..from] + text[(to + 1)..])));

        MediaException e = Assert.Throws<MediaException>(() => ClipPack.Open(Packed));
        Assert.DoesNotContain("checksum that its last line", e.Message, StringComparison.Ordinal);
    }

    private static byte[] Damage(byte[] whole, CounterRandom random)
    {
        byte[] bytes = [.. whole];
        switch (random.NextInt32(4))
        {
            case 0:
                return bytes[..random.NextInt32(bytes.Length)];
            case 1:
                return [.. bytes, .. bytes[..random.NextInt32(1, 100)]];
            case 2:
                // Digits become other digits: offsets, sizes and counts that lie.
                int[] digits = [.. Enumerable.Range(0, bytes.Length).Where(i => char.IsAsciiDigit((char)bytes[i]))];
                if (digits.Length > 0)
                {
                    bytes[digits[random.NextInt32(digits.Length)]] = (byte)('0' + random.NextInt32(10));
                }

                return bytes;
            default:
                for (int i = random.NextInt32(1, 5); i > 0; i--)
                {
                    bytes[random.NextInt32(bytes.Length)] = (byte)random.NextInt32(256);
                }

                return bytes;
        }
    }

    // A damaged index that states its own checksum: the checks behind the checksum have to hold as well.
    private static byte[] Signed(byte[] index)
    {
        string text = Encoding.Latin1.GetString(index).TrimEnd('\n');
        int last = text.LastIndexOf('\n') + 1, hash = text.LastIndexOf("sha256\":\"", StringComparison.Ordinal);
        if (hash < last || text.Length < hash + 9 + 64)
        {
            return index;
        }

        string right = Convert.ToHexStringLower(SHA256.HashData(index.AsSpan(0, last)));
        return Encoding.Latin1.GetBytes(text[..(hash + 9)] + right + text[(hash + 9 + 64)..]);
    }

    private static Dictionary<string, byte[]> ReadAll(ClipPack pack)
    {
        var all = new Dictionary<string, byte[]>();
        foreach (PackEntry entry in pack.Clips)
        {
            using PackedClip clip = pack.OpenClip(entry.Name);
            byte[] frames = new byte[clip.FrameCount * clip.Width * clip.Height * 3];
            clip.ReadFrames([.. Enumerable.Range(0, clip.FrameCount)], frames);
            all.Add(entry.Name, frames);
        }

        return all;
    }

    private void AssertFrames(IFrameSource video, string pack, Func<int, int> number, double rate)
    {
        using IFrameSource packed = Undivided(_folder[pack]).Samples[0].Open();
        Assert.Equal(rate, packed.FramesPerSecond, 1e-9);
        Assert.Equal(Enumerable.Range(0, video.FrameCount).Count(i => number(i) < video.FrameCount), packed.FrameCount);
        byte[] expected = new byte[video.Width * video.Height * 3], found = new byte[expected.Length];
        for (int i = 0; i < packed.FrameCount; i++)
        {
            video.ReadFrames([number(i)], expected);
            packed.ReadFrames([i], found);
            Assert.Equal(expected, found);
        }
    }

    private PackReport Pack(VideoDataset set, PackOptions options, string name = "pack", Action<int, int>? progress = null, CancellationToken ct = default) =>
        DatasetPacker.Pack(new DatasetSplits(set, set with { Samples = [] }, null) { ValidationHeldOut = true }, Root, _folder[name], options, progress, ct == default ? Token : ct);

    private static VideoDataset Undivided(string folder) => DatasetFolder.Load(folder, new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 }).Train;

    private string Digest(string name) => string.Join("\n", Directory.GetFiles(_folder[name]).Order(StringComparer.Ordinal)
        .Select(f => $"{Path.GetFileName(f)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f)))}"));

    private static float[] Pixels(VideoDataset set, ClipLoaderOptions options, int epoch)
    {
        using var loader = new ClipLoader(set, options);
        var all = new List<float>();
        foreach (ClipBatch batch in loader.Epoch(epoch, ct: Token))
        {
            using (batch)
            {
                Assert.Empty(batch.Failures);
                all.AddRange(batch.Pixels.Span);
            }
        }

        return [.. all];
    }
}

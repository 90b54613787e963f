using System.Runtime.InteropServices;
using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

public sealed partial class VideoReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_EncodedClip_DescribesIt()
    {
        using VideoReader reader = VideoReader.Open(TestClips.Encode(_folder["a.mp4"], 50, 96, 64));
        Assert.Equal((50, 96, 64, 0, "h264"), (reader.FrameCount, reader.Width, reader.Height, reader.Rotation, reader.Codec));
        Assert.Contains("mp4", reader.Container, StringComparison.Ordinal);
        Assert.Equal(25, reader.FramesPerSecond, 1e-9);
        Assert.Equal(2, reader.Duration.TotalSeconds, 0.05);
        Assert.True(reader.HasTimestamps);
        Assert.True(reader.IsKeyframe[0]);
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(i / 25.0, reader.TimestampsSeconds[i], 1e-9);
        }
    }

    [Fact]
    public void Open_Memory_GivesTheSameFramesAsTheFile()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 30);
        using VideoReader file = VideoReader.Open(path), memory = VideoReader.Open(File.ReadAllBytes(path));
        Assert.Equal(TestClips.ReadAll(file), TestClips.ReadAll(memory));
    }

    [Fact]
    public void Open_NoSuchFile_MediaExceptionNamesIt()
    {
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(_folder["none.mp4"]));
        Assert.Equal(_folder["none.mp4"], e.Path);
        Assert.Contains("none.mp4", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Open_EmptyFile_MediaException()
    {
        File.WriteAllBytes(_folder["empty.mp4"], []);
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(_folder["empty.mp4"]));
        Assert.Contains("empty", e.Message, StringComparison.Ordinal);
        Assert.Throws<MediaException>(() => VideoReader.Open(ReadOnlyMemory<byte>.Empty));
    }

    [Theory]
    [InlineData("This is not a video.\n")]
    [InlineData("ffconcat version 1.0\nfile '/etc/passwd'\n")]
    [InlineData("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")]
    [InlineData("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n")]
    public void Open_TextFile_MediaException(string text)
    {
        File.WriteAllText(_folder["text.mp4"], text);
        Assert.Throws<MediaException>(() => VideoReader.Open(_folder["text.mp4"]));
    }

    [Fact]
    public void Open_Directory_MediaExceptionSaysSo()
    {
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(_folder.Path));
        Assert.Contains("directory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NamedPipe_MediaExceptionWithoutWaiting()
    {
        Assert.Equal(0, MakeFifo(_folder["pipe.mp4"], 0x180)); // rw-------
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(_folder["pipe.mp4"]));
        Assert.Contains("named pipe", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Device_MediaException() => Assert.Throws<MediaException>(() => VideoReader.Open("/dev/zero"));

    [Fact]
    public void Open_TruncatedAnywhere_MediaExceptionOrFramesThatWereThere()
    {
        byte[] whole = File.ReadAllBytes(TestClips.Encode(_folder["a.mp4"], 20));
        using VideoReader reference = VideoReader.Open(whole);
        byte[] expected = TestClips.ReadAll(reference);
        for (int length = whole.Length - 1; length > 0; length -= 97)
        {
            // Cut after the index: it announces frames that aren't there, and says so.
            MediaException e = Assert.Throws<MediaException>(() =>
            {
                using VideoReader reader = VideoReader.Open(whole.AsMemory(0, length));
                Assert.Equal(expected, TestClips.ReadAll(reader));
            });
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    [Fact]
    public void Open_TruncatedMp4_MessageCountsMissingFrames()
    {
        byte[] whole = File.ReadAllBytes(TestClips.Encode(_folder["a.mp4"], 20));
        MediaException e = Assert.Throws<MediaException>(() => VideoReader.Open(whole.AsMemory(0, whole.Length * 3 / 4)));
        Assert.Contains("20 frames announced", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_BeyondLimits_MediaExceptionNamesLimit()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 20, 96, 64);
        Assert.Contains("pixels", Refused(new VideoReaderOptions { MaxPixels = (96 * 64) - 1 }), StringComparison.Ordinal);
        Assert.Contains("19 frames", Refused(new VideoReaderOptions { MaxFrames = 19 }), StringComparison.Ordinal);
        Assert.Contains("bytes", Refused(new VideoReaderOptions { MaxFileBytes = 100 }), StringComparison.Ordinal);
        VideoReader.Open(path, new VideoReaderOptions { MaxPixels = 96 * 64, MaxFrames = 20 }).Dispose();

        string Refused(VideoReaderOptions options) => Assert.Throws<MediaException>(() => VideoReader.Open(path, options)).Message;
    }

    [Fact]
    public void ReadFrames_DeadlinePassed_MediaExceptionSaysSo()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 120, 320, 240, new VideoWriterOptions { Preset = EncoderPreset.UltraFast });
        using VideoReader reader = VideoReader.Open(path);
        byte[] frame = new byte[reader.Width * reader.Height * 3];
        reader.ReadFrames([119], frame);

        // The deadline is checked between packets; one millisecond is never enough for 120 of them.
        MediaException e = Assert.Throws<MediaException>(() =>
        {
            using VideoReader hurried = VideoReader.Open(path, new VideoReaderOptions { Deadline = TimeSpan.FromMilliseconds(1) });
            hurried.ReadFrames([119], frame);
        });
        Assert.Contains("deadline", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenAndReadFrames_Cancelled_OperationCanceledException()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 10);
        var cancelled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => VideoReader.Open(path, null, cancelled));
        using VideoReader reader = VideoReader.Open(path);
        Assert.Throws<OperationCanceledException>(() => reader.ReadFrames([0], new byte[96 * 64 * 3], cancelled));
    }

    [Fact]
    public async Task ReadFrames_CancelledOnTheWay_StopsBetweenPackets()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 120, 320, 240, new VideoWriterOptions { Preset = EncoderPreset.UltraFast });
        using VideoReader reader = VideoReader.Open(path);
        var frame = new byte[320 * 240 * 3];
        using var source = new CancellationTokenSource();

        // Readings follow each other until the token ends one of them in the middle.
        Task reading = Task.Run(() =>
        {
            while (true)
            {
                reader.ReadFrames([119], frame, source.Token);
            }
        });
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        reader.ReadFrames([119], frame, TestContext.Current.CancellationToken);
        Assert.Equal(119, TestClips.Number(frame, 320, 240));
    }

    [Fact]
    public void ReadFrames_AnyOrderWithRepeats_EachInItsPlace()
    {
        using VideoReader reader = VideoReader.Open(TestClips.Encode(_folder["a.mp4"], 60, options: new VideoWriterOptions { KeyframeInterval = 20 }));
        byte[] all = TestClips.ReadAll(reader);
        int frameBytes = 96 * 64 * 3;
        int[] indices = [59, 0, 30, 30, 7, 59, 21, 20, 19, 0];
        var frames = new byte[indices.Length * frameBytes];
        reader.ReadFrames(indices, frames);
        for (int i = 0; i < indices.Length; i++)
        {
            Assert.Equal(all.AsSpan(indices[i] * frameBytes, frameBytes), frames.AsSpan(i * frameBytes, frameBytes));
        }
    }

    [Fact]
    public void Frames_AnyOrderWithRepeats_EachIndexOnceWithTheSamePixels()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 60, options: new VideoWriterOptions { KeyframeInterval = 20 });
        using VideoReader reader = VideoReader.Open(path);
        byte[] all = TestClips.ReadAll(reader), frame = new byte[96 * 64 * 3];
        var seen = new List<int>();
        using (FrameSequence frames = reader.Frames([59, 0, 30, 30, 7, 59, 21]))
        {
            Assert.Throws<InvalidOperationException>(() => reader.ReadFrames([0], frame));
            Assert.Throws<ArgumentException>(() => frames.Next(new byte[5], out _));
            while (frames.Next(frame, out int index))
            {
                seen.Add(index);
                Assert.Equal(all.AsSpan(index * frame.Length, frame.Length), frame.AsSpan());
            }

            Assert.False(frames.Next(frame, out int end));
            Assert.Equal(-1, end);
        }

        Assert.Equal([0, 7, 21, 30, 59], seen.Order());

        // Left half way, the reader is as good as new.
        using (FrameSequence frames = reader.Frames([10, 20, 50]))
        {
            Assert.True(frames.Next(frame, out _));
        }

        reader.ReadFrames([33], frame);
        Assert.Equal(all.AsSpan(33 * frame.Length, frame.Length), frame.AsSpan());
    }

    [Fact]
    public void Frames_DamagedOrCancelled_Throw()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 60, 320, 240, new VideoWriterOptions { Quality = 5 });
        byte[] bytes = File.ReadAllBytes(path);
        bytes.AsSpan(bytes.Length * 2 / 3, bytes.Length / 10).Fill(0xFF);
        using VideoReader damaged = VideoReader.Open(bytes);
        MediaException e = Assert.Throws<MediaException>(() =>
        {
            using FrameSequence frames = damaged.Frames([.. Enumerable.Range(0, 60)]);
            while (frames.Next(new byte[320 * 240 * 3], out _))
            {
            }
        });
        Assert.Contains("of 60", e.Message, StringComparison.Ordinal);

        using VideoReader reader = VideoReader.Open(path);
        using var source = new CancellationTokenSource();
        using FrameSequence cancelled = reader.Frames([0, 59], source.Token);
        Assert.True(cancelled.Next(new byte[320 * 240 * 3], out _));
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => cancelled.Next(new byte[320 * 240 * 3], out _));
    }

    [Fact]
    public void ReadFrames_WrongArguments_ArgumentException()
    {
        VideoReader reader = VideoReader.Open(TestClips.Encode(_folder["a.mp4"], 5));
        var frame = new byte[96 * 64 * 3];
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.ReadFrames([5], frame));
        Assert.Throws<ArgumentOutOfRangeException>(() => reader.ReadFrames([-1], frame));
        Assert.Throws<ArgumentException>(() => reader.ReadFrames([0, 1], frame));
        reader.ReadFrames([], []);
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.ReadFrames([0], frame));
        reader.Dispose();
    }

    [Theory]
    [InlineData(96)]
    [InlineData(98)]
    [InlineData(102)]
    [InlineData(104)]
    [InlineData(112)]
    public void ReadFrames_AnyWidth_FillsTheWholeFrameAndNothingElse(int width)
    {
        const int Guard = 512;
        string path = TestClips.Encode(_folder["a.mp4"], 2, width, 64);
        using VideoReader reader = VideoReader.Open(path);
        int frameBytes = width * 64 * 3;
        byte[][] runs = [.. new byte[] { 0x00, 0xFF }.Select(fill =>
        {
            var buffer = new byte[frameBytes + (2 * Guard)];
            buffer.AsSpan().Fill(fill);
            reader.ReadFrames([1], buffer.AsSpan(Guard, frameBytes));
            Assert.Equal(-1, buffer.AsSpan(0, Guard).IndexOfAnyExcept(fill));
            Assert.Equal(-1, buffer.AsSpan(Guard + frameBytes).IndexOfAnyExcept(fill));
            return buffer[Guard..(Guard + frameBytes)];
        })];
        Assert.Equal(runs[0], runs[1]);
    }

    [Fact]
    public void ReadFrames_FewOfMany_DecodesOnlyWhatTheyDependOn()
    {
        using VideoReader reader = VideoReader.Open(TestClips.Encode(_folder["a.mp4"], 200, options: new VideoWriterOptions { KeyframeInterval = 50 }));
        var frame = new byte[96 * 64 * 3];
        int key = reader.IsKeyframe[50..].IndexOf(true) + 50, next = reader.IsKeyframe[(key + 1)..].IndexOf(true) + key + 1;

        // Just behind a keyframe: a handful of packets, whatever came before.
        reader.ReadFrames([key + 1], frame);
        Assert.Equal(key + 1, TestClips.Number(frame, 96, 64));
        Assert.True(reader.LastStatistics.PacketsSent <= 8, $"sent {reader.LastStatistics.PacketsSent}");
        Assert.Equal(1, reader.LastStatistics.FramesConverted);

        // Far behind it: the references in between, but not the pictures that nothing refers to.
        reader.ReadFrames([next - 1], frame);
        Assert.Equal(next - 1, TestClips.Number(frame, 96, 64));
        Assert.InRange(reader.LastStatistics.PacketsSent, 1, next - key);
        Assert.True(reader.LastStatistics.FramesDecoded < (next - key) * 3 / 4, $"decoded {reader.LastStatistics.FramesDecoded} of {next - key}");
        Assert.Equal(1, reader.LastStatistics.FramesConverted);
    }

    [Theory]
    [InlineData(90)]
    [InlineData(180)]
    [InlineData(270)]
    public void ReadFrames_RotatedClip_Upright(int rotation)
    {
        string path = TestClips.Encode(_folder["a.mp4"], 3, 96, 64, new VideoWriterOptions { Rotation = rotation });
        using VideoReader flat = VideoReader.Open(path, new VideoReaderOptions { ApplyRotation = false }), upright = VideoReader.Open(path);
        Assert.Equal((rotation, rotation), (flat.Rotation, upright.Rotation));
        Assert.Equal((96, 64), (flat.Width, flat.Height));
        Assert.Equal(rotation == 180 ? (96, 64) : (64, 96), (upright.Width, upright.Height));
        byte[] source = TestClips.ReadAll(flat)[..(96 * 64 * 3)], turned = TestClips.ReadAll(upright)[..(96 * 64 * 3)];
        for (int y = 0; y < upright.Height; y++)
        {
            for (int x = 0; x < upright.Width; x++)
            {
                (int sx, int sy) = rotation switch
                {
                    90 => (y, 63 - x),
                    180 => (95 - x, 63 - y),
                    _ => (95 - y, x),
                };
                Assert.Equal(source.AsSpan(((sy * 96) + sx) * 3, 3), turned.AsSpan(((y * upright.Width) + x) * 3, 3));
            }
        }
    }

    [Fact]
    public void ReadFrames_PacketsBeyondCache_SameFramesReadAgain()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 120, options: new VideoWriterOptions { KeyframeInterval = 30 });
        using VideoReader cached = VideoReader.Open(path), reading = VideoReader.Open(path, new VideoReaderOptions { MaxCacheBytes = 1000 });
        Assert.True(cached.IsCached);
        Assert.False(reading.IsCached);
        int[] indices = [119, 3, 64, 64, 31, 90, 89, 0];
        byte[] a = new byte[indices.Length * 96 * 64 * 3], b = new byte[a.Length];
        cached.ReadFrames(indices, a);
        reading.ReadFrames(indices, b);
        Assert.Equal(a, b);
        Assert.Equal(TestClips.ReadAll(cached), TestClips.ReadAll(reading));
    }

    [Fact]
    public void ReadFrames_FileChangedSinceOpening_MediaException()
    {
        // Larger than what the reader may still have in its buffers.
        string path = TestClips.Encode(_folder["a.mp4"], 40, 320, 240, new VideoWriterOptions { Quality = 5 });
        using VideoReader reader = VideoReader.Open(path, new VideoReaderOptions { MaxCacheBytes = 1000 });
        string other = TestClips.Encode(_folder["b.mp4"], 40, 320, 240, new VideoWriterOptions { Quality = 12 });
        File.WriteAllBytes(path, File.ReadAllBytes(other));
        Assert.Throws<MediaException>(() => reader.ReadFrames([30], new byte[320 * 240 * 3]));
    }

    [Fact]
    public async Task ReadFrames_ManyReadersAtOnce_IndependentOfEachOther()
    {
        string path = TestClips.Encode(_folder["a.mp4"], 60);
        await Parallel.ForAsync(0, 8, (i, cancellation) =>
        {
            using VideoReader reader = VideoReader.Open(path, null, cancellation);
            var frame = new byte[96 * 64 * 3];
            for (int k = i; k < 60; k += 8)
            {
                reader.ReadFrames([k], frame, cancellation);
                Assert.Equal(k, TestClips.Number(frame, 96, 64));
            }

            return ValueTask.CompletedTask;
        });
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}

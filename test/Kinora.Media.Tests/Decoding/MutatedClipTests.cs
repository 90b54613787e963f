using Kinora.Testing;

namespace Kinora.Media.Tests.Decoding;

/// <summary>
/// Damaged files give a <see cref="MediaException"/> or frames, never a crash and never a hang. The clips are encoded
/// here; real ones join them where the reference material is at hand.
/// </summary>
public sealed class MutatedClipTests
{
    private const int Mutants = 500;

    // Far above what any of them needs: reaching it means that the reader's own deadline failed.
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task OpenAndReadFrames_FiveHundredMutants_MediaExceptionOrFrames()
    {
        using var folder = new TemporaryFolder();
        List<(string Name, byte[] Bytes)> clips = Clips(folder);
        int readable = 0, refused = 0;
        for (int i = 0; i < Mutants; i++)
        {
            (string name, byte[] bytes) = clips[i % clips.Count];
            byte[] mutant = ClipMutator.Mutate(bytes, (ulong)i);
            bool cached = i % 3 != 0;
            Task<bool> trial = Task.Run(() => Try(mutant, cached), TestContext.Current.CancellationToken);
            Assert.True(await Task.WhenAny(trial, Task.Delay(Hang, TestContext.Current.CancellationToken)) == trial, $"mutant {i} of {name} hangs");
            if (await trial)
            {
                readable++;
            }
            else
            {
                refused++;
            }
        }

        // A mutator that breaks everything or nothing would prove nothing.
        Assert.True(readable > Mutants / 20, $"{readable} readable");
        Assert.True(refused > Mutants / 20, $"{refused} refused");
    }

    [Fact]
    public void Mutate_SameSeed_SameBytes()
    {
        byte[] file = [.. Enumerable.Range(0, 1000).Select(i => (byte)i)];
        Assert.Equal(ClipMutator.Mutate(file, 7), ClipMutator.Mutate(file, 7));
        Assert.NotEqual(ClipMutator.Mutate(file, 7), ClipMutator.Mutate(file, 8));
    }

    // True: frames came; false: refused with a proper message. Anything else escapes and fails the test.
    private static bool Try(byte[] file, bool cached)
    {
        var options = new VideoReaderOptions
        {
            MaxPixels = 4 << 20,
            MaxFrames = 100_000,
            Deadline = TimeSpan.FromSeconds(20),
            MaxCacheBytes = cached ? 256 << 20 : 2000,
        };
        try
        {
            using VideoReader reader = VideoReader.Open(file, options);
            Assert.True(reader.FrameCount > 0 && reader.Width > 0 && reader.Height > 0);
            int[] indices = [.. Enumerable.Range(0, 8).Select(i => (int)(((2L * i) + 1) * reader.FrameCount / 16))];
            reader.ReadFrames(indices, new byte[indices.Length * reader.Width * reader.Height * 3]);
            return true;
        }
        catch (MediaException e)
        {
            Assert.NotEqual("", e.Message);
            Assert.DoesNotContain('\n', e.Message);
            return false;
        }
    }

    private static List<(string Name, byte[] Bytes)> Clips(TemporaryFolder folder)
    {
        var clips = new List<(string, byte[])>
        {
            ("b-frames", File.ReadAllBytes(TestClips.Encode(folder["a.mp4"], 60, options: new VideoWriterOptions { KeyframeInterval = 20 }))),
            ("turned", File.ReadAllBytes(TestClips.Encode(folder["b.mp4"], 30, options: new VideoWriterOptions { Rotation = 90, BFrames = 0 }))),
            ("long", File.ReadAllBytes(TestClips.Encode(folder["c.mp4"], 200, 48, 32))),
        };
        foreach (string name in new[] { "demo.mp4", "example.avi", "test.avi", "video_90.mov", "flipping_a_pancake.mkv", "part_0.mp4" })
        {
            clips.AddRange(SharedData.Files("data/clips", name).Select(path => (name, File.ReadAllBytes(path))));
        }

        return clips;
    }
}

using Kinora.Data.Synthetic;
using Kinora.Data.Tests.Loading;
using Kinora.Media;
using Kinora.Testing;

[assembly: AssemblyFixture(typeof(Clips))]

namespace Kinora.Data.Tests.Loading;

/// <summary>A few synthetic clips, made once for all tests of this assembly.</summary>
public sealed class Clips : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public Clips()
    {
        SyntheticMotions.Generate(_folder["set"], new SyntheticOptions
        {
            Seed = 5,
            Actions = ["wave", "stand_up", "sit_down"],
            TrainClipsPerClass = 4,
            ValidationClipsPerClass = 0,
            TestClipsPerClass = 0,
            Width = 96,
            Height = 64,
            MinFrames = 16,
            MaxFrames = 24,
        });
        Set = DatasetList.Load(Path.Combine(_folder["set"], "train.list"));

        // The first clip again as a folder of frames.
        using VideoReader reader = VideoReader.Open(Set.Samples[0].Path);
        var frame = new byte[96 * 64 * 3];
        Directory.CreateDirectory(_folder["frames"]);
        for (int i = 0; i < reader.FrameCount; i++)
        {
            reader.ReadFrames([i], frame);
            File.WriteAllBytes(Path.Combine(_folder["frames"], $"img_{i + 1:00000}.jpg"), JpegImage.Encode(frame, 96, 64));
        }

        File.WriteAllText(_folder["broken.mp4"], "not a video");
        Set = Set with { Samples = [.. Set.Samples, new VideoSample(_folder["frames"], 0, reader.FrameCount)] };
    }

    /// <summary>Twelve videos and a frame folder, three classes, 96 × 64.</summary>
    public VideoDataset Set { get; }

    /// <summary>A file that isn't a video.</summary>
    public string Broken => _folder["broken.mp4"];

    /// <summary>The set with unreadable samples at given places.</summary>
    public VideoDataset WithBroken(params int[] places)
    {
        List<VideoSample> samples = [.. Set.Samples];
        foreach (int place in places)
        {
            samples.Insert(place, new VideoSample(Broken, 1));
        }

        return Set with { Samples = samples };
    }

    public void Dispose() => _folder.Dispose();
}

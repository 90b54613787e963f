using Kinora.Data.Synthetic;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

/// <summary>Twelve small training clips of three classes, a few for validation and test.</summary>
public sealed class SmallClips : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SmallClips() => SyntheticMotions.Generate(_folder["clips"], new SyntheticOptions
    {
        Seed = 3,
        Actions = ["wave", "stand_up", "sit_down"],
        TrainClipsPerClass = 4,
        ValidationClipsPerClass = 1,
        TestClipsPerClass = 1,
        Width = 64,
        Height = 64,
        MinFrames = 16,
        MaxFrames = 18,
    });

    public string Folder => _folder["clips"];

    public void Dispose() => _folder.Dispose();
}

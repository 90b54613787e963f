namespace Kinora.Data.Synthetic;

/// <summary>How the clips are laid out on disk.</summary>
public enum SyntheticLayout
{
    /// <summary>Folders train, val, test with one folder a class inside: what <see cref="DatasetFolder"/> reads.</summary>
    ClassFolders,

    /// <summary>One folder of clips; train.list, val.list and test.list say which is what.</summary>
    Flat,
}

/// <summary>What <see cref="SyntheticMotions"/> renders. The defaults make a data set that a small network learns in minutes.</summary>
public sealed record SyntheticOptions
{
    /// <summary>Seed of the whole set; the same seed gives the same bytes.</summary>
    public ulong Seed { get; init; }

    /// <summary>Names of the actions, a subset of <see cref="SyntheticMotions.AllActions"/>; empty: <see cref="SyntheticMotions.DefaultActions"/>.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    /// <summary>Training clips of each action.</summary>
    public int TrainClipsPerClass { get; init; } = 140;

    /// <summary>Validation clips of each action.</summary>
    public int ValidationClipsPerClass { get; init; } = 14;

    /// <summary>Test clips of each action.</summary>
    public int TestClipsPerClass { get; init; } = 22;

    /// <summary>Picture width in pixels, even, 64 to 1920.</summary>
    public int Width { get; init; } = 160;

    /// <summary>Picture height in pixels, even, 64 to 1080.</summary>
    public int Height { get; init; } = 120;

    /// <summary>Shortest clip, in frames; at least 16.</summary>
    public int MinFrames { get; init; } = 32;

    /// <summary>Longest clip, in frames; at most 1,000.</summary>
    public int MaxFrames { get; init; } = 48;

    /// <summary>Frames a second.</summary>
    public double FramesPerSecond { get; init; } = 25;

    /// <summary>Scales noise, occlusion, blur and moving things: 0 none, 1 the usual amount, at most 2.</summary>
    public double Difficulty { get; init; } = 1;

    /// <summary>Arrangement on disk.</summary>
    public SyntheticLayout Layout { get; init; }

    /// <summary>Threads that render and encode; 0: one for each core. The output doesn't depend on it.</summary>
    public int Workers { get; init; }

    internal void Validate()
    {
        Require(TrainClipsPerClass >= 0 && ValidationClipsPerClass >= 0 && TestClipsPerClass >= 0, "clips per class", "0 or more", $"{TrainClipsPerClass}, {ValidationClipsPerClass}, {TestClipsPerClass}");
        Require(TrainClipsPerClass + ValidationClipsPerClass + TestClipsPerClass > 0, "clips per class", "at least one clip", "none");
        Require(Width is >= 64 and <= 1920 && Width % 2 == 0, "width", "an even number from 64 to 1920", Width);
        Require(Height is >= 64 and <= 1080 && Height % 2 == 0, "height", "an even number from 64 to 1080", Height);
        Require(MinFrames >= 16 && MaxFrames >= MinFrames && MaxFrames <= 1000, "frames", "16 ≤ shortest ≤ longest ≤ 1000", $"{MinFrames} to {MaxFrames}");
        Require(FramesPerSecond is >= 1 and <= 240, "frames a second", "1 to 240", FramesPerSecond);
        Require(Difficulty is >= 0 and <= 2, "difficulty", "0 to 2", Difficulty);
        Require(Workers is >= 0 and <= 1024, "workers", "0 to 1024", Workers);

        static void Require(bool holds, string name, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"synthetic motions: {name}: expected {expected}, found {found}");
            }
        }
    }
}

/// <summary>How far the generation has come.</summary>
/// <param name="Done">Clips finished.</param>
/// <param name="Total">Clips in all.</param>
public readonly record struct SyntheticProgress(int Done, int Total);

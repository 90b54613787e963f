using Kinora.Media;

namespace Kinora.Data;

/// <summary>One labelled video.</summary>
/// <param name="Path">A video file, a folder of frames (img_00001.jpg and so on), or a clip of a pack.</param>
/// <param name="Label">Class index, from 0; of several labels the first.</param>
/// <param name="FrameCount">Number of frames where the source states it (frame folders, packs), else null.</param>
public sealed record VideoSample(string Path, int Label, int? FrameCount = null)
{
    private readonly int[]? _labels;

    /// <summary>All class indices, each once; one where the data set isn't multi-label. The first is <see cref="Label"/>.</summary>
    public IReadOnlyList<int> Labels
    {
        get => _labels ?? [Label];
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.Count == 0 || value[0] != Label)
            {
                throw new ArgumentException($"expected labels that begin with {Label}", nameof(value));
            }

            _labels = value.Count == 1 ? null : [.. value];
        }
    }

    /// <summary>The person or recording that the clip belongs to, where known: clips of one group are alike, so none of them may test what others taught.</summary>
    public string? Group { get; init; }

    /// <summary>Where the clip begins in its video, in seconds; null: at the start.</summary>
    public double? StartSeconds { get; init; }

    /// <summary>Where the clip ends in its video, in seconds, exclusive; null: at the end.</summary>
    public double? EndSeconds { get; init; }

    /// <summary>What tells the clip from all others: path and section.</summary>
    internal string Identity => StartSeconds is null && EndSeconds is null ? Path : FormattableString.Invariant($"{Path}#{StartSeconds ?? 0}-{EndSeconds}");

    /// <inheritdoc/>
    public bool Equals(VideoSample? other) =>
        other is not null && Path == other.Path && Label == other.Label && FrameCount == other.FrameCount && Group == other.Group
        && StartSeconds == other.StartSeconds && EndSeconds == other.EndSeconds && Labels.SequenceEqual(other.Labels);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Path, Label, FrameCount, Group, StartSeconds, EndSeconds);

    /// <summary>Opens the clip.</summary>
    /// <param name="color">YUV matrix for video files.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <returns>The frames, of its section only; the caller disposes them.</returns>
    /// <exception cref="MediaException">Not readable as frames.</exception>
    public IFrameSource Open(ColorMatrix color = ColorMatrix.FromStream, CancellationToken cancellationToken = default)
    {
        IFrameSource source = FrameCount is int frames && Directory.Exists(Path)
            ? RawFrameFolder.Open(Path, frameCount: frames)
            : FrameSource.Open(Path, color, cancellationToken);
        return StartSeconds is null && EndSeconds is null ? source : VideoSection.Cut(source, StartSeconds ?? 0, EndSeconds, Path);
    }
}

/// <summary>Labelled videos. Nothing has been opened: a sample that can't be read shows when it is loaded.</summary>
/// <param name="Samples">The videos, in a fixed order.</param>
/// <param name="Labels">Class names; every sample's label lies inside.</param>
/// <param name="Name">What messages call the set, such as "train".</param>
public sealed record VideoDataset(IReadOnlyList<VideoSample> Samples, LabelMap Labels, string Name)
{
    /// <summary>Counts the samples of each class; one with several labels counts for each.</summary>
    /// <returns>One count a class, zero where a class is missing.</returns>
    public int[] CountPerClass()
    {
        var counts = new int[Labels.Count];
        foreach (VideoSample sample in Samples)
        {
            foreach (int label in sample.Labels)
            {
                counts[label]++;
            }
        }

        return counts;
    }
}

/// <summary>The parts of a data set. All share one label map.</summary>
/// <param name="Train">What is learned from.</param>
/// <param name="Validation">What chooses the best epoch; may be empty where there are too few videos.</param>
/// <param name="Test">What the final accuracy is measured on, if there is such a part.</param>
public sealed record DatasetSplits(VideoDataset Train, VideoDataset Validation, VideoDataset? Test)
{
    /// <summary>Files and folders that were found beside the videos and not used, in ordinal order; without what Kinora writes itself.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>Folders in the place of class folders that hold no clip, and whose name no class has, in ordinal order.</summary>
    public IReadOnlyList<string> EmptyClasses { get; init; } = [];

    /// <summary>Whether the validation part was held out from the training videos because none was given.</summary>
    public bool ValidationHeldOut { get; init; }

    /// <summary>Whether the test part was held out from the training videos because none was given.</summary>
    public bool TestHeldOut { get; init; }
}

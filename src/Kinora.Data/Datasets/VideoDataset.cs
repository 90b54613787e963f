namespace Kinora.Data;

/// <summary>One labelled video.</summary>
/// <param name="Path">A video file, or a folder of frames (img_00001.jpg and so on).</param>
/// <param name="Label">Class index, from 0.</param>
/// <param name="FrameCount">Number of frames where the source states it (frame folders), else null.</param>
public sealed record VideoSample(string Path, int Label, int? FrameCount = null);

/// <summary>Labelled videos. Nothing has been opened: a sample that can't be read shows when it is loaded.</summary>
/// <param name="Samples">The videos, in a fixed order.</param>
/// <param name="Labels">Class names; every sample's label lies inside.</param>
/// <param name="Name">What messages call the set, such as "train".</param>
public sealed record VideoDataset(IReadOnlyList<VideoSample> Samples, LabelMap Labels, string Name)
{
    /// <summary>Counts the samples of each class.</summary>
    /// <returns>One count a class, zero where a class is missing.</returns>
    public int[] CountPerClass()
    {
        var counts = new int[Labels.Count];
        foreach (VideoSample sample in Samples)
        {
            counts[sample.Label]++;
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
    /// <summary>Files and folders that were found beside the videos and not used, in ordinal order.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>Whether the validation part was held out from the training videos because none was given.</summary>
    public bool ValidationHeldOut { get; init; }

    /// <summary>Whether the test part was held out from the training videos because none was given.</summary>
    public bool TestHeldOut { get; init; }
}

namespace Kinora.Training;

/// <summary>Where decoded frames are kept between epochs.</summary>
public enum CacheMode
{
    /// <summary>In memory when all training frames fit into <see cref="DataConfig.CacheMegabytes"/>, else nowhere.</summary>
    Auto,

    /// <summary>In memory, as far as <see cref="DataConfig.CacheMegabytes"/> reaches.</summary>
    Memory,

    /// <summary>Nowhere: every epoch decodes.</summary>
    Off,
}

/// <summary>What list files list.</summary>
public enum ListContent
{
    /// <summary>Told by the file: CSV or JSON lines by its name, the two text formats by their lines.</summary>
    Auto,

    /// <summary>Lines <c>path label</c>: video files.</summary>
    Videos,

    /// <summary>Lines <c>folder frames label</c>: folders of numbered frames.</summary>
    Frames,
}

/// <summary>What an evaluation does about a clip that can't be read. It never takes another one in its place.</summary>
public enum UnreadableClips
{
    /// <summary>It counts as wrong and is listed.</summary>
    Wrong,

    /// <summary>The run stops with an error that names it.</summary>
    Fail,
}

/// <summary>Which clips are learned from, and how they are read.</summary>
public sealed record DataConfig
{
    /// <summary>A folder of class folders, or of train/, val/ and test/ with class folders in each.</summary>
    public string Path { get; init; } = "";

    /// <summary>List file of training clips, in place of <see cref="Path"/>.</summary>
    public string? TrainList { get; init; }

    /// <summary>List file of validation clips. Null beside <see cref="TrainList"/>: none, and the last epoch counts as the best.</summary>
    public string? ValidationList { get; init; }

    /// <summary>List file of test clips.</summary>
    public string? TestList { get; init; }

    /// <summary>Folder that the paths in list files are relative to. Null: the list file's folder.</summary>
    public string? ListRoot { get; init; }

    /// <summary>What list files list.</summary>
    public ListContent ListContent { get; init; }

    /// <summary>Appended to every path of a list, such as ".avi".</summary>
    public string ListSuffix { get; init; } = "";

    /// <summary>File of class names: a name a line, or lines <c>number name</c>. Null: classes of lists are numbered.</summary>
    public string? LabelFile { get; init; }

    /// <summary>Number of classes, where it isn't that of the labels found: a class may be without clips. Null: the labels'.</summary>
    public int? Classes { get; init; }

    /// <summary>Whether decoded frames are kept between epochs.</summary>
    public CacheMode Cache { get; init; } = CacheMode.Auto;

    /// <summary>Memory that decoded frames may take, in mebibytes.</summary>
    public int CacheMegabytes { get; init; } = 2048;

    /// <summary>Decoding threads. Null: one a processor core.</summary>
    public int? Workers { get; init; }

    /// <summary>Share of the training clips that may prove unreadable before the run stops; each one is logged.</summary>
    public double FailureBudget { get; init; } = 0.05;

    /// <summary>What validation and test do about a clip that can't be read.</summary>
    public UnreadableClips Unreadable { get; init; }

    internal void Validate(ConfigCheck check)
    {
        check.Require(!string.IsNullOrWhiteSpace(Path) || !string.IsNullOrWhiteSpace(TrainList), "path", "a folder of class folders (or data.trainList)", Path);
        check.Require(Classes is null or >= 2, "classes", "2 or more", Classes);
        check.Require(Workers is null or (> 0 and <= 256), "workers", "1 to 256", Workers);
        check.Require(CacheMegabytes >= 0, "cacheMegabytes", "0 or more", CacheMegabytes);
        check.Require(FailureBudget is >= 0 and <= 1, "failureBudget", "a share, 0 to 1", FailureBudget);
    }
}

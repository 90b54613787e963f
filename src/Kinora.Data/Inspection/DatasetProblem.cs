namespace Kinora.Data;

/// <summary>How bad something about a data set is.</summary>
public enum ProblemLevel
{
    /// <summary>Worth knowing.</summary>
    Note,

    /// <summary>Makes results worse or harder to compare.</summary>
    Warning,

    /// <summary>Makes training fail or results wrong.</summary>
    Error,
}

/// <summary>What may be wrong with a data set.</summary>
public enum ProblemKind
{
    /// <summary>A line of a list that can't be understood, or labels that fit no class.</summary>
    ListLine,

    /// <summary>A path that leads nowhere.</summary>
    Missing,

    /// <summary>A file that isn't a readable video.</summary>
    Unreadable,

    /// <summary>A video of which some frames can't be decoded.</summary>
    Damaged,

    /// <summary>Another number of frames, or another duration, than the list or the file announces.</summary>
    Length,

    /// <summary>A class without clips, or with too few.</summary>
    Classes,

    /// <summary>Classes with very different numbers of clips.</summary>
    Balance,

    /// <summary>One video in several parts of the data set.</summary>
    DuplicateAcrossParts,

    /// <summary>One video several times in the same part.</summary>
    Duplicate,

    /// <summary>One person or recording in several parts.</summary>
    SharedGroup,

    /// <summary>Fewer frames than the network looks at.</summary>
    Short,

    /// <summary>Higher than wide.</summary>
    Portrait,

    /// <summary>An unusual or changing frame rate.</summary>
    FrameRate,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Message">One line: expected, found.</param>
/// <param name="Clips">The clips concerned, if any.</param>
public sealed record DatasetProblem(ProblemKind Kind, ProblemLevel Level, string Message, IReadOnlyList<ProblemClip> Clips);

/// <summary>A clip that a problem concerns.</summary>
/// <param name="Part">Its part of the data set.</param>
/// <param name="Path">Its file, folder or place in a pack.</param>
/// <param name="Label">Its class name, or several.</param>
public sealed record ProblemClip(string Part, string Path, string Label);

/// <summary>The figures of one part of a data set.</summary>
/// <param name="Name">train, val, test or the list's name.</param>
/// <param name="Clips">Clips, unreadable ones included.</param>
/// <param name="Unreadable">Clips of which nothing or not all can be decoded.</param>
/// <param name="PerClass">Clips of each class.</param>
/// <param name="Frames">Fewest, median and most frames of a readable clip; zeros where there is none.</param>
/// <param name="Seconds">Length of all clips whose frame rate is known.</param>
/// <param name="Sizes">How often each frame size occurs, most frequent first.</param>
public sealed record PartFigures(
    string Name, int Clips, int Unreadable, IReadOnlyList<int> PerClass, FrameRange Frames, double Seconds, IReadOnlyList<SizeCount> Sizes);

/// <summary>Numbers of frames.</summary>
/// <param name="Fewest">Of all clips.</param>
/// <param name="Median">Of all clips.</param>
/// <param name="Most">Of all clips.</param>
public readonly record struct FrameRange(int Fewest, int Median, int Most);

/// <summary>How many clips have a frame size.</summary>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Clips">Their number.</param>
public readonly record struct SizeCount(int Width, int Height, int Clips);

/// <summary>What <see cref="DatasetDoctor"/> found.</summary>
/// <param name="Classes">Class names in class order.</param>
/// <param name="Parts">The parts.</param>
/// <param name="Problems">The worst first, then by kind.</param>
public sealed record DatasetReport(IReadOnlyList<string> Classes, IReadOnlyList<PartFigures> Parts, IReadOnlyList<DatasetProblem> Problems)
{
    /// <summary>Number of problems of a level.</summary>
    /// <param name="level">The level.</param>
    /// <returns>Their number.</returns>
    public int Count(ProblemLevel level) => Problems.Count(p => p.Level == level);
}

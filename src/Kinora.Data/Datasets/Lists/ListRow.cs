namespace Kinora.Data;

/// <summary>One line of a list, before names are looked up.</summary>
/// <param name="Line">Number of its line, from 1.</param>
/// <param name="Path">As written.</param>
/// <param name="Labels">One or more.</param>
/// <param name="Frames">Number of frames, where stated.</param>
/// <param name="StartSeconds">Where the clip begins, where stated.</param>
/// <param name="EndSeconds">Where it ends, where stated.</param>
/// <param name="Group">Person or recording, where stated.</param>
internal sealed record ListRow(
    int Line, string Path, IReadOnlyList<ListLabel> Labels, int? Frames = null, double? StartSeconds = null, double? EndSeconds = null, string? Group = null);

/// <summary>A label as written: a class name, a class index, or text that may be either.</summary>
/// <param name="Text">As written.</param>
/// <param name="Kind">Which it is.</param>
internal readonly record struct ListLabel(string Text, ListLabelKind Kind)
{
    /// <summary>The index that the text says; −1 where it says none.</summary>
    public int Index => Kind != ListLabelKind.Name
        && int.TryParse(Text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index) && index < MaxIndex ? index : -1;

    /// <summary>Whether the text is a number below zero, which is no index; as a name it would be a class that nobody meant.</summary>
    public bool IsNegative => Kind != ListLabelKind.Name && Text.Length > 1 && Text[0] == '-' && Text.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

    private const int MaxIndex = 1_000_000;
}

/// <summary>What a label is.</summary>
internal enum ListLabelKind
{
    /// <summary>A class index: PaddleVideo's lists, numbers in JSON.</summary>
    Index,

    /// <summary>A class name: strings in JSON.</summary>
    Name,

    /// <summary>A name, else an index: CSV doesn't tell them apart.</summary>
    Either,
}

/// <summary>A line that isn't as it should be.</summary>
/// <param name="line">Its number, from 1.</param>
/// <param name="problem">Expected and found.</param>
internal sealed class ListLineException(int line, string problem) : Exception(problem)
{
    public int Line { get; } = line;
}

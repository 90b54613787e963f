namespace Kinora.Paddle;

/// <summary>A value of a recipe and the line it stands in.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Size">This value and everything inside, with what is repeated by reference counted each time.</param>
internal abstract record RecipeNode(int Line, int Size)
{
    /// <summary>The value without its place: null, bool, long, double, string, <c>object?[]</c> or a dictionary.</summary>
    public abstract object? Plain { get; }

    /// <summary>The option that set the value, <c>key=value</c>; null for what stands in the file.</summary>
    public string? Option { get; init; }

    /// <summary>What a message says of the place.</summary>
    public string Place => At(Option, Line);

    /// <summary>Wraps a value without a place of its own inside, such as a Python literal.</summary>
    /// <param name="value">What <see cref="Plain"/> may be.</param>
    /// <param name="line">From 1.</param>
    /// <param name="option">The option that set it, if any.</param>
    public static RecipeNode Of(object? value, int line, string? option = null) => value switch
    {
        object?[] items => new RecipeList([.. items.Select(item => Of(item, line, option))], line) { Option = option },
        IReadOnlyDictionary<string, object?> map => new RecipeMap([.. map.Select(entry => new RecipeEntry(entry.Key, line, Of(entry.Value, line, option)))], line) { Option = option },
        _ => new RecipeScalar(value, line) { Option = option },
    };

    /// <summary>What a message says of a place.</summary>
    /// <param name="option">The option that set a value, if any.</param>
    /// <param name="line">Its line.</param>
    public static string At(string? option, int line) => option is null ? $"line {line}" : $"-o {(option.Length > 60 ? option[..60] + "…" : option)}";

    /// <summary>What a message says was found.</summary>
    public string Found => this switch
    {
        RecipeList => "a list",
        RecipeMap => "keys with values",
        RecipeScalar { Value: null } => "nothing",
        RecipeScalar { Value: bool flag } => flag ? "True" : "False",
        RecipeScalar { Value: string text } => $"'{(text.Length > 60 ? text[..60] + "…" : text)}'",
        RecipeScalar { Value: IFormattable number } => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => "",
    };
}

/// <summary>Null, bool, long, double or string.</summary>
internal sealed record RecipeScalar(object? Value, int Line) : RecipeNode(Line, 1)
{
    public override object? Plain => Value;
}

/// <summary>A list.</summary>
internal sealed record RecipeList(IReadOnlyList<RecipeNode> Items, int Line) : RecipeNode(Line, 1 + Items.Sum(i => i.Size))
{
    public override object? Plain => Items.Select(i => i.Plain).ToArray();
}

/// <summary>One key of a mapping.</summary>
internal sealed record RecipeEntry(string Key, int Line, RecipeNode Value)
{
    /// <summary>What a message says of the place.</summary>
    public string Place => RecipeNode.At(Value.Option, Line);
}

/// <summary>Keys with values, each key once, in the order of the file.</summary>
internal sealed record RecipeMap(IReadOnlyList<RecipeEntry> Entries, int Line) : RecipeNode(Line, 1 + Entries.Sum(e => e.Value.Size))
{
    public override object? Plain => Entries.ToDictionary(e => e.Key, e => e.Value.Plain, StringComparer.Ordinal);
}

namespace Kinora.Paddle;

/// <summary>
/// Reads the keys of one mapping of a recipe by name and type. What nobody asked for is an error or is listed as ignored, so
/// that no value is lost unnoticed.
/// </summary>
internal sealed class RecipeSection
{
    private readonly RecipeMap _map;
    private readonly RecipeReading _reading;
    private readonly HashSet<string> _known;

    /// <summary>Wraps a mapping.</summary>
    /// <param name="map">Keys with values.</param>
    /// <param name="key">Its own key path; empty for the root.</param>
    /// <param name="reading">Remembers what was asked for.</param>
    public RecipeSection(RecipeMap map, string key, RecipeReading reading) => (_map, Key, _reading, _known) = (map, key, reading, reading.Asked(key));

    /// <summary>Key path, such as "PIPELINE.valid".</summary>
    public string Key { get; }

    /// <summary>Whether the recipe becomes a training.</summary>
    public bool IsTraining => _reading.IsTraining;

    /// <summary>All values by key, without those in <paramref name="except"/>; whoever gets them must account for each.</summary>
    /// <param name="except">Keys that are read otherwise.</param>
    public Dictionary<string, object?> Plain(params string[] except)
    {
        _known.UnionWith(_map.Entries.Select(e => e.Key));
        _map.Entries.ToList().ForEach(e => _reading.Settle(Full(e.Key)));
        return _map.Entries.Where(e => !except.Contains(e.Key)).ToDictionary(e => e.Key, e => e.Value.Plain, StringComparer.Ordinal);
    }

    /// <summary>Whether the key is there with a value; that alone doesn't count as having read it.</summary>
    /// <param name="name">Key.</param>
    public bool Has(string name) => Peek(name) is not (null or RecipeScalar { Value: null });

    /// <summary>The mapping of a key; null where the key is missing or empty.</summary>
    /// <param name="name">Key.</param>
    public RecipeSection? Section(string name) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => null,
        RecipeMap map => new RecipeSection(map, Full(name), _reading),
        var other => throw Wrong(name, "keys with values", other),
    };

    /// <summary>The mapping of a key that must be there.</summary>
    /// <param name="name">Key.</param>
    public RecipeSection Require(string name) => Section(name) ?? throw Missing(name);

    /// <summary>A list of mappings with one key each, such as <c>- Scale: {…}</c>; an empty value counts as no keys.</summary>
    /// <param name="name">Key.</param>
    /// <param name="item">What an item is, for messages.</param>
    /// <returns>The key of each item and what is below it; empty where the list is missing.</returns>
    public IReadOnlyList<(string Name, RecipeSection Arguments)> Items(string name, string item)
    {
        RecipeNode? node = Find(name);
        if (node is null or RecipeScalar { Value: null })
        {
            return [];
        }

        if (node is not RecipeList list)
        {
            throw Wrong(name, $"a list with {item} in each line", node);
        }

        return [.. list.Items.Select((one, i) => one switch
        {
            // A name without arguments may come without its colon.
            RecipeScalar { Value: string alone } => (alone, At(new RecipeMap([], one.Line), i, alone)),
            RecipeMap { Entries: [{ Value: RecipeMap arguments } only] } => (only.Key, At(arguments, i, only.Key)),
            RecipeMap { Entries: [{ Value: RecipeScalar { Value: null } } only] } => (only.Key, At(new RecipeMap([], only.Line), i, only.Key)),
            _ => throw _reading.Refuse(one.Place, $"{Full(name)}[{i}]: expected {item}, found {one.Found}"),
        })];

        RecipeSection At(RecipeMap map, int index, string inner)
        {
            _reading.Asked($"{Full(name)}[{index}]").Add(inner);
            return new RecipeSection(map, $"{Full(name)}[{index}].{inner}", _reading);
        }
    }

    /// <summary>A list of mappings.</summary>
    /// <param name="name">Key.</param>
    /// <returns>The mappings; empty where the list is missing.</returns>
    public IReadOnlyList<RecipeSection> Sections(string name) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => [],
        RecipeList list when list.Items.All(i => i is RecipeMap) => [.. list.Items.Select((item, i) => new RecipeSection((RecipeMap)item, $"{Full(name)}[{i}]", _reading))],
        var other => throw Wrong(name, "a list of keys with values", other),
    };

    /// <summary>Texts.</summary>
    /// <param name="name">Key; it must be there.</param>
    /// <param name="count">How many.</param>
    public string[] Texts(string name, int count) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => throw Missing(name),
        RecipeList list when list.Items.Count == count && list.Items.All(i => i is RecipeScalar { Value: string }) => [.. list.Items.Select(i => (string)((RecipeScalar)i).Value!)],
        var other => throw Wrong(name, $"a list of {count} names", other),
    };

    /// <summary>A whole number.</summary>
    /// <param name="name">Key.</param>
    /// <param name="fallback">PaddleVideo's default; null where it has none.</param>
    public int Int(string name, int? fallback = null) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => fallback ?? throw Missing(name),
        RecipeScalar { Value: long number } when number is >= int.MinValue and <= int.MaxValue => (int)number,
        RecipeScalar { Value: double number } when number == Math.Floor(number) && Math.Abs(number) < int.MaxValue => (int)number,
        var other => throw Wrong(name, "a whole number", other),
    };

    /// <summary>A number; null where the key is missing or None.</summary>
    /// <param name="name">Key.</param>
    public double? Number(string name) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => null,
        RecipeScalar { Value: long number } => number,
        RecipeScalar { Value: double number } when double.IsFinite(number) => number,
        var other => throw Wrong(name, "a number", other),
    };

    /// <summary>A number.</summary>
    /// <param name="name">Key.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public double Number(string name, double fallback) => Number(name) ?? fallback;

    /// <summary>A number that must be there.</summary>
    /// <param name="name">Key.</param>
    public double RequireNumber(string name) => Number(name) ?? throw Missing(name);

    /// <summary>Whether the key holds keys with values; that alone doesn't count as having read them.</summary>
    /// <param name="name">Key.</param>
    public bool IsSection(string name) => Peek(name) is RecipeMap;

    /// <summary>A truth value; null where the key is missing or None.</summary>
    /// <param name="name">Key.</param>
    public bool? Flag(string name) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => null,
        RecipeScalar { Value: bool flag } => flag,
        RecipeScalar { Value: long and (0 or 1) and var number } => (long)number == 1,
        var other => throw Wrong(name, "True or False", other),
    };

    /// <summary>A truth value.</summary>
    /// <param name="name">Key.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public bool Flag(string name, bool fallback) => Flag(name) ?? fallback;

    /// <summary>A text.</summary>
    /// <param name="name">Key.</param>
    /// <param name="fallback">PaddleVideo's default; null where it has none and the text may be missing.</param>
    public string? Text(string name, string? fallback = null) => Find(name) switch
    {
        null or RecipeScalar { Value: null } => fallback,
        RecipeScalar { Value: string text } => text,
        var other => throw Wrong(name, "a text", other),
    };

    /// <summary>A text that must be there.</summary>
    /// <param name="name">Key.</param>
    public string RequireText(string name) => Text(name) ?? throw Missing(name);

    /// <summary>One of several texts.</summary>
    /// <param name="name">Key.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    /// <param name="known">What is possible.</param>
    public string Choice(string name, string fallback, params string[] known) => Text(name, fallback) is { } text && known.Contains(text)
        ? text
        : throw Wrong(name, $"one of {string.Join(", ", known)}", Find(name)!);

    /// <summary>Numbers.</summary>
    /// <param name="name">Key.</param>
    /// <param name="count">How many.</param>
    /// <param name="fallback">PaddleVideo's default; null where it has none.</param>
    public double[] Numbers(string name, int? count, double[]? fallback = null)
    {
        switch (Find(name))
        {
            case null or RecipeScalar { Value: null }:
                return fallback ?? throw Missing(name);
            case RecipeList list when (count is null || list.Items.Count == count) && list.Items.All(i => i is RecipeScalar { Value: long or double or bool }):
                return [.. list.Items.Select(i => Convert.ToDouble(((RecipeScalar)i).Value, System.Globalization.CultureInfo.InvariantCulture))];
            case var other:
                throw Wrong(name, count is null ? "a list of numbers" : $"a list of {count} numbers", other);
        }
    }

    /// <summary>Lists keys as ignored, where they are given.</summary>
    /// <param name="reason">Why they have no effect.</param>
    /// <param name="names">Keys.</param>
    public void Ignore(string reason, params string[] names)
    {
        foreach (string name in names)
        {
            _known.Add(name);
            _reading.Settle(Full(name));
            if (Entry(name) is { } entry)
            {
                _reading.List(Full(name), entry.Line, entry.Value.Option, reason);
            }
        }
    }

    /// <summary>Lists keys as ignored, where they are given and nobody has read them.</summary>
    /// <param name="reason">Why they have no effect.</param>
    /// <param name="names">Keys.</param>
    public void IgnoreUnasked(string reason, params string[] names) => Ignore(reason, [.. names.Where(n => !_known.Contains(n))]);

    /// <summary>Lists what becomes of a part of this mapping that can't be followed to the letter.</summary>
    /// <param name="deviation">What it would be, and what is taken in its place.</param>
    public void Note(string deviation) => _reading.List(Key, _map.Line, _map.Option, deviation);

    /// <summary>Lists this whole mapping as ignored.</summary>
    /// <param name="reason">Why it has no effect.</param>
    public void IgnoreAll(string reason)
    {
        _known.UnionWith(_map.Entries.Select(e => e.Key));
        _reading.Settle(Key);
        Note(reason);
    }

    /// <summary>Ends the reading of a constructor's arguments: whatever nobody asked for is an error, as it is in Python.</summary>
    /// <exception cref="ConfigException">There is a key that nobody asked for.</exception>
    public void Finish()
    {
        if (_map.Entries.FirstOrDefault(e => !_known.Contains(e.Key)) is { } unknown)
        {
            throw _reading.Refuse(unknown.Place, $"{Full(unknown.Key)}: unknown; known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}");
        }
    }

    /// <summary>A mistake in this mapping.</summary>
    /// <param name="problem">Expected and found.</param>
    /// <returns>The exception to throw.</returns>
    public ConfigException Refuse(string problem) => _reading.Refuse(_map.Place, Key.Length == 0 ? problem : $"{Key}: {problem}");

    /// <summary>A value of this mapping that isn't what it must be.</summary>
    /// <param name="name">Key; it is there, or has a default that is wrong.</param>
    /// <param name="expected">What it must be.</param>
    /// <param name="fallback">What the default is, for messages about a missing key.</param>
    /// <returns>The exception to throw.</returns>
    public ConfigException Wrong(string name, string expected, string? fallback = null) => Peek(name) is { } found
        ? Wrong(name, expected, found)
        : _reading.Refuse(_map.Place, $"{Full(name)}: expected {expected}, found no such key{(fallback is null ? "" : $", for which PaddleVideo takes {fallback}")}");

    private RecipeEntry? Entry(string name) => _map.Entries.FirstOrDefault(e => e.Key == name);

    private RecipeNode? Peek(string name) => Entry(name)?.Value;

    private RecipeNode? Find(string name)
    {
        _known.Add(name);
        return Peek(name);
    }

    private string Full(string name) => Key.Length == 0 ? name : $"{Key}.{name}";

    private ConfigException Missing(string name) => _reading.Refuse(_map.Place, $"{Full(name)}: missing");

    private ConfigException Wrong(string name, string expected, RecipeNode found) => _reading.Refuse(found.Place, $"{Full(name)}: expected {expected}, found {found.Found}");
}

namespace Kinora.Paddle;

/// <summary>
/// One reading of a recipe. It remembers which keys were asked for, whoever asked, and at the end lists all others: no key can
/// be forgotten by the code that reads a section.
/// </summary>
internal sealed class RecipeReading
{
    private readonly Dictionary<string, HashSet<string>> _asked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _settled = new(StringComparer.Ordinal);
    private readonly List<IgnoredKey> _ignored;

    /// <summary>Begins a reading.</summary>
    /// <param name="path">The recipe's file, for messages.</param>
    /// <param name="ignored">Receives what has no effect.</param>
    /// <param name="isTraining">Whether the recipe becomes a training, whose network says how its input lies in memory.</param>
    public RecipeReading(string? path, List<IgnoredKey> ignored, bool isTraining) => (Path, _ignored, IsTraining) = (path, ignored, isTraining);

    /// <summary>The recipe's file.</summary>
    public string? Path { get; }

    /// <summary>Whether the recipe becomes a training.</summary>
    public bool IsTraining { get; }

    /// <summary>The keys of a mapping that were asked for so far, whether they are there or not.</summary>
    /// <param name="section">Key path of the mapping.</param>
    public HashSet<string> Asked(string section)
    {
        if (!_asked.TryGetValue(section, out HashSet<string>? known))
        {
            _asked[section] = known = new HashSet<string>(StringComparer.Ordinal);
        }

        return known;
    }

    /// <summary>Takes a value with all below it as dealt with: it was handed on whole, or listed.</summary>
    /// <param name="key">Key path.</param>
    public void Settle(string key) => _settled.Add(key);

    /// <summary>Lists a key, once for each reason.</summary>
    /// <param name="key">Key path.</param>
    /// <param name="line">Its line.</param>
    /// <param name="option">The option that set it, if any.</param>
    /// <param name="reason">Why it has no effect.</param>
    public void List(string key, int line, string? option, string reason)
    {
        var ignored = new IgnoredKey(key, option is null ? line : 0, reason) { Option = option };
        if (!_ignored.Contains(ignored))
        {
            _ignored.Add(ignored);
        }
    }

    /// <summary>Lists every key that nobody asked for.</summary>
    /// <param name="root">The recipe.</param>
    public void ListRest(RecipeMap root) => ListRest(root, "");

    /// <summary>A mistake.</summary>
    /// <param name="place">Where, such as "line 3".</param>
    /// <param name="problem">Key, expected and found.</param>
    /// <returns>The exception to throw.</returns>
    public ConfigException Refuse(string place, string problem) => new($"PaddleVideo recipe: {place}: {problem}", Path);

    private void ListRest(RecipeNode node, string key)
    {
        if (node is RecipeList list)
        {
            for (int i = 0; i < list.Items.Count; i++)
            {
                ListRest(list.Items[i], $"{key}[{i}]");
            }
        }
        else if (node is RecipeMap map)
        {
            HashSet<string> asked = Asked(key);
            foreach (RecipeEntry entry in map.Entries)
            {
                string full = key.Length == 0 ? entry.Key : $"{key}.{entry.Key}";
                if (asked.Contains(entry.Key))
                {
                    if (!_settled.Contains(full))
                    {
                        ListRest(entry.Value, full);
                    }
                }
                else if (!_ignored.Exists(i => i.Key == full && i.Option is not null))
                {
                    List(full, entry.Line, entry.Value.Option, "no key of PaddleVideo's" + NearestName.Suggestion(entry.Key, asked));
                }
            }
        }
    }
}

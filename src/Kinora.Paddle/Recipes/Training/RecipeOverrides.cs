using System.Globalization;

namespace Kinora.Paddle;

/// <summary>PaddleVideo's <c>-o key.sub.0.name=value</c>. Values are read as YAML and Python literals, never evaluated.</summary>
internal static class RecipeOverrides
{
    private static readonly string[] Optional = ["pretrained", "data_prefix", "suffix", "resume_epoch", "output_dir", "valid_batch_size", "test_batch_size", "num_workers"];

    /// <summary>Changes values of a recipe.</summary>
    /// <param name="root">The recipe.</param>
    /// <param name="overrides">Texts <c>key=value</c>, in order.</param>
    /// <param name="path">The recipe's file, for messages.</param>
    /// <param name="ignored">Receives the keys that the recipe didn't have before, as a typing error would look the same.</param>
    /// <returns>The changed recipe.</returns>
    /// <exception cref="ConfigException">No <c>=</c>, or a key whose parent doesn't exist.</exception>
    public static RecipeMap Apply(RecipeMap root, IReadOnlyList<string> overrides, string? path, List<IgnoredKey> ignored)
    {
        foreach (string one in overrides)
        {
            int equals = one.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                throw new ConfigException($"PaddleVideo recipe: -o: expected key=value, found '{one}'", path);
            }

            string key = one[..equals].Trim();
            root = (RecipeMap)Set(root, key.Split('.'), 0, RecipeYaml.ReadValue(one[(equals + 1)..].Trim(), one));
        }

        return root;

        RecipeNode Set(RecipeNode at, string[] parts, int depth, RecipeNode value)
        {
            if (depth == parts.Length)
            {
                return value;
            }

            string part = parts[depth], full = string.Join('.', parts[..(depth + 1)]);
            switch (at)
            {
                case RecipeList list when int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int index):
                    return index < list.Items.Count
                        ? new RecipeList([.. list.Items.Select((item, i) => i == index ? Set(item, parts, depth + 1, value) : item)], list.Line) { Option = list.Option }
                        : throw new ConfigException($"PaddleVideo recipe: -o {full}: expected an index below {list.Items.Count}, found {index}", path);
                case RecipeMap map when map.Entries.Any(e => e.Key == part):
                    return new RecipeMap([.. map.Entries.Select(e => e.Key == part ? e with { Value = Set(e.Value, parts, depth + 1, value) } : e)], map.Line) { Option = map.Option };
                case RecipeMap map when depth == parts.Length - 1:
                    // Known keys that recipes may leave out are no news.
                    if (!Optional.Contains(part))
                    {
                        ignored.Add(new IgnoredKey(full, 0, $"the recipe had no such key{NearestName.Suggestion(part, map.Entries.Select(e => e.Key))}") { Option = value.Option });
                    }

                    return new RecipeMap([.. map.Entries, new RecipeEntry(part, map.Line, value)], map.Line) { Option = map.Option };
                case RecipeMap map:
                    throw new ConfigException($"PaddleVideo recipe: -o {full}: the recipe has no such key{NearestName.Suggestion(part, map.Entries.Select(e => e.Key))}", path);
                default:
                    throw new ConfigException($"PaddleVideo recipe: -o {full}: expected keys above it, found {at.Found}", path);
            }
        }
    }
}

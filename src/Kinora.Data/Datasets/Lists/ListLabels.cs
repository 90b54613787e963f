namespace Kinora.Data;

/// <summary>The class names that the labels of lists lead to.</summary>
internal static class ListLabels
{
    /// <summary>Decides which names there are.</summary>
    /// <param name="named">Names from a file; null: those of the lists.</param>
    /// <param name="namesFile">That file, for messages.</param>
    /// <param name="lists">All lists that share the names.</param>
    /// <returns>The names.</returns>
    /// <exception cref="DatasetException">A label that fits no name, or names and indices mixed without a file of names.</exception>
    public static LabelMap Of(LabelMap? named, string? namesFile, IReadOnlyList<(string Path, List<ListRow> Rows)> lists)
    {
        if (named is not null)
        {
            foreach ((string path, ListRow row, ListLabel label) in All(lists))
            {
                if (Find(named, label) < 0)
                {
                    throw label.Index >= 0
                        ? new DatasetException($"read list: line {row.Line}: expected labels 0 to {named.Count - 1} as {namesFile} names {named.Count} classes, found label {label.Text}", path)
                        : new DatasetException($"read list: line {row.Line}: expected one of the {named.Count} classes of {namesFile}, found '{Excerpt.Of(label.Text)}'{NearestName.Suggestion(label.Text, named.Names)}", path);
                }
            }

            return named;
        }

        int classes = 0;
        (string Path, ListRow Row, ListLabel Label)? name = null, number = null;
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((string path, ListRow row, ListLabel label) in All(lists))
        {
            if (label.IsNegative)
            {
                throw new DatasetException($"read list: line {row.Line}: {Negative(label)}", path);
            }

            names.Add(label.Text);
            if (label.Index < 0)
            {
                name ??= (path, row, label);
            }
            else
            {
                classes = Math.Max(classes, label.Index + 1);
                number ??= label.Kind == ListLabelKind.Index ? (path, row, label) : number;
            }
        }

        if (name is null)
        {
            return LabelMap.Numbered(classes);
        }

        return number is { } mixed
            ? throw new DatasetException($"read list: line {mixed.Row.Line}: expected a class name as in line {name.Value.Row.Line} ('{Excerpt.Of(name.Value.Label.Text)}'), found index {mixed.Label.Text}; use one kind, or give a file of class names", mixed.Path)
            : new LabelMap(names);
    }

    /// <summary>The class of a label; −1 where there is none.</summary>
    public static int Find(LabelMap labels, ListLabel label) =>
        label.Kind != ListLabelKind.Index && labels.TryGetIndex(label.Text, out int index) ? index
        : label.Index >= 0 && label.Index < labels.Count ? label.Index
        : -1;

    /// <summary>What is wrong with a negative number where no file names the classes.</summary>
    public static string Negative(ListLabel label) =>
        $"expected a class name or an index of 0 or more, found '{Excerpt.Of(label.Text)}'; where a class is called so, give a file of class names";

    private static IEnumerable<(string Path, ListRow Row, ListLabel Label)> All(IReadOnlyList<(string Path, List<ListRow> Rows)> lists) =>
        lists.SelectMany(l => l.Rows.SelectMany(r => r.Labels.Select(label => (l.Path, r, label))));
}

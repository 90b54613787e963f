namespace Kinora.Data;

/// <summary>What <see cref="DatasetDoctor"/> looks at.</summary>
public sealed record DoctorOptions
{
    /// <summary>T: frames that the network looks at; clips with fewer are reported.</summary>
    public int Frames { get; init; } = 8;

    /// <summary>Whether only a few frames of each clip are decoded; damage elsewhere then goes unseen.</summary>
    public bool Quick { get; init; }

    /// <summary>Clips read at a time; 0: one for each core.</summary>
    public int Workers { get; init; }

    internal void Validate()
    {
        if (Frames is < 1 or > 100_000 || Workers is < 0 or > 1024)
        {
            throw new ConfigException($"doctor: expected 1 to 100000 frames and 0 to 1024 workers, found {Frames} and {Workers}");
        }
    }
}

/// <summary>A data set to be examined, with the mistakes that showed when it was read.</summary>
/// <param name="Parts">Its parts, which share one label map; at least one.</param>
/// <param name="Problems">Mistakes of lists.</param>
public sealed record DoctorInput(IReadOnlyList<VideoDataset> Parts, IReadOnlyList<DatasetProblem> Problems)
{
    /// <summary>A data set that could be loaded; parts that were only held out count as the training part's.</summary>
    /// <param name="splits">The parts.</param>
    /// <returns>The input.</returns>
    public static DoctorInput Of(DatasetSplits splits)
    {
        ArgumentNullException.ThrowIfNull(splits);
        List<VideoSample> train = [.. splits.Train.Samples];
        var parts = new List<VideoDataset>();
        if (splits.ValidationHeldOut)
        {
            train.AddRange(splits.Validation.Samples);
        }
        else
        {
            parts.Add(splits.Validation);
        }

        if (splits.Test is { } test)
        {
            if (splits.TestHeldOut)
            {
                train.AddRange(test.Samples);
            }
            else
            {
                parts.Add(test);
            }
        }

        return new(
            [splits.Train with { Samples = train }, .. parts],
            [.. splits.EmptyClasses.Select(f => new DatasetProblem(ProblemKind.Classes, ProblemLevel.Note, $"folder '{Path.GetFileName(f)}': expected clips of a class, found none: it is no class", [new ProblemClip("", f, "")]))]);
    }

    /// <summary>Lists with whatever mistakes they have: the lines that can be understood become the parts.</summary>
    /// <param name="lists">Name of the part, and the list file.</param>
    /// <param name="options">Format, prefix, suffix and names.</param>
    /// <returns>The input.</returns>
    /// <exception cref="DatasetException">A file can't be read at all, or no line of any is right.</exception>
    public static DoctorInput OfLists(IReadOnlyList<(string Part, string Path)> lists, DatasetListOptions options)
    {
        ArgumentNullException.ThrowIfNull(lists);
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<DatasetProblem>();
        var read = new List<(string Path, List<ListRow> Rows)>();
        foreach ((string part, string path) in lists)
        {
            (List<ListRow> rows, List<(int Line, string Problem)> wrong, _) = ListFile.Read(path, options.Format, p => DatasetList.Resolve(path, p, options));
            problems.AddRange(wrong.Select(w => Line(part, path, w.Line, w.Problem)));
            problems.AddRange(rows.GroupBy(r => (r.Path, r.StartSeconds, r.EndSeconds)).Where(g => g.Count() > 1).Select(g =>
                Line(part, path, g.Last().Line, $"expected each clip once, found '{Excerpt.Of(g.Key.Path)}' in lines {string.Join(", ", g.Select(r => r.Line).Take(5))}")));
            read.Add((path, rows));
        }

        LabelMap labels = Labels(lists, read, options, problems);
        foreach ((string path, List<ListRow> rows) in read)
        {
            rows.RemoveAll(r => r.Labels.Any(l => ListLabels.Find(labels, l) < 0));
        }

        return read.Any(r => r.Rows.Count > 0)
            ? new([.. lists.Select((l, i) => new VideoDataset([.. read[i].Rows.Select(r => DatasetList.Sample(r, labels, DatasetList.Resolve(l.Path, r.Path, options)))], labels, l.Part))], problems)
            : throw new DatasetException($"read list: expected lines that can be understood, found none: {problems.FirstOrDefault()?.Message ?? "the list is empty"}", lists[0].Path);
    }

    private static LabelMap Labels(
        IReadOnlyList<(string Part, string Path)> lists, List<(string Path, List<ListRow> Rows)> read, DatasetListOptions options, List<DatasetProblem> problems)
    {
        if (options.LabelFile is { } file)
        {
            LabelMap named = DatasetList.ReadLabels(file);
            for (int i = 0; i < read.Count; i++)
            {
                foreach (ListRow row in read[i].Rows.Where(r => r.Labels.Any(l => ListLabels.Find(named, l) < 0)))
                {
                    ListLabel unknown = row.Labels.First(l => ListLabels.Find(named, l) < 0);
                    problems.Add(Line(lists[i].Part, read[i].Path, row.Line, $"expected one of the {named.Count} classes of {file}, found '{Excerpt.Of(unknown.Text)}'{NearestName.Suggestion(unknown.Text, named.Names)}"));
                }
            }

            return named;
        }

        for (int i = 0; i < read.Count; i++)
        {
            foreach (ListRow row in read[i].Rows.Where(r => r.Labels.Any(l => l.IsNegative)))
            {
                problems.Add(Line(lists[i].Part, read[i].Path, row.Line, ListLabels.Negative(row.Labels.First(l => l.IsNegative))));
            }

            read[i].Rows.RemoveAll(r => r.Labels.Any(l => l.IsNegative));
        }

        try
        {
            return ListLabels.Of(null, null, read);
        }
        catch (DatasetException e)
        {
            // Names and indices mixed: whoever has a name is kept.
            problems.Add(new DatasetProblem(ProblemKind.ListLine, ProblemLevel.Error, e.Message, []));
            return new LabelMap(read.SelectMany(r => r.Rows).SelectMany(r => r.Labels).Where(l => l.Index < 0).Select(l => l.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        }
    }

    private static DatasetProblem Line(string part, string list, int line, string problem) =>
        new(ProblemKind.ListLine, ProblemLevel.Error, $"line {line}: {problem}", [new ProblemClip(part, list, "")]);
}

namespace Kinora.Data;

/// <summary>
/// Examines a data set before hours are spent on it: every clip is decoded, classes are counted, and videos that occur twice
/// are found, also re-encoded or rescaled.
/// </summary>
public static class DatasetDoctor
{
    // Clips a class: fewer can't be divided, and differ too much from each other to learn from.
    private const int FewClips = 2;
    private const double Unbalanced = 10;

    /// <summary>Examines a data set.</summary>
    /// <param name="input">The data set.</param>
    /// <param name="options">What to look at; null: the defaults.</param>
    /// <param name="progress">Hears how many clips of how many are done, on any thread.</param>
    /// <param name="ct">Stops between frames.</param>
    /// <returns>What was found; the same for any number of workers.</returns>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static DatasetReport Examine(DoctorInput input, DoctorOptions? options = null, Action<int, int>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        options ??= new DoctorOptions();
        options.Validate();
        int workers = options.Workers > 0 ? options.Workers : Environment.ProcessorCount;
        (int Part, VideoSample Sample)[] all = [.. input.Parts.SelectMany((part, p) => part.Samples.Select(s => (p, s)))];
        var clips = new InspectedClip[all.Length];
        int done = 0;
        Parallel.For(0, all.Length, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = ct }, i =>
        {
            clips[i] = InspectedClip.Read(all[i].Part, all[i].Sample, options, ct);
            progress?.Invoke(Interlocked.Increment(ref done), all.Length);
        });

        var problems = new List<DatasetProblem>(input.Problems);
        foreach (InspectedClip clip in clips)
        {
            problems.AddRange(clip.Problems.Select(p => new DatasetProblem(p.Kind, p.Level, p.Message, [Clip(input, clip)])));
        }

        problems.AddRange(Classes(input));
        problems.AddRange(Duplicates(input, clips, workers, ct));
        problems.AddRange(Groups(input));
        return new DatasetReport(
            input.Parts[0].Labels.Names,
            [.. input.Parts.Select((part, p) => Figures(part, [.. clips.Where(c => c.Part == p)]))],
            [.. problems.OrderByDescending(p => p.Level).ThenBy(p => p.Kind)]);
    }

    private static ProblemClip Clip(DoctorInput input, InspectedClip clip)
    {
        VideoDataset part = input.Parts[clip.Part];
        return new ProblemClip(part.Name, clip.Sample.Identity, string.Join(", ", clip.Sample.Labels.Select(l => part.Labels[l])));
    }

    private static IEnumerable<DatasetProblem> Classes(DoctorInput input)
    {
        LabelMap labels = input.Parts[0].Labels;
        int[][] counts = [.. input.Parts.Select(p => p.CountPerClass())];
        for (int c = 0; c < labels.Count; c++)
        {
            int taught = counts[0][c], all = counts.Sum(n => n[c]);
            if (taught == 0)
            {
                string gap = labels[c] == $"class {c}" ? $"class {c}: expected every index from 0 to {labels.Count - 1} in use" : $"class '{labels[c]}': expected clips in {input.Parts[0].Name}";
                yield return new(ProblemKind.Classes, all > 0 ? ProblemLevel.Error : ProblemLevel.Warning, $"{gap}, found none{(all > 0 ? $", though {all} elsewhere" : "")}", []);
            }
            else if (taught < FewClips)
            {
                yield return new(ProblemKind.Classes, ProblemLevel.Warning, $"class '{labels[c]}': expected several clips in {input.Parts[0].Name}, found {taught}", []);
            }

            for (int p = 1; p < counts.Length; p++)
            {
                if (counts[p][c] == 0 && taught > 0 && input.Parts[p].Samples.Count > 0)
                {
                    yield return new(ProblemKind.Classes, ProblemLevel.Note, $"class '{labels[c]}': no clips in {input.Parts[p].Name}", []);
                }
            }
        }

        int[] present = [.. counts[0].Where(n => n > 0)];
        if (present.Length > 1 && present.Max() >= Unbalanced * present.Min())
        {
            int most = Array.IndexOf(counts[0], present.Max()), fewest = Array.IndexOf(counts[0], present.Min());
            yield return new(ProblemKind.Balance, ProblemLevel.Warning,
                $"{input.Parts[0].Name}: '{labels[most]}' has {counts[0][most]} clips, '{labels[fewest]}' {counts[0][fewest]}: weigh classes, or look at per-class accuracy", []);
        }
    }

    private static IEnumerable<DatasetProblem> Duplicates(DoctorInput input, InspectedClip[] clips, int workers, CancellationToken ct)
    {
        foreach (List<int> group in DuplicateSearch.Find([.. clips.Select(c => c.Signature)], workers, ct))
        {
            InspectedClip[] same = [.. group.Select(i => clips[i])];
            bool across = same.Select(c => c.Part).Distinct().Count() > 1;
            bool labels = same.Skip(1).Any(c => !c.Sample.Labels.SequenceEqual(same[0].Sample.Labels));
            string what = labels ? $"{same.Length} clips show the same video under different labels" : $"{same.Length} clips show the same video";
            yield return new(
                across ? ProblemKind.DuplicateAcrossParts : ProblemKind.Duplicate,
                across || labels ? ProblemLevel.Error : ProblemLevel.Warning,
                across ? $"{what}, in {string.Join(" and ", same.Select(c => input.Parts[c.Part].Name).Distinct())}: what is learned by heart counts as recognised" : what,
                [.. same.Select(c => Clip(input, c))]);
        }
    }

    private static IEnumerable<DatasetProblem> Groups(DoctorInput input)
    {
        IReadOnlyList<string?> groups = SourceGroups.Of([.. input.Parts.SelectMany(p => p.Samples)]);
        int at = 0;
        var parts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (VideoDataset part in input.Parts)
        {
            foreach (VideoSample sample in part.Samples)
            {
                if (groups[at++] is { } group)
                {
                    List<string> where = parts.TryGetValue(group, out List<string>? known) ? known : parts[group] = [];
                    if (!where.Contains(part.Name))
                    {
                        where.Add(part.Name);
                    }
                }
            }
        }

        string[] shared = [.. parts.Where(g => g.Value.Count > 1).Select(g => $"'{g.Key}' ({string.Join(", ", g.Value)})")];
        if (shared.Length > 0)
        {
            yield return new(ProblemKind.SharedGroup, ProblemLevel.Warning,
                $"expected every person or recording in one part, found {shared.Length} of {parts.Count} in several, such as {string.Join(", ", shared.Take(3))}; 'kinora data list' divides by groups", []);
        }
    }

    private static PartFigures Figures(VideoDataset part, InspectedClip[] clips)
    {
        int[] frames = [.. clips.Where(c => c.Frames > 0).Select(c => c.Frames).Order()];
        return new PartFigures(
            part.Name, clips.Length, clips.Count(c => !c.IsWhole), part.CountPerClass(),
            frames.Length == 0 ? default : new FrameRange(frames[0], frames[frames.Length / 2], frames[^1]),
            clips.Where(c => c.FramesPerSecond > 0).Sum(c => c.Frames / c.FramesPerSecond),
            [.. clips.Where(c => c.Frames > 0).GroupBy(c => (c.Width, c.Height)).Select(g => new SizeCount(g.Key.Width, g.Key.Height, g.Count())).OrderByDescending(s => s.Clips).ThenBy(s => s.Width).ThenBy(s => s.Height)]);
    }
}

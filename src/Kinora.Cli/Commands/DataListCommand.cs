using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Kinora.Cli.Terminal;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora data list</c>: writes a data set as list files and divides it.</summary>
internal static partial class DataListCommand
{
    public static Command Create(Output output)
    {
        DataInput input = new();
        Argument<DirectoryInfo> folder = new("out") { Description = "The folder for the lists and classes.txt." };
        Option<double> validation = new("--val") { Description = "Share of every class for validation.", DefaultValueFactory = _ => 0.1 };
        Option<double> test = new("--test") { Description = "Share of every class for the test.", DefaultValueFactory = _ => 0.1 };
        Option<int?> folds = new("--folds") { Description = "Cross-validation instead: fold1_train, fold1_val, fold2_train …" };
        Option<string?> group = new("--group") { Description = "Clips of one group stay together: a regular expression for the path, whose captures name the group.", HelpName = "regex" };
        Option<string> groupBy = new("--group-by") { Description = "auto: guess from file names (UCF101's _g01_ and others); parent: the folder that holds the clip; none.", DefaultValueFactory = _ => "auto" };
        groupBy.AcceptOnlyFromAmong("auto", "parent", "none");
        Option<bool> merge = new("--merge") { Description = "Divide anew what is divided already into train, val and test." };
        Option<ulong> seed = new("--seed") { Description = "Seed of the division.", DefaultValueFactory = _ => 0 };
        Option<string> format = new("--format") { Description = "text (PaddleVideo's), csv or jsonl.", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("text", "csv", "jsonl");
        Option<string> paths = new("--paths") { Description = "Paths in the lists: from the lists' folder (list), from the source (source), or absolute.", DefaultValueFactory = _ => "list" };
        paths.AcceptOnlyFromAmong("list", "source", "absolute");
        Command command = new ExampleCommand(
            "list",
            "Writes a data set as list files, divided so that every part has its share of each class and no person or recording\nis in two of them. The same seed gives the same lists.",
            "data list my-clips/ lists/", "data list my-clips/ lists/ --folds 5 --group 'person(\\d+)'", "data list ucf/ lists/ --val 0.2 --test 0 --format text")
        {
            validation, test, folds, group, groupBy, merge, seed, format, paths,
        };
        input.AddTo(command);
        command.Add(folder);
        command.SetAction((parsed, _) =>
        {
            (DatasetSplits splits, string root) = input.Load(parsed);
            string target = Path.GetFullPath(parsed.GetValue(folder)!.ToString());
            double[] shares = [parsed.GetValue(validation), parsed.GetValue(test)];
            if (shares.Any(s => s is not (>= 0 and < 1)) || shares.Sum() >= 1)
            {
                throw new ConfigException(FormattableString.Invariant($"data list: expected shares of 0 or more that leave something for training, found --val {shares[0]} and --test {shares[1]}"));
            }

            bool divided = !splits.ValidationHeldOut || (splits.Test is not null && !splits.TestHeldOut);
            bool anew = parsed.GetValue(merge) || parsed.GetValue(folds) is not null;
            VideoDataset whole = anew ? new([.. splits.Train.Samples, .. splits.Validation.Samples, .. splits.Test?.Samples ?? []], splits.Train.Labels, "train") : splits.Train;
            (IReadOnlyList<string?> groups, string rule) = Groups(whole, root, parsed.GetValue(group), parsed.GetValue(groupBy)!);
            whole = whole with { Samples = [.. whole.Samples.Select((s, i) => groups[i] is { } name ? s with { Group = name } : s)] };

            var lists = new List<VideoDataset>();
            if (parsed.GetValue(folds) is { } count)
            {
                if (count < 2)
                {
                    throw new ConfigException($"data list: expected 2 folds or more, found {count}");
                }

                foreach ((VideoDataset train, VideoDataset heldOut) in GroupedSplit.Folds(whole, groups, count, parsed.GetValue(seed)))
                {
                    int number = (lists.Count / 2) + 1;
                    lists.Add(train with { Name = $"fold{number}_train" });
                    lists.Add(heldOut with { Name = $"fold{number}_val" });
                }
            }
            else
            {
                bool keepValidation = divided && !anew && !splits.ValidationHeldOut, keepTest = divided && !anew && splits.Test is not null;
                (VideoDataset kept, IReadOnlyList<VideoDataset> parts) = GroupedSplit.HoldOut(
                    whole, groups, [(keepTest ? 0 : shares[1], "test"), (keepValidation ? 0 : shares[0], "val")], parsed.GetValue(seed));
                lists.Add(kept with { Name = "train" });
                lists.Add(keepValidation ? splits.Validation : parts[1]);
                lists.Add(keepTest ? splits.Test! : parts[0]);
                lists.RemoveAll(l => l.Samples.Count == 0);
            }

            foreach ((string stale, string now) in Stale(lists, target, root, Extension(parsed.GetValue(format)!)))
            {
                if (input.Lists(parsed).Any(l => Path.GetFullPath(l.Path) == stale))
                {
                    throw new DatasetException($"data list: expected another folder for the lists than that of the input, whose clips {now} would hold too", stale);
                }

                File.Delete(stale);
                output.Note($"removed {stale} of an earlier division: clips of it are in {now} now");
            }

            Write(lists, target, root, parsed.GetValue(format)!, parsed.GetValue(paths)!);
            Print(output, lists, rule, groups);
            output.Out.WriteLine($"{target}: {string.Join(", ", lists.Select(l => l.Name + Extension(parsed.GetValue(format)!)))}, classes.txt");
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static string Extension(string format) => format switch { "text" => ".list", "csv" => ".csv", _ => ".jsonl" };

    private static (IReadOnlyList<string?> Groups, string Rule) Groups(VideoDataset set, string root, string? expression, string by)
    {
        string[] paths = [.. set.Samples.Select(s => Path.GetRelativePath(root, s.Path).Replace(Path.DirectorySeparatorChar, '/'))];
        if (expression is not null)
        {
            return (SourceGroups.ByPattern(paths, expression), $"'{expression}'");
        }

        switch (by)
        {
            case "parent":
                string[] parents = [.. paths.Select(p => Path.GetFileName(Path.GetDirectoryName(p)) ?? "")];
                return parents.Zip(set.Samples).GroupBy(p => p.First).All(g => g.Select(p => p.Second.Label).Distinct().Count() == 1)
                    && parents.Distinct().Count() <= set.Labels.Count
                    ? throw new DatasetException("data list: --group-by parent: expected folders of persons or recordings around the clips, found the class folders: a class would be in one part only; use --group", root)
                    : (parents, "the parent folder");
            case "auto" when set.Samples.Any(s => s.Group is not null):
                return ([.. set.Samples.Select(s => s.Group)], "the list's own column");
            case "auto" when SourceGroups.Guess(paths) is { Rule: { } rule } guessed:
                return (guessed.Groups, rule);
            default:
                return (new string?[paths.Length], "none");
        }
    }

    // Parts of an earlier division that this one doesn't replace. Those that share clips with the new lists would be
    // evaluated on what was learned; others, such as a test part that was put aside before, stay.
    private static IEnumerable<(string Path, string Now)> Stale(List<VideoDataset> lists, string target, string root, string extension)
    {
        if (!Directory.Exists(target))
        {
            yield break;
        }

        Dictionary<string, string> where = [];
        foreach (VideoDataset list in lists)
        {
            foreach (VideoSample sample in list.Samples)
            {
                where[Path.GetFullPath(sample.Path)] = list.Name + extension;
            }
        }

        foreach (string file in Directory.GetFiles(target, "*" + extension).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            bool fold = lists[0].Name.StartsWith("fold", StringComparison.Ordinal);
            bool ours = fold ? FoldName().IsMatch(name) : name is "train" or "val" or "test";
            if (ours && lists.All(l => l.Name != name) && Clips(file, target, root).FirstOrDefault(where.ContainsKey) is { } shared)
            {
                yield return (file, where[shared]);
            }
        }
    }

    // Nothing where it is no list, or one of videos that are gone.
    private static string[] Clips(string list, string target, string root)
    {
        foreach (string prefix in new[] { target, root })
        {
            try
            {
                return [.. DatasetList.Load(list, new DatasetListOptions { Prefix = prefix }).Samples.Select(s => Path.GetFullPath(s.Path))];
            }
            catch (DatasetException)
            {
                // Its paths begin elsewhere.
            }
        }

        return [];
    }

    [GeneratedRegex("^fold[0-9]+_(train|val)$")]
    private static partial Regex FoldName();

    private static void Write(List<VideoDataset> lists, string target, string root, string format, string paths)
    {
        foreach (VideoDataset list in lists)
        {
            VideoDataset rows = paths == "absolute" ? list with { Samples = [.. list.Samples.Select(s => s with { Path = Path.GetFullPath(s.Path) })] } : list;
            DatasetListFormat written = format switch
            {
                "csv" => DatasetListFormat.Csv,
                "jsonl" => DatasetListFormat.JsonLines,
                _ => list.Samples.Count > 0 && Directory.Exists(list.Samples[0].Path) ? DatasetListFormat.Frames : DatasetListFormat.Videos,
            };
            DatasetListWriter.Write(Path.Combine(target, list.Name + Extension(format)), rows, written, paths switch { "list" => target, "source" => root, _ => null });
        }

        DatasetListWriter.WriteLabels(Path.Combine(target, "classes.txt"), lists[0].Labels);
    }

    private static void Print(Output output, List<VideoDataset> lists, string rule, IReadOnlyList<string?> groups)
    {
        const int most = 40;
        LabelMap labels = lists[0].Labels;
        int[][] counts = [.. lists.Select(l => l.CountPerClass())];
        int width = Math.Max(5, labels.Names.Take(most).Max(n => n.Length)), column = Math.Max(7, lists.Max(l => l.Name.Length));
        output.Out.WriteLine(Row("class", lists.Select(l => l.Name)));
        for (int c = 0; c < Math.Min(labels.Count, most); c++)
        {
            output.Out.WriteLine(Row(labels[c], counts.Select(n => n[c].ToString(CultureInfo.InvariantCulture))));
        }

        if (labels.Count > most)
        {
            output.Out.WriteLine($"… and {labels.Count - most} more classes");
        }

        output.Out.WriteLine(Row("clips", lists.Select(l => l.Samples.Count.ToString(CultureInfo.InvariantCulture))));
        int distinct = groups.Where(g => g is not null).Distinct(StringComparer.Ordinal).Count();
        output.Out.WriteLine(distinct > 0
            ? $"groups: {distinct}, by {rule}; none is in two parts that were divided here"
            : "groups: none known: clips of one person or recording may be in several parts; --group keeps them together");
        output.Out.WriteLine();

        string Row(string name, IEnumerable<string> cells) => $"{name.PadRight(width)}  {string.Join("  ", cells.Select(c => c.PadLeft(column)))}".TrimEnd();
    }
}

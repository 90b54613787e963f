using System.CommandLine;
using Kinora.Data;

namespace Kinora.Cli.Commands;

/// <summary>The argument and options by which the data commands take a data set: a folder, lists, or a pack.</summary>
internal sealed class DataInput
{
    private readonly Argument<string> _source = new("src") { Description = "A folder of class folders (optionally below train/, val/, test/), a list file (text, .csv, .jsonl), or a pack." };
    private readonly Option<string?> _validation = new("--val-list") { Description = "A list: the list of the validation part.", HelpName = "file" };
    private readonly Option<string?> _test = new("--test-list") { Description = "A list: the list of the test part.", HelpName = "file" };
    private readonly Option<string?> _prefix = new("--prefix") { Description = "A list: the folder that its paths start from [default: the list's].", HelpName = "folder" };
    private readonly Option<string> _suffix = new("--suffix") { Description = "A list: what to append to its paths, such as .avi.", HelpName = "text", DefaultValueFactory = _ => "" };
    private readonly Option<string?> _labels = new("--labels") { Description = "A list: the file of class names.", HelpName = "file" };

    /// <summary>Adds the argument and options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(Command command)
    {
        command.Add(_source);
        foreach (Option option in new Option[] { _validation, _test, _prefix, _suffix, _labels })
        {
            command.Add(option);
        }
    }

    /// <summary>The name that the user gave.</summary>
    public string Name(ParseResult parsed) => parsed.GetValue(_source)!;

    /// <summary>How lists are to be read.</summary>
    public DatasetListOptions ListOptions(ParseResult parsed) =>
        new() { Prefix = parsed.GetValue(_prefix), Suffix = parsed.GetValue(_suffix)!, LabelFile = parsed.GetValue(_labels) };

    /// <summary>The lists that the user gave, the training one first; none for a folder or pack.</summary>
    public IReadOnlyList<(string Part, string Path)> Lists(ParseResult parsed)
    {
        string source = Name(parsed);
        (string? validation, string? test) = (parsed.GetValue(_validation), parsed.GetValue(_test));
        if (Directory.Exists(source))
        {
            string? list = validation ?? test ?? parsed.GetValue(_prefix) ?? parsed.GetValue(_labels);
            return list is null ? [] : throw new ConfigException($"data: '{list}' goes with lists, found a folder; leave it out, or name a list first", source);
        }

        if (!File.Exists(source))
        {
            throw new DatasetException("load data set: expected a folder, a list or a pack, found nothing; check the name", source);
        }

        List<(string, string)> lists = [("train", source)];
        if (validation is not null)
        {
            lists.Add(("val", validation));
        }

        if (test is not null)
        {
            lists.Add(("test", test));
        }

        return lists;
    }

    /// <summary>Reads the data set; parts that don't exist aren't held out from the others.</summary>
    /// <param name="parsed">The command line.</param>
    /// <returns>The parts, and the folder from which clips are named.</returns>
    public (DatasetSplits Splits, string Root) Load(ParseResult parsed)
    {
        IReadOnlyList<(string Part, string Path)> lists = Lists(parsed);
        if (lists.Count == 0)
        {
            string folder = Path.GetFullPath(Name(parsed));
            return (DatasetFolder.Load(folder, new DatasetFolderOptions { ValidationShare = 0, TestShare = 0 }), folder);
        }

        DatasetListOptions options = ListOptions(parsed);
        string root = Path.GetFullPath(options.Prefix ?? Path.GetDirectoryName(Path.GetFullPath(lists[0].Path))!);
        if (lists.Count == 1)
        {
            VideoDataset whole = DatasetList.Load(lists[0].Path, options);
            return (new DatasetSplits(whole, whole with { Samples = [], Name = "val" }, null) { ValidationHeldOut = true }, root);
        }

        string? Of(string part) => lists.FirstOrDefault(l => l.Part == part).Path;
        return Of("val") is { } validation
            ? (DatasetList.LoadSplits(lists[0].Path, validation, Of("test"), options), root)
            : throw new ConfigException("--test-list: expected --val-list beside it, found none");
    }
}

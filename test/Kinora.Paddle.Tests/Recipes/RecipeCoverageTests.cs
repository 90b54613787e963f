using System.Globalization;
using Kinora.Testing;
using Kinora.Training;
using YamlDotNet.RepresentationModel;

namespace Kinora.Paddle.Tests;

/// <summary>No key of a recipe is dropped silently: whatever a value becomes, something shows it.</summary>
public sealed class RecipeCoverageTests
{
    // Sections that are listed as a whole: what is below them is listed with them. A remark about another section is about that section only.
    private static readonly string[] Wholes = ["INFERENCE", "METRIC", "MULTIGRID", "Val", "RandomCrop", "RandomFlip"];

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(SharedData.Checkout, "test/recipes");

    [Theory]
    [MemberData(nameof(Files))]
    public void Parse_EveryKeyWithAnAbsurdValue_ChangesTheConfigOrIsListedOrRefused(string file)
    {
        (string yaml, PaddleTraining whole, YamlNode root) = Read(file);
        string expected = Text(whole);
        var silent = new List<string>();
        int tried = 0;
        foreach ((string key, YamlScalarNode value) in Scalars(root, ""))
        {
            if (IsListed(whole, key))
            {
                continue;
            }

            foreach (string absurd in Absurd(value.Value!))
            {
                tried++;
                string changed = $"{yaml[..(int)value.Start.Index]}{absurd}{yaml[(int)value.End.Index..]}";
                if (Outcome(changed) == expected)
                {
                    silent.Add($"{key}: {value.Value} → {absurd}");
                }
            }
        }

        Assert.InRange(tried, 10, 1000);
        Assert.True(silent.Count == 0, string.Join("; ", silent));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Parse_AnUnknownKeyInEveryMapping_IsListedOrRefused(string file)
    {
        (string yaml, PaddleTraining whole, YamlNode root) = Read(file);
        string expected = Text(whole);
        var silent = new List<string>();
        foreach ((string key, YamlMappingNode map) in Mappings(root, "").Where(m => !IsListed(whole, m.Key)))
        {
            // Before the first key, in braces or in a line of its own.
            YamlNode first = map.Children.First().Key;
            string added = map.Style == YamlDotNet.Core.Events.MappingStyle.Flow ? "absurd_key: 1, " : $"absurd_key: 1\n{new string(' ', (int)first.Start.Column - 1)}";
            if (Outcome(yaml.Insert((int)first.Start.Index, added)) == expected)
            {
                silent.Add(key);
            }
        }

        Assert.True(silent.Count == 0, string.Join("; ", silent));
    }

    private static (string Yaml, PaddleTraining Whole, YamlNode Root) Read(string file)
    {
        string yaml = File.ReadAllText(Path.Combine(Folder, file));
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return (yaml, PaddleTraining.Parse(yaml), stream.Documents[0].RootNode);
    }

    // Itself, or a section above it as a whole.
    private static bool IsListed(PaddleTraining training, string key) => training.Ignored.Any(i =>
        key == i.Key || (Wholes.Contains(i.Key.Split('.')[^1]) && (key.StartsWith(i.Key + ".", StringComparison.Ordinal) || key.StartsWith(i.Key + "[", StringComparison.Ordinal))));

    private static string Outcome(string yaml)
    {
        try
        {
            return Text(PaddleTraining.Parse(yaml));
        }
        catch (ConfigException)
        {
            return "refused";
        }
    }

    private static string Text(PaddleTraining training) =>
        $"{ConfigYaml.Write(training.Config)}{training.ResumeEpoch}\n{string.Join('\n', training.Ignored.Select(i => $"{i.Key}: {i.Reason}"))}";

    // Another value of the same kind, and one of another kind.
    private static IEnumerable<string> Absurd(string value)
    {
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            return [((number * 3) + 1).ToString(CultureInfo.InvariantCulture), "absurd"];
        }

        return value switch
        {
            "True" => ["False", "absurd"],
            "False" => ["True", "absurd"],
            _ => ["absurd", "12345"],
        };
    }

    private static IEnumerable<(string Key, YamlMappingNode Map)> Mappings(YamlNode node, string key) => node switch
    {
        YamlMappingNode map => [(key, map), .. map.Children.SelectMany(c => Mappings(c.Value, key.Length == 0 ? $"{c.Key}" : $"{key}.{c.Key}"))],
        YamlSequenceNode list => list.Children.SelectMany((c, i) => Mappings(c, $"{key}[{i}]")),
        _ => [],
    };

    private static IEnumerable<(string Key, YamlScalarNode Value)> Scalars(YamlNode node, string key) => node switch
    {
        YamlMappingNode map => map.Children.SelectMany(c => Scalars(c.Value, key.Length == 0 ? $"{c.Key}" : $"{key}.{c.Key}")),
        YamlSequenceNode list => list.Children.SelectMany((c, i) => Scalars(c, $"{key}[{i}]")),
        YamlScalarNode { Value: { Length: > 0 } } scalar => [(key, scalar)],
        _ => [],
    };
}

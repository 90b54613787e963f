using System.Globalization;
using Kinora.Models;

namespace Kinora.Paddle.Tests.Loading;

/// <summary>Every network of the catalogue that PaddleVideo has too, under each of the names that its files come with.</summary>
public sealed class PaddleNamingTests
{
    private const int Classes = 7;

    public static TheoryData<string> Networks() => Entries(PaddleNames.Supports);

    public static TheoryData<string> ResNets() => Entries(network => PaddleNames.Supports(network) && Blocks(Full(network)).Length > 0);

    [Theory]
    [MemberData(nameof(Networks))]
    public void Compare_EveryStyle_MeetsEveryTensor(string name)
    {
        using VideoNetwork network = Blank(name);
        (string Name, long[] Shape)[] full = Full(network);
        Fits("as they are", full);
        Fits("below model.", Renamed(n => "model." + n));
        Fits("below Student., below 0. and 1.", Renamed(n => "Student." + Numbered(n)));
        Fits("below Teacher., below 0. and 1.", Renamed(n => "Teacher." + Numbered(n)));
        Fits("below 0. and 1.", Renamed(Numbered));

        (string Name, long[] Shape)[] backbone = [.. full.Where(t => t.Name.StartsWith("backbone.", StringComparison.Ordinal)).Select(t => (t.Name["backbone.".Length..], t.Shape))];
        LoadReport report = Compare(network, [.. backbone, ("out.bias.of.nothing", [3])], new LoadRules { AllowMissing = ["*"], AllowUnused = ["out.*"] });
        Assert.Equal("without backbone.", report.Style);
        Assert.Equal(backbone.Length, report.Matched.Count + report.Unused.Count(t => t.Note!.Contains("without using it", StringComparison.Ordinal)));
        Assert.All(report.Missing, t => Assert.StartsWith("head.", t.Name, StringComparison.Ordinal));

        (string, long[])[] Renamed(Func<string, string> rename) => [.. full.Select(t => (rename(t.Name), t.Shape))];

        static string Numbered(string n) => n.Replace("backbone.", "0.", StringComparison.Ordinal).Replace("head.", "1.", StringComparison.Ordinal);

        void Fits(string style, (string Name, long[] Shape)[] tensors)
        {
            LoadReport found = Compare(network, tensors, LoadRules.Strict);
            Assert.True(found.Fits, found.ToText());
            Assert.Equal(("PaddleVideo", style), (found.Family, found.Style));
            Assert.Equal(network.StateDict().Count(), found.Matched.Count);
        }
    }

    [Fact]
    public void Compare_DistilledPair_StudentIsLoadedAndTheTeacherSaidToBeBeside()
    {
        using VideoNetwork student = ModelCatalog.CreateBlank("pptsmv2_lta", new ModelOptions(Classes));
        (string, long[])[] pair =
        [
            ("Teacher.0.conv1_1._conv.weight", [32, 3, 3, 3]),
            ("Teacher.1.fc.weight", [2048, Classes]),
            .. Full(student).Select(t => (t.Name.Replace("backbone.", "Student.0.", StringComparison.Ordinal), t.Shape)),
        ];
        LoadReport report = Compare(student, pair, LoadRules.Strict);
        Assert.True(report.Fits, report.ToText());
        Assert.Equal(["isn't below Student., below 0. and 1."], report.Unused.Where(t => t.Name.StartsWith("Teacher", StringComparison.Ordinal)).Select(t => t.Note!).Distinct());

        IReadOnlyList<ArchitectureMatch> found = ArchitectureFinder.Find(new NamedShapes(pair), PaddleNaming.For, LoadRules.Strict);
        Assert.Equal(("pptsmv2_lta", Classes, 16), (Assert.Single(found).Entry.Name, found[0].Options.Classes, found[0].Options.Frames));
    }

    [Theory]
    [MemberData(nameof(ResNets))]
    public void Compare_NewerNamesOfPaddleClas_MeetsEveryTensorOfAResNet(string name)
    {
        using VideoNetwork network = Blank(name);
        (string Name, long[] Shape)[] full = Full(network);
        string[] blocks = Blocks(full);
        (string Name, long[] Shape)[] renamed =
        [
            .. full.Where(t => t.Name.StartsWith("backbone.", StringComparison.Ordinal)).Select(t => (Rename(t.Name.Split('.')), t.Shape)),
            ("fc.weight", [2048, 1000]),
            ("fc.bias", [1000]),
        ];

        LoadReport report = Compare(network, renamed, new LoadRules { AllowMissing = ["head.*"] });
        Assert.True(report.Fits, report.ToText());
        Assert.Equal("of PaddleClas's newer ResNets", report.Style);
        Assert.Equal(renamed.Length - 2, report.Matched.Count);
        Assert.All(report.Unused, t => Assert.Equal("a classifier of another data set", t.Note));

        string Rename(string[] parts)
        {
            string rest = string.Join('.', parts[2..]).Replace("_conv.", "conv.", StringComparison.Ordinal).Replace("_batch_norm.", "bn.", StringComparison.Ordinal);
            return IsBlock(parts[1])
                ? $"blocks.{Array.IndexOf(blocks, parts[1])}.{rest}"
                : $"stem.{(parts[1] == "conv" ? 0 : int.Parse(parts[1]["conv1_".Length..], CultureInfo.InvariantCulture) - 1)}.{rest}";
        }
    }

    [Fact]
    public void Find_Backbone_AsksForTheClassesAndThenFindsIt()
    {
        using VideoNetwork network = Blank("tsn_r18");
        (string, long[])[] backbone = [.. Full(network).Where(t => !t.Name.StartsWith("head.", StringComparison.Ordinal)).Select(t => (t.Name["backbone.".Length..], t.Shape))];
        var rules = new LoadRules { AllowMissing = ["head.*"] };
        var e = Assert.Throws<CheckpointException>(() => ArchitectureFinder.Find(new NamedShapes(backbone), PaddleNaming.For, rules));
        Assert.Contains("expected a classifier", e.Message, StringComparison.Ordinal);
        Assert.Contains(ArchitectureFinder.Find(new NamedShapes(backbone), PaddleNaming.For, rules, classes: 12), m => (m.Entry.Name, m.Options.Classes) == ("tsn_r18", 12));
    }

    [Fact]
    public void Find_NothingOfTheCatalogue_NamesTheNearest()
    {
        using VideoNetwork network = Blank("pptsmv2");
        NamedShapes strangers = new(Full(network).Select((t, i) => ($"encoder.part{i}", t.Shape)));
        var e = Assert.Throws<CheckpointException>(() => ArchitectureFinder.Find(strangers, PaddleNaming.For, LoadRules.Strict));
        Assert.Contains("nearest is pptsmv2", e.Message, StringComparison.Ordinal);
        Assert.Contains("none of its names", e.Message, StringComparison.Ordinal);

        NamedShapes half = new(Full(network).Where((_, i) => i % 2 == 0));
        e = Assert.Throws<CheckpointException>(() => ArchitectureFinder.Find(half, PaddleNaming.For, LoadRules.Strict));
        Assert.Matches("nearest is pptsmv2(_lta)?, with [0-9]+ of the file's", e.Message);
    }

    private static TheoryData<string> Entries(Predicate<VideoNetwork> wanted)
    {
        var names = new TheoryData<string>();
        foreach (ModelEntry entry in ModelCatalog.Entries)
        {
            using VideoNetwork network = Blank(entry.Name);
            if (wanted(network))
            {
                names.Add(entry.Name);
            }
        }

        return names;
    }

    private static bool IsBlock(string part) => part.StartsWith("res", StringComparison.Ordinal) || part.StartsWith("bb_", StringComparison.Ordinal);

    private static string[] Blocks((string Name, long[] Shape)[] full) =>
        [.. full.Select(t => t.Name.Split('.')).Where(p => p.Length > 3 && p[2] is "conv0" && IsBlock(p[1])).Select(p => p[1]).Distinct()];

    private static VideoNetwork Blank(string name) => ModelCatalog.CreateBlank(name, new ModelOptions(Classes));

    private static (string Name, long[] Shape)[] Full(VideoNetwork network) => [.. PaddleNames.For(network).Tensors.Select(t => (t.Paddle, t.Shape.ToArray()))];

    private static LoadReport Compare(VideoNetwork network, (string Name, long[] Shape)[] tensors, LoadRules rules) =>
        WeightLoader.Compare(network, new NamedShapes(tensors), PaddleNaming.For, rules);
}

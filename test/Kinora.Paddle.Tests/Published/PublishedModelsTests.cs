using Kinora.Models;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>The list of published files against recipes, the seeds' tables and Kinora's networks.</summary>
public sealed class PublishedModelsTests
{
    // One recipe of each network: building the larger ones takes seconds.
    public static TheoryData<string, string, int> Recipes
    {
        get
        {
            var rows = new TheoryData<string, string, int>();
            foreach (PublishedModel entry in WithRecipe.DistinctBy(e => e.Architecture))
            {
                rows.Add(entry.Recipe!, entry.Architecture, entry.Options!.Classes);
            }

            return rows;
        }
    }

    private static IEnumerable<PublishedModel> WithRecipe => PublishedModels.Entries.Where(e => e.Recipe is not null);

    [Fact]
    public void Entries_NamesFilesAndAddresses_AreAllDistinct()
    {
        IReadOnlyList<PublishedModel> entries = PublishedModels.Entries;
        Assert.Distinct(entries.Select(e => e.Name));
        Assert.Distinct(entries.Select(e => e.Url));
        Assert.All(entries, e =>
        {
            Assert.Equal((Uri.UriSchemeHttps, ".pdparams"), (e.Url.Scheme, Path.GetExtension(e.FileName)));
            Assert.Matches("^[a-z0-9_]+$", e.Name);
            Assert.Equal(e.Use == PublishedUse.Classifier, e.Options is not null);
            e.Options?.Validate();
        });
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Entry_ItsRecipe_BuildsItsNetwork(string recipe, string architecture, int classes)
    {
        PaddleModel model = ModelOf(recipe);
        Assert.SkipUnless(PaddleArchitectures.Names.Contains(model.Backbone), $"not supported yet: {model.Backbone}");
        using VideoNetwork network = PaddleArchitectures.Create(model);
        Assert.Equal((architecture, classes), (network.Name, network.Classes));
        Assert.Equal(architecture, ModelCatalog.Find(architecture).Name);
    }

    [Fact]
    public void Entries_OfOneNetwork_HaveRecipesForTheSameBackbone()
    {
        foreach (IGrouping<string, PublishedModel> network in WithRecipe.GroupBy(e => e.Architecture))
        {
            Assert.Single(network.Select(e => ModelOf(e.Recipe!)).Select(m => (m.Backbone, m.BackboneArguments.GetValueOrDefault("depth"), m.BackboneArguments.GetValueOrDefault("use_temporal_att"))).Distinct());
        }
    }

    [Fact]
    public void Entries_EveryAddressOfTheSeeds_IsListed()
    {
        string[] listed = [.. PublishedModels.Entries.Select(e => e.Url.AbsoluteUri)];
        string[] given = [.. SharedData.Files("seeds", "*.txt")
            .SelectMany(f => System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(f), @"https?://[^\s)""|]+\.pdparams").Select(m => m.Value)).Distinct()];
        Assert.SkipWhen(given.Length == 0, "no reference material");
        Assert.Empty(given.Except(listed));
    }

    [Fact]
    public void Find_Misspelt_SuggestsTheNearest()
    {
        ConfigException e = Assert.Throws<ConfigException>(() => PublishedModels.Find("tsm_k40"));
        Assert.Contains("did you mean 'tsm_k400'?", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://mirror.example/", "http://mirror.example/videotag.bj.bcebos.com/PaddleVideo/SlowFast/SlowFast_8*8.pdparams")]
    [InlineData("https://mirror.example:8443/weights", "https://mirror.example:8443/weights/videotag.bj.bcebos.com/PaddleVideo/SlowFast/SlowFast_8*8.pdparams")]
    [InlineData(null, "https://videotag.bj.bcebos.com/PaddleVideo/SlowFast/SlowFast_8*8.pdparams")]
    [InlineData("", "https://videotag.bj.bcebos.com/PaddleVideo/SlowFast/SlowFast_8*8.pdparams")]
    public void OnMirror_Address_HostAndPathBelowTheMirror(string? mirror, string expected) =>
        Assert.Equal(expected, ModelPull.OnMirror(PublishedModels.Find("slowfast_8x8_k400").Url, mirror).AbsoluteUri);

    [Theory]
    [InlineData("mirror")]
    [InlineData("ftp://mirror/")]
    public void OnMirror_NoAddress_ConfigException(string mirror) =>
        Assert.Throws<ConfigException>(() => ModelPull.OnMirror(PublishedModels.Entries[0].Url, mirror));

    private static PaddleModel ModelOf(string recipe) => PaddleRecipe.Read(Path.Combine(SharedData.Checkout, "test/recipes", recipe)).Model;
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kinora.Models;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Learning-rate factors and decay of every parameter against golden/training/param_groups.json.</summary>
public sealed class ParameterRuleTests
{
    public static IEnumerable<TheoryDataRow<string>> Recipes()
    {
        foreach (string path in SharedData.Files("golden/training", "param_groups*.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (JsonProperty recipe in document.RootElement.GetProperty("recipes").EnumerateObject())
            {
                yield return new TheoryDataRow<string>($"{Path.GetFileName(path)}|{recipe.Name}");
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Recipes))]
    public void RuleFor_EveryParameterOfARecipe_GivesPaddleVideosGroups(string row)
    {
        string[] parts = row.Split('|');
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require($"golden/training/{parts[0]}")));
        JsonElement recipe = document.RootElement.GetProperty("recipes").GetProperty(parts[1]);
        using VideoNetwork network = PaddleRecipes.Build(parts[1], new Dictionary<string, JsonElement>());
        double decay = recipe.GetProperty("optimizer").TryGetProperty("weight_decay", out JsonElement wd)
            ? (wd.ValueKind == JsonValueKind.Object ? wd.GetProperty("value") : wd).GetDouble()
            : 0;

        // A decoupled decay is the optimiser's: it excludes parameters by name and sets nothing on them.
        bool decoupled = recipe.GetProperty("groups").EnumerateArray().All(g => g.GetProperty("decay").GetString() == "decoupled");
        var groups = PaddleNames.For(network).Tensors
            .Where(t => t.IsTrained)
            .GroupBy(t => t.Kinora is null ? ParameterRule.Default : network.RuleFor(t.Kinora))
            .ToDictionary(
                g => (g.Key.LearningRateFactor, Decay: g.Key.WeightDecay ?? decay, OnParameter: g.Key.WeightDecay is not null && !decoupled),
                g => g.OrderBy(t => t.Paddle, StringComparer.Ordinal).ToArray());

        Assert.Equal(recipe.GetProperty("trainable").GetInt32(), groups.Values.Sum(g => g.Length));
        Assert.Equal(recipe.GetProperty("groups").GetArrayLength(), groups.Count);
        foreach (JsonElement expected in recipe.GetProperty("groups").EnumerateArray())
        {
            var key = (expected.GetProperty("lr_mult").GetDouble(), expected.GetProperty("value").GetDouble(), expected.GetProperty("set_on_parameter").GetBoolean());
            Assert.True(groups.TryGetValue(key, out PaddleName[]? found), $"no group {key}");
            Assert.Equal(expected.GetProperty("count").GetInt32(), found.Length);
            Assert.Equal(expected.GetProperty("elements").GetInt64(), found.Sum(t => t.Shape.Aggregate(1L, (a, b) => a * b)));
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', found.Select(t => t.Paddle))));
            Assert.Equal(expected.GetProperty("keys_sha256").GetString(), Convert.ToHexStringLower(hash)[..16]);
        }
    }
}

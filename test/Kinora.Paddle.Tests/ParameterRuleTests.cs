using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Paddle.Tests;

/// <summary>The optimiser's groups for every recorded recipe against golden/training/param_groups.json.</summary>
public sealed class ParameterRuleTests
{
    // T of the recipes that train two networks together, and whether the student attends over time.
    private static readonly Dictionary<string, (int Frames, bool Attention)> Pairs = new()
    {
        ["pptsm/v2/pptsm_lcnet_k400_8frames_uniform_dml_distillation"] = (8, false),
        ["pptsm/v2/pptsm_lcnet_k400_16frames_uniform_dml_distillation"] = (16, true),
    };

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
    public void Groups_EveryParameterOfARecipe_ArePaddleVideos(string row)
    {
        string[] parts = row.Split('|');
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require($"golden/training/{parts[0]}")));
        JsonElement recipe = document.RootElement.GetProperty("recipes").GetProperty(parts[1]);
        List<Member> members = Members(parts[1], recipe.GetProperty("optimizer"));
        var groups = members.GroupBy(m => (m.Factor, m.Decay, m.OnParameter)).ToDictionary(g => g.Key, g => g.OrderBy(m => m.Name, StringComparer.Ordinal).ToArray());

        Assert.Equal(recipe.GetProperty("trainable").GetInt32(), members.Count);
        Assert.Equal(recipe.GetProperty("groups").GetArrayLength(), groups.Count);
        foreach (JsonElement expected in recipe.GetProperty("groups").EnumerateArray())
        {
            var key = (expected.GetProperty("lr_mult").GetDouble(), expected.GetProperty("value").GetDouble(), expected.GetProperty("set_on_parameter").GetBoolean());
            Assert.True(groups.TryGetValue(key, out Member[]? found), $"no group {key}");
            Assert.Equal(expected.GetProperty("count").GetInt32(), found.Length);
            Assert.Equal(expected.GetProperty("elements").GetInt64(), found.Sum(m => m.Elements));
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', found.Select(m => m.Name))));
            Assert.Equal(expected.GetProperty("keys_sha256").GetString(), Convert.ToHexStringLower(hash)[..16]);
            Assert.All(found, m => Assert.Equal(expected.GetProperty("decay").GetString() == "decoupled", m.Decoupled));
        }
    }

    private static List<Member> Members(string recipe, JsonElement optimizer)
    {
        var members = new List<Member>();
        if (!Pairs.TryGetValue(recipe, out (int Frames, bool Attention) pair))
        {
            using VideoNetwork network = PaddleRecipes.Build(recipe, new Dictionary<string, JsonElement>());
            Collect(network, name => name, members, optimizer);
            return members;
        }

        var segments = new Dictionary<string, JsonElement> { ["num_seg"] = JsonSerializer.SerializeToElement(pair.Frames) };
        using VideoNetwork teacher = PaddleRecipes.Build("pptsm/pptsm_k400_frames_uniform", segments, headOverrides: segments);
        Collect(teacher, name => PairNames.InPair("Teacher", name), members, optimizer);
        segments["use_temporal_att"] = JsonSerializer.SerializeToElement(pair.Attention);
        using VideoNetwork student = PaddleRecipes.Build("pptsm/v2/pptsm_lcnet_k400_8frames_uniform", segments);
        Collect(student, name => PairNames.InPair("Student", name), members, optimizer);
        return members;
    }

    private static void Collect(VideoNetwork network, Func<string, string> rename, List<Member> members, JsonElement optimizer)
    {
        PaddleName[] names = [.. PaddleNames.For(network).Tensors.Where(n => n.IsTrained)];
        Dictionary<string, PaddleName> byName = names.Where(n => n.Kinora is not null).ToDictionary(n => n.Kinora!, StringComparer.Ordinal);
        double decay = optimizer.TryGetProperty("weight_decay", out JsonElement wd)
            ? (wd.ValueKind == JsonValueKind.Object ? wd.GetProperty("value") : wd).GetDouble()
            : 0;
        var rules = new ParameterRules
        {
            WeightDecay = decay,
            Decay = optimizer.GetProperty("name").GetString() == "AdamW" ? DecayKind.Decoupled : DecayKind.L2,
            WithoutDecay = optimizer.TryGetProperty("no_weight_decay_name", out JsonElement tokens) ? tokens.GetString()!.Split(' ') : [],
        };
        ParameterPlan plan = ParameterPlan.For(network, rules, name => byName[name].Paddle);
        Assert.Empty(plan.Frozen);
        foreach (ParameterGroup group in plan.Groups)
        {
            bool decoupled = rules.Decay == DecayKind.Decoupled;
            members.AddRange(group.Parameters.Select(p => new Member(
                rename(byName[p.Name].Paddle),
                group.LearningRateFactor,
                decoupled ? group.DecoupledDecay : group.WeightDecay,
                !decoupled && network.RuleFor(p.Name).WeightDecay is not null,
                decoupled,
                p.Value.Count)));
        }

        // What PaddleVideo stores and never uses has the optimiser's own settings.
        members.AddRange(names.Where(n => n.Kinora is null).Select(n => new Member(
            rename(n.Paddle), 1, decay, false, rules.Decay == DecayKind.Decoupled, n.Shape.Aggregate(1L, (a, b) => a * b))));
    }

    private sealed record Member(string Name, double Factor, double Decay, bool OnParameter, bool Decoupled, long Elements);
}

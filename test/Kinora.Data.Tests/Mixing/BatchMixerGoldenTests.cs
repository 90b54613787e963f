using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Data.Tests.Mixing;

/// <summary>PaddleVideo's recorded Mixup, Cutmix and VideoMix, bit for bit.</summary>
public sealed class BatchMixerGoldenTests
{
    private static readonly JsonDocument? _recorded = Open();

    public static TheoryData<int, string> Cases
    {
        get
        {
            var rows = new TheoryData<int, string>();
            int i = 0;
            foreach (JsonElement record in Records())
            {
                rows.Add(i++, $"{record.GetProperty("op").GetString()} {record.GetProperty("shape")}");
            }

            return rows;
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Mix_RecordedDraws_SameBatch(int record, string name)
    {
        JsonElement recorded = Records()[record], arguments = recorded.GetProperty("args");
        Assert.NotEmpty(name);
        BatchMix mix = recorded.GetProperty("op").GetString() switch
        {
            "Mixup" => new() { Kind = MixKind.Mixup, MixupAlpha = Number("alpha") },
            "Cutmix" => new() { Kind = MixKind.CutMix, CutMixAlpha = Number("alpha"), Legacy = true },
            _ => new() { Kind = MixKind.VideoMix, MixupAlpha = Number("mixup_alpha"), CutMixAlpha = Number("cutmix_alpha"), CutMixProbability = Number("cutmix_prob"), Legacy = true },
        };
        int[] shape = [.. recorded.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())];
        float[] pixels = Formula(shape);
        var draws = new ForcedMixDraws(recorded.GetProperty("force"));
        (int[] partners, float lambda) = new BatchMixer(mix, ClipLayout.Ntchw).Mix(pixels, shape[0], 1, shape.AsSpan(1), draws);
        Assert.Equal(0, draws.Left);

        JsonElement output = recorded.GetProperty("out");
        float[] values = [.. output.GetProperty("v").EnumerateArray().Select(v => (float)v.GetDouble())];
        Assert.Equal(values, output.GetProperty("at").EnumerateArray().Select(at => pixels[at.GetInt32()]));
        Assert.Equal(output.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(pixels))));
        int[] labels = [.. recorded.GetProperty("labels").EnumerateArray().Select(l => l.GetInt32())];
        Assert.Equal(recorded.GetProperty("labels_a").EnumerateArray().Select(l => l[0].GetInt32()), labels);
        Assert.Equal(recorded.GetProperty("labels_b").EnumerateArray().Select(l => l[0].GetInt32()), partners.Select(p => labels[p]));
        Assert.All(recorded.GetProperty("lam").EnumerateArray(), l => Assert.Equal((float)l.GetDouble(), lambda));

        double Number(string key) => arguments.GetProperty(key).GetDouble();
    }

    // Float32 [a,b,c,d,e] of the folder's README.
    private static float[] Formula(int[] shape)
    {
        var values = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            int e = i % shape[4], d = i / shape[4] % shape[3], c = i / (shape[4] * shape[3]) % shape[2];
            int b = i / (shape[4] * shape[3] * shape[2]) % shape[1], a = i / (shape[4] * shape[3] * shape[2] * shape[1]);
            values[i] = ((((7 * a) + (5 * b) + (3 * c) + (11 * d) + (13 * e) + (d * e % 17)) % 64) - 32) / 16f;
        }

        return values;
    }

    private static JsonElement[] Records() => _recorded is null ? [] : [.. _recorded.RootElement.GetProperty("mix").EnumerateArray()];

    private static JsonDocument? Open()
    {
        string? path = SharedData.Root is null ? null : Path.Combine(SharedData.Root, "golden/pipeline/batch.json");
        return path is not null && File.Exists(path) ? JsonDocument.Parse(File.ReadAllBytes(path)) : null;
    }

    private sealed class ForcedMixDraws(JsonElement forced) : IMixDraws
    {
        private readonly Queue<JsonElement> _draws = new(forced.EnumerateArray());

        public int Left => _draws.Count;

        public double Unit() => Next("np_random").GetProperty("value").GetDouble();

        public int[] Permutation(int count)
        {
            JsonElement draw = Next("np_permutation");
            Assert.Equal(draw.GetProperty("args")[0].GetInt32(), count);
            return [.. draw.GetProperty("value").EnumerateArray().Select(v => v.GetInt32())];
        }

        public double Beta(double alpha)
        {
            JsonElement draw = Next("np_beta");
            Assert.All(draw.GetProperty("args").EnumerateArray(), a => Assert.Equal(a.GetDouble(), alpha));
            return draw.GetProperty("value").GetDouble();
        }

        public int Integer(int exclusiveHigh)
        {
            JsonElement draw = Next("np_randint");
            Assert.Equal(draw.GetProperty("args")[draw.GetProperty("args").GetArrayLength() - 1].GetInt32(), exclusiveHigh);
            return draw.GetProperty("value").GetInt32();
        }

        private JsonElement Next(string kind)
        {
            Assert.True(_draws.Count > 0, "more draws than recorded");
            JsonElement draw = _draws.Dequeue();
            Assert.Equal(kind, draw.GetProperty("draw").GetString());
            return draw;
        }
    }
}

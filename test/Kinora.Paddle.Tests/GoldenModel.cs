using System.Text.Json;

namespace Kinora.Paddle.Tests;

/// <summary>One file of golden/models: what PaddleVideo answered for one network (golden/README.md).</summary>
internal sealed class GoldenModel
{
    private GoldenModel(string path, JsonElement root)
    {
        Id = System.IO.Path.GetFileNameWithoutExtension(path);
        Config = root.GetProperty("config").GetString()!;
        Classes = root.GetProperty("classes").GetInt32();
        Overrides = root.GetProperty("overrides").EnumerateObject().ToDictionary(o => o.Name, o => o.Value);
        Keys = [.. root.GetProperty("keys").EnumerateArray().Select(k => (k[0].GetString()!, Longs(k[1])))];
        TrainableParameters = root.GetProperty("trainable_parameters").GetInt64();
        JsonElement eval = root.GetProperty("eval");
        EvalInput = Ints(eval.GetProperty("input"));
        EvalScores = Rows(eval.GetProperty("scores"));
        Float32Difference = eval.GetProperty("float32_max_abs_difference").GetDouble();
        ReversedDifference = eval.GetProperty("reversed_time_max_abs_difference").GetDouble();
        Layers = eval.GetProperty("layers").EnumerateObject().ToDictionary(l => l.Name, l => new GoldenLayer(
            Longs(l.Value.GetProperty("shape")),
            l.Value.GetProperty("mean").GetDouble(),
            l.Value.GetProperty("std").GetDouble(),
            l.Value.TryGetProperty("absmax", out JsonElement absmax) ? absmax.GetDouble() : null,
            Doubles(l.Value.GetProperty("samples"))));
        JsonElement train = root.GetProperty("train");
        TrainInput = Ints(train.GetProperty("input"));
        Labels = Longs(train.GetProperty("labels"));
        TrainScores = Rows(train.GetProperty("scores"));
        Loss = train.GetProperty("loss").GetDouble();
        Gradients = train.GetProperty("grad_norm_and_3_samples").EnumerateObject()
            .ToDictionary(g => g.Name, g => g.Value.ValueKind == JsonValueKind.Null ? null : Doubles(g.Value));
        RunningStatistics = train.GetProperty("running_stats_norm_and_2_samples").EnumerateObject()
            .ToDictionary(g => g.Name, g => Doubles(g.Value));
    }

    public string Id { get; }

    public string Config { get; }

    public int Classes { get; }

    public IReadOnlyDictionary<string, JsonElement> Overrides { get; }

    public (string Name, long[] Shape)[] Keys { get; }

    public long TrainableParameters { get; }

    public int[] EvalInput { get; }

    public double[][] EvalScores { get; }

    /// <summary>Whether evaluation gave probabilities; Kinora's networks give logits, whose softmax they are.</summary>
    public bool EvalGivesProbabilities => EvalScores.All(row => row.All(v => v >= 0) && Math.Abs(row.Sum() - 1) < 1e-9);

    public double Float32Difference { get; }

    public double ReversedDifference { get; }

    public IReadOnlyDictionary<string, GoldenLayer> Layers { get; }

    public int[] TrainInput { get; }

    public long[] Labels { get; }

    public double[][] TrainScores { get; }

    public double Loss { get; }

    public IReadOnlyDictionary<string, double[]?> Gradients { get; }

    public IReadOnlyDictionary<string, double[]> RunningStatistics { get; }

    public static GoldenModel Read(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return new GoldenModel(path, document.RootElement.Clone());
    }

    /// <summary>Whether a file describes a PaddleVideo network (check.json and the ImageNet backbone don't).</summary>
    public static bool IsOne(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.TryGetProperty("config", out _);
    }

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetDouble())];

    private static double[][] Rows(JsonElement array) => [.. array.EnumerateArray().Select(Doubles)];

    private static long[] Longs(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt64())];

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];
}

/// <summary>What one layer put out.</summary>
internal sealed record GoldenLayer(long[] Shape, double Mean, double Std, double? AbsMax, double[] Samples);

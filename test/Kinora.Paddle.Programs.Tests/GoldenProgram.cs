using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Kinora.Paddle.Programs.Format;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>One folder of golden/files with a program: what PaddleVideo exported and PaddlePaddle answered.</summary>
internal sealed class GoldenProgram
{
    private readonly JsonElement _root;

    private GoldenProgram(string folder, JsonElement root)
    {
        Folder = folder;
        _root = root;
        Clip = [.. root.GetProperty("clip").EnumerateArray().Select(v => v.GetInt32())];
        Operators = root.GetProperty("ops").EnumerateObject().ToDictionary(o => o.Name, o => o.Value.GetInt32());
        Parameters = [.. root.GetProperty("params").EnumerateArray().Select(p => new GoldenParameter(
            p[0].GetString()!, p[1].GetString()!, [.. p[2].EnumerateArray().Select(n => n.GetInt64())], p.GetArrayLength() > 3))];
    }

    public string Folder { get; }

    public string ModelPath => Path.Combine(Folder, "model.pdmodel");

    /// <summary>N, T, side.</summary>
    public int[] Clip { get; }

    public IReadOnlyDictionary<string, int> Operators { get; }

    public GoldenParameter[] Parameters { get; }

    /// <summary>SHA-256 of the complete .pdiparams file.</summary>
    public string ParametersHash => _root.GetProperty("pdiparams_sha256").GetString()!;

    public bool HasFusedParameters => Parameters.Any(p => p.Fused);

    /// <summary>Whether the program lost a mask, so that it doesn't answer what its network answers.</summary>
    public bool LostItsMask => _root.GetProperty("logits").TryGetProperty("dygraph_float32_mask_zeroed", out _);

    /// <summary>Names of the folders that hold a program.</summary>
    public static IEnumerable<string> Names() => SharedData.Root is { } root && Directory.Exists(Path.Combine(root, "golden/files"))
        ? Directory.EnumerateDirectories(Path.Combine(root, "golden/files"))
            .Where(folder => File.Exists(Path.Combine(folder, "model.pdmodel")) && File.Exists(Path.Combine(folder, "golden.json")))
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)
        : [];

    public static GoldenProgram Read(string name)
    {
        string folder = SharedData.Require($"golden/files/{name}");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        return new GoldenProgram(folder, document.RootElement.Clone());
    }

    /// <summary>What was recorded under a name, row after row.</summary>
    public double[] Answer(string name) =>
        [.. _root.GetProperty("logits").GetProperty(name).EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(v => v.GetDouble())];

    /// <summary>Whether the recorded rows are probabilities rather than logits.</summary>
    public bool GivesProbabilities => _root.GetProperty("logits").GetProperty("dygraph_float64").EnumerateArray()
        .All(row => row.EnumerateArray().All(v => v.GetDouble() >= 0) && Math.Abs(row.EnumerateArray().Sum(v => v.GetDouble()) - 1) < 1e-6);

    /// <summary>Samples of a parameter that the exporter computed.</summary>
    public (double[] First, double Sum) FusedSamples(string key)
    {
        JsonElement fused = _root.GetProperty("fused").GetProperty(key);
        return ([.. fused.GetProperty("first").EnumerateArray().Select(v => v.GetDouble())], fused.GetProperty("sum").GetDouble());
    }

    /// <summary>The clips that the answers were recorded for, [N, T, 3, H, W].</summary>
    public float[] Clips() => Array.ConvertAll(GoldenFormula.Clip(Clip[0], Clip[1], 3, Clip[2], Clip[2]), v => (float)v);

    /// <summary>Writes the weights by formula in PaddlePaddle's format.</summary>
    /// <returns>The file's SHA-256.</returns>
    public string WriteParameters(string path)
    {
        using (var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
        {
            foreach (GoldenParameter parameter in Parameters)
            {
                if (parameter.IsIndexTable)
                {
                    ParameterRecord.Write(stream, RelativePositions(parameter), parameter.Shape);
                }
                else
                {
                    ParameterRecord.Write(stream, parameter.Fused ? Fused(parameter) : Values(parameter.Key, parameter.Shape), parameter.Shape);
                }
            }
        }

        using FileStream written = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(written));
    }

    /// <summary>A depthwise kernel and its bias, merged from branches of 5, 3 and 1 with their batch norms.</summary>
    public float[] Fused(GoldenParameter parameter)
    {
        bool isWeight = parameter.Key.EndsWith(".weight", StringComparison.Ordinal);
        string layer = parameter.Key[..parameter.Key.LastIndexOf('.')];
        string[] branches = [.. _root.GetProperty("keys_not_exported").EnumerateArray().Select(k => k.GetString()!)
            .Where(key => key.StartsWith(layer + "_list.", StringComparison.Ordinal) && key.EndsWith(".conv.weight", StringComparison.Ordinal))
            .Select(key => key[..^".conv.weight".Length])];
        long channels = parameter.Shape[0];
        long side = Parameters.First(p => p.Key == layer + ".weight").Shape[2];
        var values = new double[parameter.Shape.Aggregate(1L, (a, b) => a * b)];
        for (int b = 0; b < branches.Length; b++)
        {
            long kernel = side - (2 * b);
            double[] weight = GoldenFormula.Weight(branches[b] + ".conv.weight", [channels, 1, kernel, kernel]);
            double[][] norm = [.. new[] { "weight", "bias", "_mean", "_variance" }.Select(n => GoldenFormula.Weight($"{branches[b]}.bn.{n}", [channels]))];
            for (long c = 0; c < channels; c++)
            {
                double factor = norm[0][c] / Math.Sqrt(norm[3][c] + 1e-5);
                if (!isWeight)
                {
                    values[c] += norm[1][c] - (norm[2][c] * factor);
                    continue;
                }

                for (long y = 0; y < kernel; y++)
                {
                    for (long x = 0; x < kernel; x++)
                    {
                        values[(((c * side) + y + b) * side) + x + b] += weight[(((c * kernel) + y) * kernel) + x] * factor;
                    }
                }
            }
        }

        return Array.ConvertAll(values, v => (float)v);
    }

    private static float[] Values(string key, IReadOnlyList<long> shape) => Array.ConvertAll(GoldenFormula.Weight(key, shape), v => (float)v);

    // Row of the bias table for each pair of places in a window of d × s × s: the difference of their coordinates,
    // counted from the smallest.
    private long[] RelativePositions(GoldenParameter parameter)
    {
        long places = parameter.Shape[0];
        long rows = Parameters.First(p => p.Key == parameter.Key.Replace("relative_position_index", "relative_position_bias_table", StringComparison.Ordinal)).Shape[0];
        (long depth, long side) = Enumerable.Range(1, (int)places).Select(s => (places / ((long)s * s), (long)s))
            .First(w => w.Item1 * w.Item2 * w.Item2 == places && ((2 * w.Item1) - 1) * ((2 * w.Item2) - 1) * ((2 * w.Item2) - 1) == rows);
        var table = new long[places * places];
        for (long a = 0; a < places; a++)
        {
            for (long b = 0; b < places; b++)
            {
                long d = (a / (side * side)) - (b / (side * side)) + depth - 1;
                long h = (a / side % side) - (b / side % side) + side - 1;
                long w = (a % side) - (b % side) + side - 1;
                table[(a * places) + b] = (((d * ((2 * side) - 1)) + h) * ((2 * side) - 1)) + w;
            }
        }

        return table;
    }
}

/// <summary>One tensor of a .pdiparams file.</summary>
internal sealed record GoldenParameter(string Name, string Key, long[] Shape, bool Fused)
{
    public bool IsIndexTable => Key.EndsWith("relative_position_index", StringComparison.Ordinal);
}

/// <summary>Writes records of .pdiparams files.</summary>
internal static class ParameterRecord
{
    public static void Write<T>(Stream stream, T[] values, IEnumerable<long> shape)
        where T : unmanaged
    {
        var header = new TensorDesc { DataType = (int)(typeof(T) == typeof(long) ? ElementType.Int64 : ElementType.Float32) };
        header.Dims.AddRange(shape);
        byte[] bytes = header.ToByteArray();
        using var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write(0u);
        writer.Write(0ul);
        writer.Write(0u);
        writer.Write(bytes.Length);
        writer.Write(bytes);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values));
    }
}

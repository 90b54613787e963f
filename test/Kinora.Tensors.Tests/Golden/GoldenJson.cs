using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Tensors.Tests.Golden;

/// <summary>Reads recorded answers and compares with them.</summary>
internal static class GoldenJson
{
    /// <summary>All numbers of a nested list in order; NaN and infinities are texts in the files.</summary>
    public static double[] Numbers(JsonElement element)
    {
        var numbers = new List<double>();
        Collect(element);
        return [.. numbers];

        void Collect(JsonElement item)
        {
            switch (item.ValueKind)
            {
                case JsonValueKind.Array:
                    foreach (JsonElement inner in item.EnumerateArray())
                    {
                        Collect(inner);
                    }

                    break;
                case JsonValueKind.String:
                    numbers.Add(item.GetString() switch { "nan" => double.NaN, "inf" => double.PositiveInfinity, _ => double.NegativeInfinity });
                    break;
                default:
                    numbers.Add(item.GetDouble());
                    break;
            }
        }
    }

    /// <summary>Every item of some lists, in every file that has them.</summary>
    /// <param name="lists">Names of lists.</param>
    /// <returns>File, list and position, list by list.</returns>
    public static IEnumerable<(string File, string List, int Index)> Items(params string[] lists) =>
        from list in lists
        from found in Files(list)
        from index in Enumerable.Range(0, found.Root.GetProperty(list).GetArrayLength())
        select (found.Name, list, index);

    /// <summary>Asserts that the largest difference stays within a fraction of the largest expected magnitude.</summary>
    public static void Close(JsonElement expected, Tensor actual, double relative, string what) =>
        Close(Numbers(expected), actual.ToArray<double>(), relative, what);

    public static void Close(double[] expected, double[] actual, double relative, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = expected.Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs(expected[i] - actual[i]);
            Assert.True(difference <= relative * Math.Max(scale, 1e-300), $"{what}[{i}]: expected {expected[i]:R}, found {actual[i]:R}, allowed {relative * scale:E1}");
        }
    }

    /// <summary>Optional member of an object.</summary>
    public static JsonElement? Optional(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>2u-1 or any multiple, u = the formula's uniform numbers of a name.</summary>
    public static double[] Noise(string name, long count, double factor = 1)
    {
        ulong hash = CounterRandom.Fnv1a64(name);
        var values = new double[count];
        for (long i = 0; i < count; i++)
        {
            values[i] = factor * ((2 * GoldenFormula.Uniform(hash, i)) - 1);
        }

        return values;
    }

    /// <summary>A tensor of an element type that the files name.</summary>
    public static Tensor Make(double[] values, ReadOnlySpan<long> shape, DType dtype) => Tensor.From<double>(values, shape).To(dtype);

    public static DType TypeOf(JsonElement item) => item.GetProperty("dtype").GetString() == "float64" ? DType.Float64 : DType.Float32;

    /// <summary>Recorded files of a kind: those below golden/training whose root has a member.</summary>
    public static IEnumerable<(string Name, JsonElement Root)> Files(string member)
    {
        foreach (string path in SharedData.Files("golden/training", "*.json"))
        {
            JsonElement root = Parse(path);
            if (root.Optional(member) is not null)
            {
                yield return (Path.GetFileName(path), root);
            }
        }
    }

    public static JsonElement Load(string file) => Parse(SharedData.Require("golden/training/" + file));

    private static JsonElement Parse(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }
}

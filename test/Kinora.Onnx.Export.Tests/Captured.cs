using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Simplify;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Onnx.Export.Tests;

/// <summary>Takes small functions on tensors through recording, writing and ONNX Runtime.</summary>
internal static class Captured
{
    /// <summary>Numbers in [-1, 1) that depend on the name alone.</summary>
    public static float[] Numbers(string name, long count)
    {
        ulong hash = CounterRandom.Fnv1a64(name);
        return [.. Enumerable.Range(0, checked((int)count)).Select(i => (float)((2 * GoldenFormula.Uniform(hash, i)) - 1))];
    }

    /// <summary>A constant for the function under test.</summary>
    public static Tensor Weight(string name, params long[] shape) => Tensor.From<float>(Numbers(name, shape.Aggregate(1L, (a, b) => a * b)), shape).EscapeScope();

    public static NetworkGraph Graph(Func<Tensor, Tensor> function, long[] clip, bool simplified = true, params (string Name, Tensor Value)[] parameters) =>
        Graph(function, clip, simplified ? OnnxWriter.OldestOpset : null, parameters);

    public static ModelProto Model(NetworkGraph graph, int opset = 17)
    {
        ModelProto model = OnnxWriter.Write(graph, new ModelHeader("test", "", [], opset));
        ModelValidation.Check(model);
        return model;
    }

    /// <summary>Requires that the file gives the function's values, raw and simplified, for one, two and three clips.</summary>
    /// <returns>The simplified model.</returns>
    public static ModelProto AssertSame(
        Func<Tensor, Tensor> function, long[] clip, int opset = 17, double tolerance = 1e-5, params (string Name, Tensor Value)[] parameters)
    {
        using var folder = new TemporaryFolder();
        ModelProto? model = null;
        foreach (bool simplified in (bool[])[false, true])
        {
            model = Model(Graph(function, clip, simplified ? opset : null, parameters), opset);
            string path = folder[$"{simplified}.onnx"];
            OnnxExporter.Save(model, path);
            foreach (long clips in (long[])[1, 2, 3])
            {
                long[] shape = [clips, .. clip];
                float[] input = Numbers("clips", shape.Aggregate(1L, (a, b) => a * b));
                double difference = ExportCheck.Difference(OnnxFile.Run(path, input, shape), Eager(function, input, shape));
                Assert.True(difference <= tolerance, $"{clips} clips, {(simplified ? "simplified" : "raw")}: difference {difference:G3}; {string.Join(' ', model.Graph.Node.Select(node => node.OpType))}");
            }
        }

        return model!;
    }

    public static float[] Eager(Func<Tensor, Tensor> function, float[] input, long[] shape)
    {
        using IDisposable inference = Grad.Inference();
        using var scope = new TensorScope();
        return function(Tensor.From<float>(input, shape)).ToArray<float>();
    }

    public static string[] Operators(ModelProto model) => [.. model.Graph.Node.Select(node => node.OpType)];

    private static NetworkGraph Graph(Func<Tensor, Tensor> function, long[] clip, int? simplifiedFor, (string Name, Tensor Value)[] parameters)
    {
        NetworkGraph graph = OnnxExporter.Capture(function, parameters, clip);
        if (simplifiedFor is { } opset)
        {
            Simplifier.Run(graph, opset);
        }

        return graph;
    }
}

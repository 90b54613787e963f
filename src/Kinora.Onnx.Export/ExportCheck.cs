using System.Globalization;
using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Recording;
using Kinora.Tensors;

namespace Kinora.Onnx.Export;

/// <summary>Compares a written file with the network it was made from.</summary>
internal sealed class ExportCheck(
    Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, ExportOptions options, long[] clip)
{
    /// <summary>
    /// Compares the scores of the check clips, once as they are and once with one clip more in the batch, so that
    /// the batch is proven to be free.
    /// </summary>
    /// <returns>The largest relative difference.</returns>
    /// <exception cref="ExportException">It is above the tolerance; the message says where file and network part.</exception>
    public double Compare(NetworkGraph graph, ModelHeader header, string file, string path, CancellationToken cancellation)
    {
        float[] clips = options.CheckClips.ToArray();
        long count = clips.Length / clip.Aggregate(1L, (a, b) => a * b);
        float[] expected = Forward(clips, count);
        double worst = 0;
        foreach (long batch in (long[])[count, count + 1])
        {
            cancellation.ThrowIfCancellationRequested();
            float[] input = batch == count ? clips : [.. clips, .. clips[..(int)(clips.Length / count)]];
            float[] wanted = batch == count ? expected : [.. expected, .. expected[..(int)(expected.Length / count)]];
            float[] found = options.Runner(file, input, [batch, .. clip]);
            double difference = Difference(found, wanted);
            if (!(difference <= options.Tolerance))
            {
                throw new ExportException(string.Create(CultureInfo.InvariantCulture,
                    $"export: for a batch of {batch} the file's scores differ from the network's by {difference:G3} of their largest value; expected at most {options.Tolerance:G3}; {Parting(graph, header, file, input, batch)}; nothing was written"), path);
            }

            worst = Math.Max(worst, difference);
        }

        return worst;
    }

    /// <summary>Largest |found − expected| relative to the largest |expected|; infinite where they can't be compared.</summary>
    public static double Difference(ReadOnlySpan<float> found, ReadOnlySpan<float> expected)
    {
        if (found.Length != expected.Length)
        {
            return double.PositiveInfinity;
        }

        double largest = 0;
        double difference = 0;
        for (int i = 0; i < found.Length; i++)
        {
            if (!float.IsFinite(found[i]) || !float.IsFinite(expected[i]))
            {
                return double.PositiveInfinity;
            }

            largest = Math.Max(largest, Math.Abs(expected[i]));
            difference = Math.Max(difference, Math.Abs((double)found[i] - expected[i]));
        }

        return difference == 0 ? 0 : difference / largest;
    }

    private float[] Forward(float[] clips, long count)
    {
        using IDisposable inference = Grad.Inference();
        using var scope = new TensorScope();
        return forward(Tensor.From<float>(clips, [count, .. clip])).ToArray<float>();
    }

    // Cuts the graph after one layer at a time and looks, by bisection, for the first that computes something else.
    private string Parting(NetworkGraph graph, ModelHeader header, string file, float[] clips, long batch)
    {
        string probe = Path.ChangeExtension(file, ".probe.onnx");
        try
        {
            (Tensors.Recording recording, Func<int, float[]> read) = NetworkRecorder.Replay(forward, parameters, clips, [batch, .. clip]);
            using (recording)
            {
                Value[] layers = [.. graph.Nodes.Select(node => node.Output).Where(value => value.Origin is not null && value.Rank > 0 && value.Shape[0].PerClip)];
                (int good, int bad) = (-1, layers.Length);
                while (bad - good > 1)
                {
                    int middle = (good + bad) / 2;
                    float[] found = Probe(graph, header, layers[middle], probe, clips, batch);
                    (good, bad) = Difference(found, read(layers[middle].Origin!.Value)) <= options.Tolerance ? (middle, bad) : (good, middle);
                }

                return bad == layers.Length ? "every recorded layer agrees by itself"
                    : good < 0 ? $"they part at the first layer, {Describe(layers[bad])}"
                    : $"they part between {Describe(layers[good])} and {Describe(layers[bad])}";
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The search is a courtesy: whatever the caller's runner throws must not hide the difference itself.
            return $"the layer where they part couldn't be found ({e.GetType().Name})";
        }
        finally
        {
            File.Delete(probe);
        }
    }

    private float[] Probe(NetworkGraph graph, ModelHeader header, Value layer, string probe, float[] clips, long batch)
    {
        // Flat behind N, as a runner may insist on the two axes of scores.
        (long count, _) = Shapes.Size(layer.Shape);
        Value flat = new GraphBuilder(graph.Input).Reshape(layer, new Dimension(1, PerClip: true), count);
        OnnxExporter.Save(OnnxWriter.Write(new NetworkGraph(graph.Input, flat), header), probe);
        return options.Runner(probe, clips, [batch, .. clip]);
    }

    private static string Describe(Value layer)
    {
        string? weight = layer.Producer!.Inputs.ElementAtOrDefault(1)?.Name;
        return $"{layer.Producer.Operator}{(weight is null ? "" : $" of {weight}")} {Shapes.Text(layer.Shape)}";
    }
}

namespace Kinora.Onnx.Tests;

/// <summary>
/// A video network small enough to be computed by hand: 3×3 convolution, ReLU, mean over space, mean over time,
/// matrix product and bias. Weights come from a formula.
/// </summary>
internal sealed class TinyNetwork(int frames = 4, int size = 8, int classes = 3)
{
    private const int Channels = 5;
    private readonly float[] _kernel = Values("kernel", Channels * 3 * 3 * 3, 0.4);
    private readonly float[] _kernelBias = Values("kernel bias", Channels, 0.2);
    private readonly float[] _matrix = Values("matrix", Channels * classes, 2);
    private readonly float[] _bias = Values("bias", classes, 0.5);

    public int Classes => classes;

    public int FloatsPerView => frames * 3 * size * size;

    public ClipSpec Spec => new(
        new SamplingSpec(SamplingMethod.Linspace, frames),
        new ResizeSpec(ResizeRule.KeepAspectTruncate, size),
        new CropSpec(CropMethod.Center, size),
        Normalization.Symmetric128);

    public LabelMap Labels => new(Enumerable.Range(0, classes).Select(i => $"label {i}"));

    public static float[] Values(string name, int count, double range)
    {
        var random = new CounterRandom(11, name);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble(-range, range))];
    }

    /// <summary>The model with the metadata that an exporter writes.</summary>
    public OnnxModelWriter Writer(long batch = -1) => Graph(batch)
        .Property(ModelCard.SpecKey, Spec.ToJson())
        .Property(ModelCard.LabelsKey, $"[{string.Join(",", Labels.Names.Select(n => $"\"{n}\""))}]")
        .Property(ModelCard.ConfigKey, "model: tiny\n")
        .Property(ModelCard.ProvenanceKey, """{"seed":11}""");

    /// <summary>The model alone.</summary>
    public OnnxModelWriter Graph(long batch = -1) => new OnnxModelWriter()
        .Input("clips", batch, frames, 3, size, size)
        .Integers("images", -1, 3, size, size)
        .Integers("features", -1, frames, Channels)
        .Floats("kernel", [Channels, 3, 3, 3], _kernel)
        .Floats("kernel_bias", [Channels], _kernelBias)
        .Floats("matrix", [Channels, classes], _matrix)
        .Floats("bias", [classes], _bias)
        .Node("Reshape", ["clips", "images"], "x")
        .Node("Conv", ["x", "kernel", "kernel_bias"], "c", ("kernel_shape", new long[] { 3, 3 }), ("pads", new long[] { 1, 1, 1, 1 }))
        .Node("Relu", ["c"], "r")
        .Node("GlobalAveragePool", ["r"], "p")
        .Node("Reshape", ["p", "features"], "f")
        .Node("ReduceMean", ["f"], "m", ("axes", new long[] { 1 }), ("keepdims", 0L))
        .Node("MatMul", ["m", "matrix"], "y")
        .Node("Add", ["y", "bias"], "logits")
        .Output("logits", batch, classes);

    /// <summary>The logits of one view, in double.</summary>
    public double[] Logits(ReadOnlySpan<float> view)
    {
        int plane = size * size;
        var mean = new double[Channels];
        for (int t = 0; t < frames; t++)
        {
            for (int o = 0; o < Channels; o++)
            {
                double sum = 0;
                for (int y = 0; y < size; y++)
                {
                    for (int x = 0; x < size; x++)
                    {
                        sum += Math.Max(0, Pixel(view.Slice(t * 3 * plane, 3 * plane), o, y, x));
                    }
                }

                mean[o] += sum / plane / frames;
            }
        }

        return [.. Enumerable.Range(0, classes).Select(k => _bias[k] + Enumerable.Range(0, Channels).Sum(o => mean[o] * _matrix[(o * classes) + k]))];
    }

    private double Pixel(ReadOnlySpan<float> image, int o, int y, int x)
    {
        double value = _kernelBias[o];
        for (int c = 0; c < 3; c++)
        {
            for (int dy = -1; dy <= 1; dy++)
            {
                for (int dx = -1; dx <= 1; dx++)
                {
                    if (y + dy >= 0 && y + dy < size && x + dx >= 0 && x + dx < size)
                    {
                        value += (double)_kernel[(((((o * 3) + c) * 3) + dy + 1) * 3) + dx + 1] * image[(((c * size) + y + dy) * size) + x + dx];
                    }
                }
            }
        }

        return value;
    }
}

using Kinora.Models;
using Kinora.Models.Tests;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>
/// Every network of golden/models that Kinora has, against what PaddleVideo answered: names, scores, layers, loss,
/// gradients, running statistics.
/// </summary>
public sealed class ModelGoldenTests
{
    public static IEnumerable<TheoryDataRow<string>> Files() => SharedData.Files("golden/models", "*.json")
        .Where(GoldenModel.IsOne)
        .Select(path => new TheoryDataRow<string>(Path.GetFileName(path)));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Names_EveryTensor_MatchesBothWays(string file)
    {
        GoldenModel golden = Read(file);
        using VideoNetwork network = Build(golden);
        PaddleNames names = PaddleNames.For(network);

        Assert.Equal(
            golden.Keys.Select(k => $"{k.Name} {string.Join('x', k.Shape)}").Order(StringComparer.Ordinal),
            names.Tensors.Select(t => $"{t.Paddle} {string.Join('x', t.Shape)}").Order(StringComparer.Ordinal));
        Assert.Equal(
            network.StateDict().Select(t => t.Name).Order(StringComparer.Ordinal),
            names.Tensors.Where(t => t.Kinora is not null).Select(t => t.Kinora!).Order(StringComparer.Ordinal));
        var buffers = network.NamedBuffers().Select(b => b.Name).ToHashSet();
        Assert.Equal(
            golden.TrainableParameters,
            names.Tensors.Where(t => t.Kinora is null || !buffers.Contains(t.Kinora)).Sum(t => t.Shape.Aggregate(1L, (a, b) => a * b)));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Evaluation_InFloat64_GivesTheRecordedLayersAndScores(string file)
    {
        GoldenModel golden = Read(file);
        using var scope = new TensorScope();
        using VideoNetwork network = BuildWithFormulaWeights(golden, DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        double[] clip = Clip(golden.EvalInput);
        double[] scores;
        PaddleNames names = PaddleNames.For(network);
        using (var watch = new LayerWatch(network, layer => golden.Layers.ContainsKey(names.Layer(layer))))
        {
            scores = Scores(golden, network, clip, DType.Float64);
            var outputs = watch.Outputs.ToDictionary(o => names.Layer(o.Key), o => o.Value);
            foreach ((string name, GoldenLayer layer) in golden.Layers)
            {
                Assert.True(outputs.TryGetValue(name, out Tensor? output), $"no layer {name}");
                Tolerance.Layer(name, output, Tolerance.Double, layer.Shape, layer.Mean, layer.Std, layer.AbsMax, layer.Samples);
            }
        }

        Tolerance.Close(Flat(golden.EvalScores), scores, Tolerance.Double, "scores");

        // A network that ignores time can't pass by luck, nor can one that sees time where the reference doesn't.
        double[] backwards = Scores(golden, network, Reversed(clip, golden.EvalInput), DType.Float64);
        double moved = scores.Zip(backwards, (a, b) => Math.Abs(a - b)).Max();
        double noise = Math.Max(1e-6 * scores.Max(Math.Abs), 3 * golden.Float32Difference);
        Tolerance.Within([golden.ReversedDifference], [moved], noise, "difference by reversed time");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Evaluation_InFloat32_GivesTheRecordedScores(string file)
    {
        GoldenModel golden = Read(file);
        using var scope = new TensorScope();
        using VideoNetwork network = BuildWithFormulaWeights(golden, DType.Float32);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();

        double[] scores = Scores(golden, network, Clip(golden.EvalInput), DType.Float32);

        double[] expected = Flat(golden.EvalScores);
        Tolerance.Within(expected, scores, Math.Max(Tolerance.Single * expected.Max(Math.Abs), 3 * golden.Float32Difference), "scores");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Evaluation_Reparameterized_GivesTheRecordedScores(string file)
    {
        GoldenModel golden = Read(file);
        using var scope = new TensorScope();
        using VideoNetwork network = BuildWithFormulaWeights(golden, DType.Float64);
        Assert.SkipUnless(network.CanReparameterize, $"{golden.Id} has no branches to merge");
        network.Eval();
        network.Reparameterize();
        using IDisposable noGrad = Grad.Disable();

        Tolerance.Close(Flat(golden.EvalScores), Scores(golden, network, Clip(golden.EvalInput), DType.Float64), Tolerance.Double, "scores");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Files))]
    public void Training_InFloat64_GivesTheRecordedLossGradientsAndStatistics(string file)
    {
        GoldenModel golden = Read(file);
        using var scope = new TensorScope();
        using VideoNetwork network = BuildWithFormulaWeights(golden, DType.Float64, withoutDropping: true);
        network.Train();

        Tensor logits = Logits(network, Clip(golden.TrainInput), golden.TrainInput, DType.Float64);
        Tensor loss = F.CrossEntropy(logits, Tensor.From<long>(golden.Labels, [golden.Labels.Length]));
        loss.Backward();

        Tolerance.Close(Flat(golden.TrainScores), logits.ToArray<double>(), Tolerance.Double, "scores");
        Tolerance.Close([golden.Loss], [loss.ToDouble()], Tolerance.Double, "loss");
        var parameters = network.NamedParameters().ToDictionary(p => p.Name, p => p.Value);
        var state = network.StateDict().ToDictionary(p => p.Name, p => p.Value);
        PaddleName[] names = [.. PaddleNames.For(network).Tensors];
        Assert.Equal(golden.Gradients.Keys.Order(StringComparer.Ordinal), names.Select(n => n.Paddle).Order(StringComparer.Ordinal));
        foreach (PaddleName name in names)
        {
            Tensor? gradient = name.Kinora is not null && parameters.TryGetValue(name.Kinora, out Tensor? parameter) ? parameter.Grad : null;
            double[]? expected = golden.Gradients[name.Paddle];
            Assert.True(expected is null == gradient is null, $"{name.Paddle}: gradient {(gradient is null ? "missing" : "unexpected")}");
            if (expected is not null)
            {
                double[] values = (name.Transposed ? gradient!.Transpose(0, 1).Contiguous() : gradient!).ToArray<double>();
                Tolerance.Within(expected, [Tolerance.Norm(values), .. Tolerance.Samples(values, expected.Length - 1)], Tolerance.Gradient * expected[0], $"gradient of {name.Paddle}");
            }
        }

        var paddle = names.Where(n => n.Kinora is not null).ToDictionary(n => n.Paddle, n => n.Kinora!);
        foreach ((string name, double[] expected) in golden.RunningStatistics)
        {
            double[] values = state[paddle[name]].ToArray<double>();
            Tolerance.Within(expected, [Tolerance.Norm(values), .. Tolerance.Samples(values, expected.Length - 1)], Tolerance.Double * expected[0], name);
        }
    }

    private static GoldenModel Read(string file) => GoldenModel.Read(SharedData.Require($"golden/models/{file}"));

    private static VideoNetwork Build(GoldenModel golden) => PaddleRecipes.Build(golden.Config, golden.Overrides, golden.Classes);

    // The training pass was recorded with every dropout at 0; evaluation drops nothing but PP-TSMv2's still scales.
    private static VideoNetwork BuildWithFormulaWeights(GoldenModel golden, DType type, bool withoutDropping = false)
    {
        using var scope = new TensorScope();
        VideoNetwork network = PaddleRecipes.Build(golden.Config, golden.Overrides, golden.Classes, withoutDropping);
        network.To(type);
        PaddleNames names = PaddleNames.For(network);
        names.Load(network, names.Tensors.ToDictionary(
            t => t.Paddle,
            t => Tensor.From<double>(GoldenFormula.Weight(t.Paddle, t.Shape), [.. t.Shape]).To(type)));
        return network;
    }

    private static double[] Clip(int[] shape) => GoldenFormula.Clip(shape[0], shape[1], shape[2], shape[3], shape[4]);

    private static double[] Reversed(double[] clip, int[] shape)
    {
        int frame = shape[2] * shape[3] * shape[4];
        return [.. clip.Chunk(shape[1] * frame).SelectMany(one => one.Chunk(frame).Reverse().SelectMany(values => values))];
    }

    // Where PaddleVideo answers each of several views by itself, Kinora is asked about each by itself.
    private static double[] Scores(GoldenModel golden, VideoNetwork network, double[] clip, DType type)
    {
        using var scope = new TensorScope();
        int[] shape = golden.EvalInput;
        int rows = golden.EvalScores.Length;
        Tensor logits = Logits(network, clip, [rows, shape[1] * shape[0] / rows, .. shape[2..]], type);
        return (golden.EvalGivesProbabilities ? logits.Softmax(1) : logits).To(DType.Float64).ToArray<double>();
    }

    private static Tensor Logits(VideoNetwork network, double[] clip, int[] shape, DType type) =>
        network.Forward(Tensor.From<double>(clip, [.. shape.Select(v => (long)v)]).To(type));

    private static double[] Flat(double[][] rows) => [.. rows.SelectMany(row => row)];
}

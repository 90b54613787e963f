using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Tensors.Tests.Golden;

/// <summary>One training step of batch norms, recorded from Paddle.</summary>
public sealed class BatchNormGoldenTests
{
    public static TheoryData<string, int> Cases()
    {
        var data = new TheoryData<string, int>();
        foreach ((string file, JsonElement root) in GoldenJson.Files("one_step"))
        {
            for (int i = 0; i < root.GetProperty("one_step").GetArrayLength(); i++)
            {
                data.Add(file, i);
            }
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Forward_RecordedStep_MatchesOutputGradientsAndStatistics(string file, int index)
    {
        JsonElement item = GoldenJson.Load(file).GetProperty("one_step")[index];
        DType dtype = GoldenJson.TypeOf(item);
        double tolerance = dtype == DType.Float64 ? 1e-12 : 2e-6;
        long[] shape = [.. GoldenJson.Numbers(item.GetProperty("shape")).Select(size => (long)size)];
        long count = shape.Aggregate(1L, (a, b) => a * b);
        using var scope = new TensorScope();
        using var norm = new BatchNorm(shape[1], item.GetProperty("epsilon").GetDouble(), 1 - item.GetProperty("momentum").GetDouble());
        norm.To(dtype);
        foreach ((string name, Tensor value) in norm.StateDict())
        {
            string key = "bn." + name.Replace("running_mean", "_mean").Replace("running_var", "_variance");
            value.CopyFrom<double>(GoldenFormula.Weight(key, [shape[1]]));
        }

        Tensor x = GoldenJson.Make(GoldenJson.Noise("bn_input", count), shape, dtype);
        x.RequiresGrad = true;
        Tensor y = norm.Forward(x);
        y.Backward(GoldenJson.Make(GoldenJson.Noise("bn_grad", count), shape, dtype));

        GoldenJson.Close(item.GetProperty("output"), y, tolerance, "output");
        GoldenJson.Close(item.GetProperty("mean_after"), norm.RunningMean, tolerance, "running mean");
        GoldenJson.Close(item.GetProperty("variance_after"), norm.RunningVariance, tolerance, "running variance");
        GoldenJson.Close(item.GetProperty("grad_input"), x.Grad!, 4 * tolerance, "gradient of the input");
        GoldenJson.Close(item.GetProperty("grad_weight"), norm.Weight.Grad ?? Tensor.Zeros([shape[1]]), 4 * tolerance, "gradient of the weight");
        GoldenJson.Close(item.GetProperty("grad_bias"), norm.Bias.Grad ?? Tensor.Zeros([shape[1]]), 4 * tolerance, "gradient of the bias");

        norm.Eval();
        double[] first = GoldenJson.Numbers(item.GetProperty("eval_output_first"));
        GoldenJson.Close(first, [.. norm.Forward(x).ToArray<double>().Take(first.Length)], tolerance, "evaluation output");
    }
}

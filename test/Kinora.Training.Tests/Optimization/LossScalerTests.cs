using System.Text.Json;
using Kinora.Tensors;
using Kinora.Tensors.Tests.Golden;

namespace Kinora.Training.Tests;

/// <summary>The scale before every step against golden/training/amp.json, and the state in a checkpoint.</summary>
[Collection(ComputeTests.Name)]
public sealed class LossScalerTests
{
    public static TheoryData<string, int> Cases()
    {
        var data = new TheoryData<string, int>();
        foreach ((string file, JsonElement root) in GoldenJson.Files("scaler_forced"))
        {
            for (int i = 0; i < root.GetProperty("scaler_forced").GetArrayLength(); i++)
            {
                data.Add(file, i);
            }
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Steps_RecordedOverflows_ScaleAndMoveAsRecorded(string file, int index)
    {
        JsonElement item = GoldenJson.Load(file).GetProperty("scaler_forced")[index];
        double[] pattern = GoldenJson.Numbers(item.GetProperty("inf_pattern"));
        double[] scales = GoldenJson.Numbers(item.GetProperty("scale_before_step"));
        double[] updated = GoldenJson.Numbers(item.GetProperty("weight_updated"));
        using var scope = new TensorScope();
        LossScaler scaler = Create(item.GetProperty("arguments"));
        Tensor weight = Tensor.Ones([2]);
        weight.RequiresGrad = true;
        using var sgd = new Sgd([new ParameterGroup([("w", weight)])], momentum: 0);
        for (int step = 0; step < pattern.Length; step++)
        {
            // Half way the run is continued from its checkpoint.
            if (step == pattern.Length / 2)
            {
                LossScaler resumed = Create(item.GetProperty("arguments"));
                resumed.LoadStateDict(scaler.StateDict());
                scaler = resumed;
            }

            Assert.Equal(scales[step], scaler.Scale);
            float[] before = weight.ToArray<float>();
            scaler.Apply((weight * Tensor.From<float>([0.5f, pattern[step] == 0 ? 1f / 2048 : float.PositiveInfinity])).Sum()).Backward();
            bool finite = scaler.Unscale(sgd);
            if (finite)
            {
                Assert.Equal([0.5f, 1f / 2048], weight.Grad!.ToArray<float>());
                sgd.Step(1);
            }

            scaler.Update(finite);
            sgd.ZeroGrad();
            Assert.Equal(updated[step] != 0, !before.AsSpan().SequenceEqual(weight.ToArray<float>()));
        }

        Assert.Equal(item.GetProperty("scale_after").GetDouble(), scaler.Scale);
        Assert.Equal(GoldenJson.Numbers(item.GetProperty("final_weight")), weight.ToArray<double>());
        var state = scaler.StateDict().ToDictionary(s => s.Name, s => s.Value.ToDouble());
        Assert.Equal(item.GetProperty("state").GetProperty("incr_count").GetDouble(), state["good_steps"]);
        Assert.Equal(item.GetProperty("state").GetProperty("decr_count").GetDouble(), state["bad_steps"]);
    }

    [Fact]
    public void LoadStateDict_MissingOrImpossible_ThrowsAndKeepsTheScale()
    {
        using var scope = new TensorScope();
        var scaler = new LossScaler(64, growAfter: 3);
        Assert.Throws<CheckpointException>(() => scaler.LoadStateDict([("scale", Tensor.Scalar(8))]));
        Assert.Throws<CheckpointException>(() => scaler.LoadStateDict(
            [("scale", Tensor.Scalar(8)), ("good_steps", Tensor.Scalar(3, DType.Int64)), ("bad_steps", Tensor.Scalar(0, DType.Int64))]));
        Assert.Equal(64, scaler.Scale);
    }

    private static LossScaler Create(JsonElement arguments) => new(
        arguments.GetProperty("init_loss_scaling").GetDouble(),
        arguments.GetProperty("incr_every_n_steps").GetInt32(),
        arguments.GetProperty("decr_every_n_nan_or_inf").GetInt32(),
        arguments.Optional("incr_ratio")?.GetDouble() ?? 2,
        arguments.Optional("decr_ratio")?.GetDouble() ?? 0.5);
}

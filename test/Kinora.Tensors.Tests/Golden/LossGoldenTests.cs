using System.Text.Json;

namespace Kinora.Tensors.Tests.Golden;

/// <summary>Cross-entropy with label smoothing, recorded from PaddleVideo's head.</summary>
public sealed class LossGoldenTests
{
    public static TheoryData<string, string, int> Cases()
    {
        var data = new TheoryData<string, string, int>();
        foreach ((string file, string list, int index) in GoldenJson.Items("base_head", "label_smooth_float64", "cross_entropy_bad_label"))
        {
            data.Add(file, list, index);
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void CrossEntropy_RecordedCase_MatchesLossAndGradient(string file, string list, int index)
    {
        JsonElement root = GoldenJson.Load(file);
        JsonElement item = root.GetProperty(list)[index];
        int classes = item.GetProperty("c").GetInt32();
        using var scope = new TensorScope();
        if (list == "cross_entropy_bad_label")
        {
            Assert.SkipUnless(item.Optional("raises") is not null, $"{file} {list} {index}: the function takes no ignored labels, the losses of Kinora.Training do");
            Tensor one = Tensor.Zeros([1, classes]);
            Tensor bad = Tensor.From<long>([item.GetProperty("label").GetInt64()]);
            Assert.Throws<ShapeException>(() => F.CrossEntropy(one, bad));
            return;
        }

        Assert.SkipWhen(item.Optional("raises") is not null, $"{file} {list} {index}: the original fails in this case");
        int count = item.GetProperty("n").GetInt32();
        DType dtype = list == "base_head" ? GoldenJson.TypeOf(item) : DType.Float64;
        bool mixed = item.Optional("mixed")?.GetBoolean() ?? false;
        bool validation = item.Optional("valid_mode")?.GetBoolean() ?? false;

        // The original forgets the validation mode where labels are mixed.
        double smoothing = validation && !mixed ? 0 : item.GetProperty("ls_eps").GetDouble();
        Tensor logits = GoldenJson.Make(GoldenJson.Noise("student", count * classes, 3), [count, classes], dtype);
        logits.RequiresGrad = true;
        Tensor loss = F.CrossEntropy(logits, Labels(3, 1), smoothing);
        if (mixed)
        {
            double share = root.GetProperty("lam").GetDouble();
            loss = (loss * share) + (F.CrossEntropy(logits, Labels(5, 2), smoothing) * (1 - share));
        }

        loss.Backward();
        double tolerance = dtype == DType.Float64 ? 1e-12 : 2e-6;
        GoldenJson.Close(item.GetProperty("loss"), loss, tolerance, "loss");
        GoldenJson.Close(item.GetProperty("grad")[0], logits.Grad!, tolerance, "gradient");

        Tensor Labels(int factor, int offset) =>
            Tensor.From<long>([.. Enumerable.Range(0, count).Select(i => (long)(((factor * i) + offset) % classes))]);
    }
}

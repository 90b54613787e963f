using System.Text.Json;
using Kinora.Tensors;
using Kinora.Tensors.Tests.Golden;

namespace Kinora.Training.Tests;

/// <summary>Values and gradients of the losses against golden/training/losses.json.</summary>
[Collection(ComputeTests.Name)]
public sealed class LossGoldenTests
{
    private static readonly string[] Lists = ["base_head", "label_smooth_float64", "cross_entropy_bad_label", "distillation_ce", "distillation_dml"];

    public static TheoryData<string, string, int> Cases()
    {
        var data = new TheoryData<string, string, int>();
        foreach ((string file, string list, int index) in GoldenJson.Items(Lists))
        {
            data.Add(file, list, index);
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Compute_RecordedCase_MatchesLossAndGradients(string file, string list, int index)
    {
        JsonElement root = GoldenJson.Load(file);
        JsonElement item = root.GetProperty(list)[index];
        int classes = item.GetProperty("c").GetInt32();
        using var scope = new TensorScope();
        if (list == "cross_entropy_bad_label")
        {
            CheckBadLabel(item, classes);
            return;
        }

        Assert.SkipWhen(item.Optional("raises") is not null, $"{file} {list} {index}: the original fails in this case");
        int count = item.GetProperty("n").GetInt32();
        DType dtype = item.Optional("dtype") is null ? DType.Float64 : GoldenJson.TypeOf(item);
        Tensor student = Logits("student"), teacher = Logits("teacher");
        Tensor loss;
        switch (list)
        {
            case "distillation_dml":
                ScoreActivation activation = item.GetProperty("act").GetString() == "sigmoid" ? ScoreActivation.Sigmoid : ScoreActivation.Softmax;
                loss = DistillationLosses.Mutual(student, teacher, activation) * item.GetProperty("loss_weight").GetDouble();
                break;
            case "distillation_ce":
                Tensor shares = Tensor.From<double>([.. GoldenJson.Numbers(root.GetProperty("lam_vector")).Take(count)]);
                loss = new CrossEntropyLoss().Compute(student, item.GetProperty("kind").GetString() == "hard"
                    ? new Targets.Hard(Labels(3, 1))
                    : new Targets.Mixed(Labels(3, 1), Labels(5, 2), shares).Averaged());
                break;
            default:
                bool mixed = item.Optional("mixed")?.GetBoolean() ?? false;
                ClassificationLoss training = new CrossEntropyLoss(item.GetProperty("ls_eps").GetDouble());

                // The original forgets the validation mode where labels are mixed.
                bool validation = (item.Optional("valid_mode")?.GetBoolean() ?? false) && !mixed;
                loss = (validation ? training.Validation : training).Compute(student, mixed
                    ? new Targets.Mixed(Labels(3, 1), Labels(5, 2), Tensor.Scalar(root.GetProperty("lam").GetDouble(), DType.Float64))
                    : new Targets.Hard(Labels(3, 1)));
                break;
        }

        loss.Backward();
        double tolerance = dtype == DType.Float64 ? 1e-12 : 2e-5;
        GoldenJson.Close(item.GetProperty("loss"), loss, tolerance, "loss");
        JsonElement gradients = item.GetProperty("grad");
        GoldenJson.Close(gradients[0], student.Grad!, tolerance, "gradient of the student");
        Assert.Equal(list == "distillation_dml" ? 2 : 1, gradients.GetArrayLength());
        if (list == "distillation_dml")
        {
            GoldenJson.Close(gradients[1], teacher.Grad!, tolerance, "gradient of the teacher");
        }

        Tensor Logits(string name)
        {
            Tensor logits = GoldenJson.Make(GoldenJson.Noise(name, count * classes, 3), [count, classes], dtype);
            logits.RequiresGrad = true;
            return logits;
        }

        Tensor Labels(int factor, int offset) =>
            Tensor.From<long>([.. Enumerable.Range(0, count).Select(i => (long)(((factor * i) + offset) % classes))]);
    }

    private static void CheckBadLabel(JsonElement item, int classes)
    {
        Tensor one = Tensor.Zeros([1, classes]);
        one.RequiresGrad = true;
        var targets = Targets.Classes([item.GetProperty("label").GetInt64()]);
        if (item.Optional("raises") is not null)
        {
            ShapeException e = Assert.Throws<ShapeException>(() => new CrossEntropyLoss().Compute(one, targets));
            Assert.Contains(item.GetProperty("label").GetRawText(), e.Message, StringComparison.Ordinal);
            return;
        }

        Tensor loss = new CrossEntropyLoss().Compute(one, targets);
        loss.Backward();
        Assert.Equal(item.GetProperty("loss").GetDouble(), loss.ToDouble());
        Assert.Equal(GoldenJson.Numbers(item.GetProperty("grad")), one.Grad!.ToArray<double>());
    }
}

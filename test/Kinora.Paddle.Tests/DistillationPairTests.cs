using System.Text.Json;
using Kinora.Models;
using Kinora.Models.Tests;
using Kinora.Tensors;
using Kinora.Testing;
using Kinora.Training;

namespace Kinora.Paddle.Tests;

/// <summary>
/// The pair that PaddleVideo trains together, PP-TSM ResNet-50-vd and PP-TSMv2, from its recipe and under the names of its
/// files ("Teacher.0.", "Teacher.1.", "Student.0."), against golden/training/distill.json.
/// </summary>
public sealed class DistillationPairTests
{
    private const string Recording = "golden/training/distill.json";

    public static IEnumerable<TheoryDataRow<string>> Parts()
    {
        foreach (string path in SharedData.Files("golden/training", "distill.json"))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (JsonProperty part in document.RootElement.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty("total", out _)))
            {
                yield return new TheoryDataRow<string>(part.Name);
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Parts))]
    public void Training_OneStep_GivesTheRecordedTermsAndGradients(string part)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require(Recording)));
        JsonElement root = document.RootElement, expected = root.GetProperty(part);
        bool mixed = part == "mixed", frozen = part == "teacher_frozen";
        int classes = root.GetProperty("classes").GetInt32();
        using var scope = new TensorScope();
        using Member student = Member.Create("Student", classes), teacher = Member.Create("Teacher", classes);
        foreach ((_, Tensor parameter) in frozen ? teacher.Network.NamedParameters() : [])
        {
            parameter.RequiresGrad = false; // yet it trains on: its batch norms follow the batch
        }

        Tensor clips = Tensor.From<double>(GoldenFormula.Clip(2, 8, 3, 64, 64), [2, 8, 3, 64, 64]);

        (Tensor ofStudent, Tensor ofTeacher) = (student.Network.Forward(clips), teacher.Network.Forward(clips));
        Tensor[] terms = [CrossEntropy(ofStudent), CrossEntropy(ofTeacher), DistillationLosses.Mutual(ofStudent, ofTeacher)];
        Tensor total = terms[0] + terms[1] + terms[2];
        total.Backward();

        Tolerance.Close([expected.GetProperty("total").GetDouble()], [total.ToDouble()], Tolerance.Double, "total");
        student.CheckStatistics(expected);
        teacher.CheckStatistics(expected);
        student.CheckGradients(expected.GetProperty("gradients"));
        teacher.CheckGradients(expected.GetProperty("gradients"));
        if (frozen)
        {
            return;
        }

        Tolerance.Close(Flat(expected.GetProperty("logits").GetProperty("Student")), ofStudent.ToArray<double>(), Tolerance.Double, "student");
        Tolerance.Close(Flat(expected.GetProperty("logits").GetProperty("Teacher")), ofTeacher.ToArray<double>(), Tolerance.Double, "teacher");
        foreach ((JsonElement term, Tensor value) in expected.GetProperty("terms").EnumerateArray().Zip(terms))
        {
            Tolerance.Close([term.GetProperty("value").GetDouble()], [value.ToDouble()], Tolerance.Double, term.GetProperty("loss").GetString()!);
        }

        Tensor CrossEntropy(Tensor logits) => new CrossEntropyLoss().Compute(logits, !mixed
            ? new Targets.Hard(Labels("labels_a"))
            : new Targets.Mixed(Labels("labels_a"), Labels("labels_b"), Tensor.From<double>([.. root.GetProperty("lam").EnumerateArray().Select(l => l.GetDouble())])));

        Tensor Labels(string name)
        {
            long[] labels = [.. root.GetProperty(name).EnumerateArray().Select(row => row[0].GetInt64())];
            return Tensor.From<long>(labels, [labels.Length]);
        }
    }

    private static double[] Flat(JsonElement rows) => [.. rows.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(v => v.GetDouble())];

    private sealed class Member : IDisposable
    {
        private readonly string _name;
        private readonly PaddleNames _names;

        private Member(string name, VideoNetwork network) => (_name, Network, _names) = (name, network, PaddleNames.For(network));

        public VideoNetwork Network { get; }

        public static Member Create(string name, int classes)
        {
            VideoNetwork network = PaddleRecipes.Build(
                name == "Teacher" ? "pptsm/pptsm_k400_frames_uniform" : "pptsm/v2/pptsm_lcnet_k400_8frames_uniform",
                new Dictionary<string, JsonElement>(), classes, withoutDropping: true);
            network.To(DType.Float64);
            var member = new Member(name, network);
            member._names.Load(network, member._names.Tensors.ToDictionary(
                t => t.Paddle, t => Tensor.From<double>(GoldenFormula.Weight(member.InPair(t.Paddle), t.Shape), [.. t.Shape])));
            return member;
        }

        public void CheckStatistics(JsonElement expected)
        {
            Dictionary<string, double[]> found = _names.Tensors.Where(t => !t.IsTrained && t.Kinora is not null)
                .Join(Network.NamedBuffers(), t => t.Kinora, b => b.Name, (t, b) => (t.Paddle, Values: b.Value.ToArray<double>()))
                .ToDictionary(t => InPair(t.Paddle), t => t.Values);
            int changed = _names.Tensors.Where(t => t.Paddle.EndsWith("_mean", StringComparison.Ordinal) && found.TryGetValue(InPair(t.Paddle), out double[]? now)
                && !now.AsSpan().SequenceEqual(GoldenFormula.Weight(InPair(t.Paddle), t.Shape))).Count();
            Assert.Equal(expected.GetProperty("running_means_changed").GetProperty(_name).GetInt32(), changed);
            foreach (JsonProperty one in expected.TryGetProperty("running_stats_after", out JsonElement some) ? some.EnumerateObject() : default)
            {
                if (found.TryGetValue(one.Name, out double[]? values))
                {
                    double[] first = [.. one.Value.EnumerateArray().Select(v => v.GetDouble())];
                    Tolerance.Close(first, values[..first.Length], Tolerance.Double, one.Name);
                }
            }
        }

        public void CheckGradients(JsonElement gradients)
        {
            JsonElement recorded = gradients.GetProperty(_name);
            Dictionary<string, Tensor> parameters = Network.NamedParameters().ToDictionary(p => p.Name, p => p.Value);
            Dictionary<string, PaddleName> names = _names.Tensors.ToDictionary(t => InPair(t.Paddle));
            double all = recorded.GetProperty("norm_all").GetDouble();
            double sum = parameters.Values.Sum(p => Math.Pow(Tolerance.Norm(p.Grad?.ToArray<double>() ?? []), 2));
            Tolerance.Close([all], [Math.Sqrt(sum)], Tolerance.Gradient, $"{_name}: norm of all gradients");
            Assert.Equal(recorded.GetProperty("trainable").GetInt32() == 0, all == 0);
            foreach (JsonProperty one in recorded.TryGetProperty("params", out JsonElement some) ? some.EnumerateObject() : default)
            {
                PaddleName name = names[one.Name];
                Tensor gradient = parameters[name.Kinora!].Grad!;
                double[] values = (name.Transposed ? gradient.Transpose(0, 1).Contiguous() : gradient).ToArray<double>();
                double norm = one.Value.GetProperty("norm").GetDouble();
                double[] first = [.. one.Value.GetProperty("first").EnumerateArray().Select(v => v.GetDouble())];
                Tolerance.Within([norm, .. first], [Tolerance.Norm(values), .. values[..first.Length]], Tolerance.Gradient * norm, one.Name);
            }
        }

        public void Dispose() => Network.Dispose();

        private string InPair(string name) => PairNames.InPair(_name, name);
    }
}

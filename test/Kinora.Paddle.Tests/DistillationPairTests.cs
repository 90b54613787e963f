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
    [Theory(SkipTestWithoutData = true)]
    [InlineData("hard", false)]
    [InlineData("mixed", true)]
    public void Training_OneStep_GivesTheRecordedTermsAndGradients(string part, bool mixed)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("golden/training/distill.json")));
        JsonElement root = document.RootElement, expected = root.GetProperty(part);
        int classes = root.GetProperty("classes").GetInt32();
        using var scope = new TensorScope();
        using Member student = Member.Create("Student", classes), teacher = Member.Create("Teacher", classes);
        Tensor clips = Tensor.From<double>(GoldenFormula.Clip(2, 8, 3, 64, 64), [2, 8, 3, 64, 64]);

        (Tensor ofStudent, Tensor ofTeacher) = (student.Network.Forward(clips), teacher.Network.Forward(clips));
        Tensor[] terms = [CrossEntropy(ofStudent), CrossEntropy(ofTeacher), DistillationLosses.Mutual(ofStudent, ofTeacher)];
        Tensor total = terms[0] + terms[1] + terms[2];
        total.Backward();

        Tolerance.Close(Flat(expected.GetProperty("logits").GetProperty("Student")), ofStudent.ToArray<double>(), Tolerance.Double, "student");
        Tolerance.Close(Flat(expected.GetProperty("logits").GetProperty("Teacher")), ofTeacher.ToArray<double>(), Tolerance.Double, "teacher");
        foreach ((JsonElement term, Tensor value) in expected.GetProperty("terms").EnumerateArray().Zip(terms))
        {
            Tolerance.Close([term.GetProperty("value").GetDouble()], [value.ToDouble()], Tolerance.Double, term.GetProperty("loss").GetString()!);
        }

        Tolerance.Close([expected.GetProperty("total").GetDouble()], [total.ToDouble()], Tolerance.Double, "total");
        student.CheckGradients(expected.GetProperty("gradients"));
        teacher.CheckGradients(expected.GetProperty("gradients"));

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

        public void CheckGradients(JsonElement gradients)
        {
            JsonElement recorded = gradients.GetProperty(_name);
            Dictionary<string, Tensor> parameters = Network.NamedParameters().ToDictionary(p => p.Name, p => p.Value);
            Dictionary<string, PaddleName> names = _names.Tensors.ToDictionary(t => InPair(t.Paddle));
            double all = recorded.GetProperty("norm_all").GetDouble();
            double sum = parameters.Values.Sum(p => Math.Pow(Tolerance.Norm(p.Grad!.ToArray<double>()), 2));
            Tolerance.Close([all], [Math.Sqrt(sum)], Tolerance.Gradient, $"{_name}: norm of all gradients");
            Assert.NotEmpty(recorded.GetProperty("params").EnumerateObject());
            foreach (JsonProperty one in recorded.GetProperty("params").EnumerateObject())
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

        // A sequence of backbone and head.
        private string InPair(string name) => name.StartsWith("backbone.", StringComparison.Ordinal)
            ? $"{_name}.0.{name["backbone.".Length..]}"
            : $"{_name}.1.{name["head.".Length..]}";
    }
}

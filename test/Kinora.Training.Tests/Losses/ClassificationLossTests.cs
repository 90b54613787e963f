using Kinora.Tensors;
using Kinora.Tensors.Tests.Golden;

namespace Kinora.Training.Tests;

/// <summary>What no recording covers: weights, ignored and dense targets, focal and binary losses, against the formulas.</summary>
[Collection(ComputeTests.Name)]
public sealed class ClassificationLossTests : IDisposable
{
    private const int Clips = 5;
    private const int Classes = 4;
    private static readonly long[] Labels = [2, 0, 3, 2, 1];
    private static readonly double[] Weights = [0.5, 2, 1.25, 0.75];
    private readonly TensorScope _scope = new();
    private readonly double[] _logits = GoldenJson.Noise("student", Clips * Classes, 3);

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void CrossEntropy_ClassWeights_DividesByTheWeightsOfTheLabels(double smoothing)
    {
        double[][] logs = [.. Rows().Select(LogSoftmax)];
        double own = (float)(1 - smoothing), others = (float)(smoothing / Classes);
        double sum = 0, total = 0;
        for (int i = 0; i < Clips; i++)
        {
            sum -= own * Weights[Labels[i]] * logs[i][Labels[i]];
            sum -= others * Weights.Zip(logs[i], (w, l) => w * l).Sum();
            total += Weights[Labels[i]];
        }

        Check(sum / total, new CrossEntropyLoss(smoothing, Tensor.From<double>(Weights)), Targets.Classes(Labels));
    }

    [Fact]
    public void Compute_IgnoredLabels_IsTheLossOfTheOthersAndGivesTheIgnoredNoGradient()
    {
        foreach (ClassificationLoss loss in All())
        {
            double[] rest = [.. _logits.Take(Classes), .. _logits.Skip(2 * Classes).Take(2 * Classes)];
            double expected = loss.Compute(Tensor.From<double>(rest, [3, Classes]), Targets.Classes([2, 3, 2])).ToDouble();
            Tensor logits = Logits();
            Tensor found = loss.Compute(logits, Targets.Classes([2, Targets.Ignored, 3, 2, Targets.Ignored]));
            found.Backward();
            Assert.Equal(expected, found.ToDouble(), 1e-14);
            double[] gradient = logits.Grad!.ToArray<double>();
            Assert.All(gradient[Classes..(2 * Classes)].Concat(gradient[(4 * Classes)..]), g => Assert.Equal(0, g));
            Assert.Contains(gradient, g => g != 0);
        }
    }

    [Fact]
    public void Compute_HardAsDense_AreEqualWithoutClassWeights()
    {
        double[] dense = new double[Clips * Classes];
        for (int i = 0; i < Clips; i++)
        {
            dense[(i * Classes) + (int)Labels[i]] = 1;
        }

        foreach (ClassificationLoss loss in new ClassificationLoss[] { new CrossEntropyLoss(), new CrossEntropyLoss(0.1), new FocalLoss(), new BinaryCrossEntropyLoss() })
        {
            double hard = loss.Compute(Logits(), Targets.Classes(Labels)).ToDouble();
            Assert.Equal(hard, loss.Compute(Logits(), new Targets.Dense(Tensor.From<double>(dense, [Clips, Classes]))).ToDouble(), 1e-12);
        }
    }

    [Fact]
    public void Compute_MixedLabels_WeighsEachClipByItsOwnShare()
    {
        double[] shares = [1, 0, 0.25, 0.5, 0.75];
        long[] second = [0, 1, 3, 0, 2];
        foreach (ClassificationLoss loss in new ClassificationLoss[] { new CrossEntropyLoss(0.1), new FocalLoss(), new BinaryCrossEntropyLoss() })
        {
            double expected = 0;
            for (int i = 0; i < Clips; i++)
            {
                Tensor row = Tensor.From<double>(_logits.AsSpan(i * Classes, Classes), [1, Classes]);
                expected += shares[i] * loss.Compute(row, Targets.Classes([Labels[i]])).ToDouble() / Clips;
                expected += (1 - shares[i]) * loss.Compute(row, Targets.Classes([second[i]])).ToDouble() / Clips;
            }

            Check(expected, loss, new Targets.Mixed(Tensor.From<long>(Labels), Tensor.From<long>(second), Tensor.From<double>(shares)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(2)]
    public void Focal_AnyGamma_IsTheFormula(double gamma)
    {
        double expected = Rows().Select((row, i) => (Log: LogSoftmax(row)[Labels[i]], Label: Labels[i]))
            .Average(c => -Weights[c.Label] * Math.Pow(1 - Math.Exp(c.Log), gamma) * c.Log);
        Check(expected, new FocalLoss(gamma, Tensor.From<double>(Weights)), Targets.Classes(Labels));
    }

    [Fact]
    public void Focal_CertainAndRight_HasAFiniteGradient()
    {
        Tensor logits = Tensor.From<float>([200, 0, 0], [1, 3]);
        logits.RequiresGrad = true;
        new FocalLoss(0.5).Compute(logits, Targets.Classes([0])).Backward();
        Assert.True(logits.Grad!.AllFinite());
    }

    [Fact]
    public void BinaryCrossEntropy_MultiHotAndPositiveWeights_IsTheFormula()
    {
        double[] hot = [1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0.5, 0, 0, 1];
        double expected = _logits.Select((x, i) =>
            -(Weights[i % Classes] * hot[i] * Math.Log(1 / (1 + Math.Exp(-x)))) - ((1 - hot[i]) * Math.Log(1 / (1 + Math.Exp(x))))).Average();
        Check(expected, new BinaryCrossEntropyLoss(Tensor.From<double>(Weights)), new Targets.Dense(Tensor.From<double>(hot, [Clips, Classes])));
    }

    [Fact]
    public void Knowledge_TwoNetworks_IsTheFormulaAndLeavesTheTeacherAlone()
    {
        const double Temperature = 3;
        double[] other = GoldenJson.Noise("teacher", Clips * Classes, 3);
        double expected = 0;
        for (int i = 0; i < Clips; i++)
        {
            double[] s = LogSoftmax([.. _logits.AsSpan(i * Classes, Classes).ToArray().Select(v => v / Temperature)]);
            double[] t = LogSoftmax([.. other.AsSpan(i * Classes, Classes).ToArray().Select(v => v / Temperature)]);
            expected += t.Zip(s, (a, b) => Math.Exp(a) * (a - b)).Sum() * Temperature * Temperature / Clips;
        }

        Tensor student = Logits(), teacher = Tensor.From<double>(other, [Clips, Classes]);
        teacher.RequiresGrad = true;
        Tensor loss = DistillationLosses.Knowledge(student, teacher, Temperature);
        loss.Backward();
        Assert.Equal(expected, loss.ToDouble(), 1e-12);
        Assert.Null(teacher.Grad);

        // The gradient is T·(softmax(student/T) − softmax(teacher/T)) / N.
        double first = Math.Exp(LogSoftmax([.. _logits.Take(Classes).Select(v => v / Temperature)])[0]) - Math.Exp(LogSoftmax([.. other.Take(Classes).Select(v => v / Temperature)])[0]);
        Assert.Equal(Temperature * first / Clips, student.Grad!.ToArray<double>()[0], 1e-12);
    }

    [Fact]
    public void Compute_BadInput_SaysWhatIsExpected()
    {
        var loss = new CrossEntropyLoss(classWeights: Tensor.Ones([3]));
        Assert.Contains("4 classes", Assert.Throws<ShapeException>(() => loss.Compute(Logits(), Targets.Classes(Labels))).Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => new CrossEntropyLoss().Compute(Logits(), Targets.Classes([1])));
        Assert.Throws<ShapeException>(() => new CrossEntropyLoss().Compute(Logits().To(DType.BFloat16), Targets.Classes(Labels)));
        Assert.Throws<ShapeException>(() => new FocalLoss().Compute(Logits(), new Targets.Dense(Tensor.Ones([Clips, 3]))));
        Assert.Throws<ShapeException>(() => DistillationLosses.Mutual(Logits(), Tensor.Ones([Clips, 3], DType.Float64)));
    }

    private static ClassificationLoss[] All() =>
    [
        new CrossEntropyLoss(), new CrossEntropyLoss(0.1), new CrossEntropyLoss(0, Tensor.From<double>(Weights)), new FocalLoss(), new BinaryCrossEntropyLoss(),
    ];

    // In both element types, and with a gradient that finite differences confirm.
    private void Check(double expected, ClassificationLoss loss, Targets targets)
    {
        Tensor logits = Logits();
        Tensor found = loss.Compute(logits, targets);
        found.Backward();
        Assert.Equal(expected, found.ToDouble(), Math.Abs(expected) * 1e-12);
        Assert.Equal(expected, loss.Compute(Logits().To(DType.Float32), targets).ToDouble(), Math.Abs(expected) * 1e-5);
        double[] gradient = logits.Grad!.ToArray<double>();
        const double Step = 1e-6;
        for (int i = 0; i < _logits.Length; i++)
        {
            double[] up = [.. _logits], down = [.. _logits];
            up[i] += Step;
            down[i] -= Step;
            double slope = (Value(up) - Value(down)) / (2 * Step);
            Assert.Equal(slope, gradient[i], 2e-7);
        }

        double Value(double[] values) => loss.Compute(Tensor.From<double>(values, [Clips, Classes]), targets).ToDouble();
    }

    private Tensor Logits()
    {
        Tensor logits = Tensor.From<double>(_logits, [Clips, Classes]);
        logits.RequiresGrad = true;
        return logits;
    }

    private IEnumerable<double[]> Rows() => _logits.Chunk(Classes);

    private static double[] LogSoftmax(double[] row)
    {
        double max = row.Max();
        double sum = Math.Log(row.Sum(v => Math.Exp(v - max))) + max;
        return [.. row.Select(v => v - sum)];
    }
}

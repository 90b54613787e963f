using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Tensors.Tests.Golden;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class PreciseBatchNormTests
{
    public static TheoryData<string, int> Cases()
    {
        var data = new TheoryData<string, int>();
        foreach ((string file, JsonElement root) in GoldenJson.Files("precise"))
        {
            for (int i = 0; i < root.GetProperty("precise").GetArrayLength(); i++)
            {
                data.Add(file, i);
            }
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Run_RecordedCase_LeavesPaddlesStatistics(string file, int index)
    {
        JsonElement item = GoldenJson.Load(file).GetProperty("precise")[index];
        Assert.SkipWhen(item.Optional("crash") is not null, $"{file} {index}: the original dies where the loader is shorter than asked for");
        JsonElement iterations = item.GetProperty("per_iteration_running");
        Assert.SkipWhen(iterations.GetArrayLength() == 0, $"{file} {index}: the original leaves batch norms of class {item.GetProperty("class").GetString()} out");

        DType dtype = GoldenJson.TypeOf(item);
        double tolerance = dtype == DType.Float64 ? 1e-12 : 2e-5;
        using var scope = new TensorScope();
        using var net = new GoldenNet(dtype, twoNorms: true);
        var loss = new CrossEntropyLoss();
        int step = 0;
        int used = PreciseBatchNorm.Run(net, Forward, item.GetProperty("num_iters").GetInt32());

        Assert.Equal(iterations.GetArrayLength(), used);
        CheckStatistics(item.GetProperty("after"));
        Assert.All(net.NamedModules().Select(m => m.Module).OfType<BatchNorm>(), n => Assert.Equal(1 - item.GetProperty("momentum_after").GetDouble(), n.Momentum, 1e-12));

        bool Forward()
        {
            if (step > 0)
            {
                CheckStatistics(iterations[step - 1]); // what the batch before this one left
            }

            if (step == item.GetProperty("loader_batches").GetInt32())
            {
                return false;
            }

            (Tensor images, Tensor labels) = GoldenNet.Batch(step, 8, dtype);
            double value = loss.Compute(net.Forward(images), new Targets.Hard(labels)).ToDouble();
            GoldenJson.Close(GoldenJson.Numbers(iterations[step++].GetProperty("loss")), [value], tolerance, $"loss of batch {step}");
            return true;
        }

        void CheckStatistics(JsonElement recorded)
        {
            foreach ((string name, Tensor value) in net.NamedBuffers())
            {
                GoldenJson.Close(recorded.GetProperty(GoldenNet.PaddleName(name)), value, tolerance, name);
            }
        }
    }

    [Fact]
    public void Run_TwoRanks_StatisticsAreTheMeansOverAllBatches()
    {
        using var scope = new TensorScope();
        using var network = new GoldenNet(twoNorms: true);
        int step = 0;
        Assert.Equal(3, PreciseBatchNorm.Run(network, () => Forward(3), 3));
        double[][] all = [.. network.NamedBuffers().Select(b => b.Value.ToArray<double>())];

        // The first rank has one of the batches, the second the others; each gets the sum of both vectors.
        var vectors = new List<double[]>();
        (step, int last) = (1, 3);
        PreciseBatchNorm.Run(network, () => Forward(last), 3, Keep);
        (step, last) = (0, 1);
        PreciseBatchNorm.Run(network, () => Forward(last), 3, mine => [.. mine.Zip(vectors[0], (a, b) => a + b)]);
        foreach ((double[] expected, double[] found) in all.Zip(network.NamedBuffers().Select(b => b.Value.ToArray<double>())))
        {
            GoldenJson.Close(expected, found, 1e-12, "statistics");
        }

        double[] Keep(double[] mine)
        {
            vectors.Add([.. mine]);
            return mine;
        }

        bool Forward(int stop)
        {
            if (step == stop)
            {
                return false;
            }

            _ = network.Forward(GoldenNet.Batch(step++, 8).Images);
            return true;
        }
    }

    [Fact]
    public void Run_FrozenBatchNorm_KeepsItsStatistics()
    {
        using var scope = new TensorScope();
        using var network = new GoldenNet(twoNorms: true);
        BatchNorm[] norms = [.. network.NamedModules().Select(m => m.Module).OfType<BatchNorm>()];
        norms[1].StaysInEvaluation = true;
        (double[] first, double[] second) = (norms[0].RunningMean.ToArray<double>(), norms[1].RunningMean.ToArray<double>());
        PreciseBatchNorm.Run(network, () => { _ = network.Forward(GoldenNet.Batch(0, 8).Images); return true; }, 1);
        Assert.NotEqual(first, norms[0].RunningMean.ToArray<double>());
        Assert.Equal(second, norms[1].RunningMean.ToArray<double>());
    }

    [Fact]
    public void Run_SeveralBatches_StatisticsAreTheMeansOverBatchesAndNothingElseChanges()
    {
        using var scope = new TensorScope();
        using var network = new TinyNetwork(new ModelOptions(3));
        BatchNorm norm = network.NamedModules().Select(m => m.Module).OfType<BatchNorm>().Single();
        network.Eval();
        Dictionary<string, float[]> before = network.NamedParameters().ToDictionary(p => p.Name, p => p.Value.ToArray<float>());
        Tensor[] batches = [.. Enumerable.Range(0, 3).Select(Batch)];

        // Each batch alone leaves its own statistics.
        var single = new List<float[]>();
        foreach (Tensor batch in batches)
        {
            Assert.Equal(1, PreciseBatchNorm.Run(network, Forward([batch]), batches: 5));
            single.Add(norm.RunningMean.ToArray<float>());
        }

        Assert.Equal(2, PreciseBatchNorm.Run(network, Forward(batches), batches: 2));
        float[] mean = norm.RunningMean.ToArray<float>();
        for (int c = 0; c < mean.Length; c++)
        {
            Assert.Equal((single[0][c] + single[1][c]) / 2, mean[c], 1e-6f);
        }

        Assert.Equal(0.1, norm.Momentum);
        Assert.False(network.IsTraining);
        Assert.All(network.NamedParameters(), p => Assert.Equal(before[p.Name], p.Value.ToArray<float>()));

        Func<bool> Forward(IEnumerable<Tensor> inputs)
        {
            var queue = new Queue<Tensor>(inputs);
            return () =>
            {
                if (!queue.TryDequeue(out Tensor? input))
                {
                    return false;
                }

                _ = network.Forward(input);
                return true;
            };
        }
    }

    private static Tensor Batch(int number)
    {
        var random = new CounterRandom(11, 0, number, "batch");
        var values = new float[2 * 2 * 3 * 32 * 32];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)random.NextDouble(-1, 1 + number);
        }

        return Tensor.From<float>(values, [2, 2, 3, 32, 32]);
    }
}

using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Training.Tests;

[Collection(ComputeTests.Name)]
public sealed class PreciseBatchNormTests
{
    [Fact]
    public void StatisticsAverage_RecordedBatches_EqualsPaddle()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(SharedData.Require("golden/training/precise_bn.json")));
        int compared = 0;
        foreach (JsonElement record in document.RootElement.GetProperty("precise").EnumerateArray())
        {
            if (record.TryGetProperty("crash", out _) || !record.TryGetProperty("per_iteration_running", out JsonElement iterations))
            {
                continue; // a loader shorter than asked for: the original dies half way
            }

            double tolerance = record.GetProperty("dtype").GetString() == "float64" ? 1e-12 : 2e-6;
            foreach (JsonProperty buffer in record.GetProperty("after").EnumerateObject())
            {
                if (iterations.GetArrayLength() == 0 || !iterations[0].TryGetProperty(buffer.Name, out _))
                {
                    continue;
                }

                var average = new StatisticsAverage();
                foreach (JsonElement iteration in iterations.EnumerateArray())
                {
                    average.Add<double>([.. iteration.GetProperty(buffer.Name).EnumerateArray().Select(e => e.GetDouble())]);
                }

                double[] expected = [.. buffer.Value.EnumerateArray().Select(e => e.GetDouble())];
                for (int i = 0; i < expected.Length; i++)
                {
                    Assert.Equal(expected[i], average.Values[i], Math.Max(1, Math.Abs(expected[i])) * tolerance);
                }

                compared++;
            }
        }

        Assert.SkipWhen(compared == 0, "no record of precise batch norm that changes the statistics");
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

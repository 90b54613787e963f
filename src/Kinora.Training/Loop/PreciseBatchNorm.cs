using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Replaces the running statistics of batch norm by averages over whole batches under the present weights. Running
/// statistics lag behind; on small data they may still describe the network's previous life.
/// </summary>
/// <remarks>
/// PaddleVideo's do_preciseBN, for every batch norm and not some classes of it; Wu and Johnson, "Rethinking 'Batch' in
/// BatchNorm", arXiv:2105.07576. Variances are averaged as the layer keeps them (biased or not). Batch norms that stay in
/// evaluation, frozen ones, keep theirs.
/// </remarks>
internal static class PreciseBatchNorm
{
    /// <summary>Runs batches through the network and averages what each leaves in the running statistics.</summary>
    /// <param name="network">Left in the mode and with the momenta it came with, whatever happens.</param>
    /// <param name="forward">Runs the next batch, in training mode and without gradients; false when there is none.</param>
    /// <param name="batches">Batches to use at the most; with fewer, those there are.</param>
    /// <param name="sumOverRanks">
    /// Gets a vector and gives the sum of all ranks' vectors, which are equally long: makes the averages those over the
    /// batches of all ranks. Called once on every rank. Null for one rank.
    /// </param>
    /// <returns>Batches used here.</returns>
    public static int Run(Module network, Func<bool> forward, int batches, Func<double[], double[]>? sumOverRanks = null)
    {
        bool wasTraining = network.IsTraining;
        network.Train();
        BatchNorm[] layers = [.. network.NamedModules().Select(m => m.Module).OfType<BatchNorm>().Where(l => l.IsTraining)];
        Tensor[] statistics = [.. layers.SelectMany(l => (Tensor[])[l.RunningMean, l.RunningVariance])];
        double[] momenta = [.. layers.Select(l => l.Momentum)];
        StatisticsAverage[] averages = [.. statistics.Select(_ => new StatisticsAverage())];
        Array.ForEach(layers, layer => layer.Momentum = 1); // running statistics = those of the batch
        int done = 0;
        try
        {
            using IDisposable mode = Grad.Disable();
            for (; done < batches && forward(); done++)
            {
                for (int i = 0; i < statistics.Length; i++)
                {
                    averages[i].Add<double>(statistics[i].ToArray<double>());
                }
            }

            double[][] means = [.. averages.Select((average, i) => done == 0 ? new double[statistics[i].Count] : average.Values.ToArray())];
            double total = sumOverRanks is null ? done : AverageOverRanks(means, done, sumOverRanks);
            for (int i = 0; i < statistics.Length && total > 0; i++)
            {
                statistics[i].CopyFrom<double>(means[i]);
            }
        }
        finally
        {
            for (int i = 0; i < layers.Length; i++)
            {
                layers[i].Momentum = momenta[i];
            }

            network.Train(wasTraining);
        }

        return done;
    }

    // Ranks may have seen different numbers of batches: each counts as often as it has.
    private static double AverageOverRanks(double[][] means, int batches, Func<double[], double[]> sumOverRanks)
    {
        double[] sums = sumOverRanks([batches, .. means.SelectMany(m => m).Select(v => v * batches)]);
        int at = 1;
        foreach (double[] mean in means)
        {
            for (int i = 0; i < mean.Length; i++)
            {
                mean[i] = sums[at++] / Math.Max(1, sums[0]);
            }
        }

        return sums[0];
    }
}

/// <summary>The running average of vectors: m += (x − m)/(k + 1).</summary>
internal sealed class StatisticsAverage
{
    private double[] _mean = [];
    private int _count;

    public ReadOnlySpan<double> Values => _mean;

    public void Add<T>(ReadOnlySpan<T> values)
        where T : System.Numerics.INumberBase<T>
    {
        if (_count == 0)
        {
            _mean = new double[values.Length];
        }

        _count++;
        for (int i = 0; i < _mean.Length; i++)
        {
            _mean[i] += (double.CreateChecked(values[i]) - _mean[i]) / _count;
        }
    }
}

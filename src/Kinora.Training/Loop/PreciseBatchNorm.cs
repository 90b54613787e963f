using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Replaces the running statistics of batch norm by averages over whole batches under the present weights. Running
/// statistics lag behind; on small data they may still describe the network's previous life.
/// </summary>
/// <remarks>PaddleVideo's do_preciseBN; Wu and Johnson, "Rethinking 'Batch' in BatchNorm", arXiv:2105.07576. Variances are averaged as they are (biased).</remarks>
internal static class PreciseBatchNorm
{
    /// <summary>Runs batches through the network and averages what each leaves in the running statistics.</summary>
    /// <param name="network">Left in the mode and with the momenta it came with.</param>
    /// <param name="forward">Runs the next batch, in training mode and without gradients; false when there is none.</param>
    /// <param name="batches">Batches to use at the most.</param>
    /// <returns>Batches used.</returns>
    public static int Run(Module network, Func<bool> forward, int batches)
    {
        BatchNorm[] layers = [.. network.NamedModules().Select(m => m.Module).OfType<BatchNorm>()];
        double[] momenta = [.. layers.Select(l => l.Momentum)];
        bool wasTraining = network.IsTraining;
        var means = new StatisticsAverage[layers.Length];
        var variances = new StatisticsAverage[layers.Length];
        for (int i = 0; i < layers.Length; i++)
        {
            (means[i], variances[i]) = (new(), new());
            layers[i].Momentum = 1; // running statistics = those of the batch
        }

        int done = 0;
        try
        {
            network.Train();
            using IDisposable mode = Grad.Disable();
            for (; done < batches && forward(); done++)
            {
                for (int i = 0; i < layers.Length; i++)
                {
                    means[i].Add(layers[i].RunningMean.ToArray<float>());
                    variances[i].Add(layers[i].RunningVariance.ToArray<float>());
                }
            }

            for (int i = 0; i < layers.Length && done > 0; i++)
            {
                layers[i].RunningMean.CopyFrom<float>(means[i].ToSingle());
                layers[i].RunningVariance.CopyFrom<float>(variances[i].ToSingle());
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
}

/// <summary>The running average of vectors: m += (x − m)/(k + 1).</summary>
internal sealed class StatisticsAverage
{
    private double[] _mean = [];
    private int _count;

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

    public void Add(float[] values) => Add<float>(values);

    public ReadOnlySpan<double> Values => _mean;

    public float[] ToSingle() => [.. _mean.Select(v => (float)v)];
}

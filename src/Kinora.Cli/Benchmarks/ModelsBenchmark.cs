using System.Diagnostics;
using Kinora.Models;
using Kinora.Onnx;

namespace Kinora.Cli.Benchmarks;

/// <summary>
/// Times networks in ONNX Runtime, one clip at a time, in float32. In each round every number of threads has its turn, so
/// that a neighbour's load meets all alike; medians over the rounds count. The probe of the peak runs in the same rounds,
/// and its best counts: anything less isn't what the processor can do.
/// </summary>
internal sealed class ModelsBenchmark : IDisposable
{
    private const int MostRounds = 15;
    private const int FirstSamples = 5;

    private readonly IReadOnlyList<int> _threads;
    private readonly double _secondsPerNetwork;
    private readonly string _folder;
    private readonly PeakProbe _probe;
    private readonly List<PeakSample>[] _peaks;

    /// <summary>Prepares to measure.</summary>
    /// <param name="threads">Numbers of threads.</param>
    /// <param name="secondsPerNetwork">No round begins that would end later; the first is always finished.</param>
    /// <param name="folder">Where exported networks are kept.</param>
    public ModelsBenchmark(IReadOnlyList<int> threads, double secondsPerNetwork, string folder)
    {
        (_threads, _secondsPerNetwork, _folder) = (threads, secondsPerNetwork, folder);
        _probe = new PeakProbe(threads.Max());
        _peaks = [.. threads.Select(t => Enumerable.Range(0, FirstSamples).Select(_ => _probe.Sample(t)).ToList())];
    }

    /// <summary>The peaks so far.</summary>
    public IReadOnlyList<MeasuredPeak> Peaks => [.. _threads.Select((t, i) => new MeasuredPeak(t, _peaks[i].Max(p => p.Best), Median(_peaks[i].Select(p => p.Sustained))))];

    /// <summary>Times one network.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">Classes, frames, size.</param>
    /// <param name="progress">Hears what is being done.</param>
    /// <param name="ct">Stops between two clips.</param>
    /// <returns>The times; an entry with an error if the network can't be exported or run.</returns>
    public NetworkTiming Run(string name, ModelOptions options, IProgress<string> progress, CancellationToken ct)
    {
        NetworkCost cost = NetworkCost.Measure(name, options, merged: true);
        NetworkTiming timing = new(name, (int)cost.Input[1], (int)cost.Input[3], cost.MultiplyAdds, []);
        try
        {
            string path = RandomNetworks.Find(name, options, _folder, progress, ct);
            progress.Report("measuring");
            List<double>[] milliseconds = Time(path, ct);
            return timing with
            {
                Threads = [.. _threads.Select((t, i) =>
                    new ThreadTiming(t, Median(milliseconds[i]), milliseconds[i].Min(), milliseconds[i].Count, cost.MultiplyAdds / Median(milliseconds[i]) / 1e6))],
            };
        }
        catch (KinoraException e)
        {
            return timing with { Error = e.Message };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _probe.Dispose();

    private List<double>[] Time(string path, CancellationToken ct)
    {
        List<double>[] milliseconds = [.. _threads.Select(_ => new List<double>())];
        List<OnnxNetwork> networks = [];
        List<NetworkBatch> batches = [];
        try
        {
            foreach (int count in _threads)
            {
                ct.ThrowIfCancellationRequested();
                OnnxNetwork network = OnnxNetwork.Load(path, count);
                networks.Add(network);
                batches.Add(network.Rent(1));
                RandomNetworks.FillClip(batches[^1].Clips);
                batches[^1].Run(ct);    // the first run lays out memory
            }

            long start = Stopwatch.GetTimestamp();
            double longest = 0;
            for (int round = 0; round < MostRounds && (round == 0 || Stopwatch.GetElapsedTime(start).TotalSeconds + longest <= _secondsPerNetwork); round++)
            {
                long roundStart = Stopwatch.GetTimestamp();
                for (int i = 0; i < _threads.Count; i++)
                {
                    ct.ThrowIfCancellationRequested();
                    _peaks[i].Add(_probe.Sample(_threads[i]));
                    long clipStart = Stopwatch.GetTimestamp();
                    batches[i].Run(ct);
                    milliseconds[i].Add(Stopwatch.GetElapsedTime(clipStart).TotalMilliseconds);
                }

                longest = Math.Max(longest, Stopwatch.GetElapsedTime(roundStart).TotalSeconds);
            }
        }
        finally
        {
            foreach (IDisposable resource in batches.Concat<IDisposable>(networks))
            {
                resource.Dispose();
            }
        }

        return milliseconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

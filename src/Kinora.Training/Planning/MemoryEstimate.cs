using System.Globalization;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>Whether a training step fits into the memory that is free.</summary>
internal static class MemoryEstimate
{
    // Weights and gradients, and up to two values that an optimiser keeps of each.
    private const int ValuesPerParameter = 4;

    // What else a step holds for a moment: gradients of the activations, and the buffers of convolutions.
    private const double Surcharge = 1.2;

    /// <summary>Bytes that a step takes at most, roughly.</summary>
    /// <param name="config">The run, filled in.</param>
    /// <param name="cost">What one clip costs its network.</param>
    public static long OfStep(TrainingConfig config, NetworkCost cost)
    {
        double each = config.Loop.Precision switch
        {
            Precision.Fp64 => 8,
            Precision.Bf16 or Precision.Fp16 => 2.5, // some operators keep float32
            _ => 4,
        };
        double activations = each * cost.Activations * config.Loop.BatchSize!.Value * Surcharge;
        return (long)(activations + (ValuesPerParameter * Math.Max(4, each) * cost.Parameters));
    }

    /// <summary>Says so where it doesn't fit.</summary>
    /// <param name="config">The run, filled in.</param>
    /// <param name="cost">What one clip costs its network.</param>
    /// <param name="free">Free memory in bytes; null where it isn't known.</param>
    /// <returns>A sentence, or null.</returns>
    public static string? Warn(TrainingConfig config, NetworkCost cost, long? free)
    {
        long needed = OfStep(config, cost);
        if (free is not long available || needed <= available)
        {
            return null;
        }

        int batch = config.Loop.BatchSize!.Value, parts = 1;
        LoopConfig smaller = config.Loop;
        while (batch % (2 * parts) == 0 && OfStep(config with { Loop = smaller }, cost) > 0.8 * available)
        {
            parts *= 2;
            smaller = config.Loop with { BatchSize = batch / parts };
        }

        string remedy = parts > 1
            ? Text($"loop.batchSize={batch / parts} with loop.accumulate={config.Loop.Accumulate * parts} takes the same steps in {Gigabytes(OfStep(config with { Loop = smaller }, cost))} GB, though batch norms then see {batch / parts} clips at a time")
            : Text($"take fewer frames, a smaller picture or model.checkpointGradients");
        return Text($"a step needs about {Gigabytes(needed)} GB of memory and {Gigabytes(available)} GB are free, so it wasn't tried: the system may end the run; {remedy}");
    }

    /// <summary>Memory that this process can still get, in bytes; null where the system doesn't say.</summary>
    public static long? Free()
    {
        if (Device.Current.Type != DeviceType.Cpu)
        {
            return null;
        }

        long? system = Number("/proc/meminfo", "MemAvailable:") is long kilobytes ? kilobytes << 10 : null;
        long? limit = Number("/sys/fs/cgroup/memory.max", ""), used = Number("/sys/fs/cgroup/memory.current", "");
        return system is null || limit is null || used is null ? system : Math.Min(system.Value, limit.Value - used.Value);
    }

    // The number behind a word at the beginning of a line.
    private static long? Number(string file, string word)
    {
        try
        {
            string? line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith(word, StringComparison.Ordinal));
            return line is not null && long.TryParse(line[word.Length..].Trim().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Gigabytes(long bytes) => (bytes / 1e9).ToString(bytes < 1e10 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

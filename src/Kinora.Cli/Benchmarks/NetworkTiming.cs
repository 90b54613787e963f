using System.Globalization;

namespace Kinora.Cli.Benchmarks;

/// <summary>How fast one network runs.</summary>
/// <param name="Name">Catalogue name.</param>
/// <param name="Frames">Frames of the clip.</param>
/// <param name="Size">Side of the input, in pixels.</param>
/// <param name="MultiplyAdds">Of one clip, training-time branches merged, as in the file that was run.</param>
/// <param name="Threads">One entry for each number of threads.</param>
/// <param name="Error">Why there are no figures; null when there are.</param>
internal sealed record NetworkTiming(string Name, int Frames, int Size, long MultiplyAdds, IReadOnlyList<ThreadTiming> Threads, string? Error = null);

/// <summary>How fast a network runs on some threads.</summary>
/// <param name="Threads">Threads of a run.</param>
/// <param name="Milliseconds">Median time of a clip.</param>
/// <param name="BestMilliseconds">Shortest time of a clip.</param>
/// <param name="Rounds">How often a clip was timed.</param>
/// <param name="GflopPerSecond">Multiply-adds a second, in units of 10⁹.</param>
internal sealed record ThreadTiming(int Threads, double Milliseconds, double BestMilliseconds, int Rounds, double GflopPerSecond)
{
    /// <summary>That, divided by the peak measured in the same run with as many threads; known when the run is over.</summary>
    public double PeakShare { get; init; }
}

/// <summary>What the processor reached at best while networks were timed.</summary>
/// <param name="Threads">Threads that multiplied at the same time.</param>
/// <param name="GflopPerSecond">Their best, in units of 10⁹ multiply-adds a second.</param>
/// <param name="SustainedGflopPerSecond">What they usually kept up: far below the best when other programs were busy meanwhile.</param>
internal sealed record MeasuredPeak(int Threads, double GflopPerSecond, double SustainedGflopPerSecond);

/// <summary>What <c>bench models --json</c> prints.</summary>
/// <param name="Kinora">Version.</param>
/// <param name="OnnxRuntime">Version.</param>
/// <param name="Processor">Its name.</param>
/// <param name="Date">When, UTC.</param>
/// <param name="Peaks">One for each number of threads.</param>
/// <param name="Networks">In the order asked for.</param>
internal sealed record ModelsBenchReport(
    string Kinora, string OnnxRuntime, string Processor, string Date, IReadOnlyList<MeasuredPeak> Peaks, IReadOnlyList<NetworkTiming> Networks)
{
    /// <summary>Puts a run's figures together.</summary>
    /// <param name="onnxRuntime">Version of ONNX Runtime.</param>
    /// <param name="peaks">The peaks of the whole run.</param>
    /// <param name="timings">Its networks.</param>
    /// <returns>The report, with the share of the peak of each.</returns>
    public static ModelsBenchReport Create(string onnxRuntime, IReadOnlyList<MeasuredPeak> peaks, IReadOnlyList<NetworkTiming> timings) => new(
        Provenance.Version,
        onnxRuntime,
        Machine.ProcessorName,
        TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        peaks,
        [.. timings.Select(timing => timing with
        {
            Threads = [.. timing.Threads.Select(t => t with { PeakShare = t.GflopPerSecond / peaks.Single(p => p.Threads == t.Threads).GflopPerSecond })],
        })]);
}

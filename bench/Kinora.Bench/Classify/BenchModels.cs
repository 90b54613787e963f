using Kinora.Cli.Benchmarks;
using Kinora.Models;
using Kinora.Onnx;

namespace Kinora.Bench.Classify;

/// <summary>Networks to run: files, or networks of the catalogue with their initial weights, exported on first use.</summary>
internal static class BenchModels
{
    /// <summary>Finds or makes a model.</summary>
    /// <param name="name">An .onnx file, a run folder, or a catalogue name.</param>
    /// <param name="frames">T of a catalogue network; 0 takes its own.</param>
    /// <returns>What <see cref="VideoClassifier.Load"/> takes.</returns>
    public static string Find(string name, int frames) => Path.Exists(name)
        ? name
        : BenchFolder.Cached(
            $"{name}-{frames}-{RandomNetworks.Classes}.onnx",
            path => RandomNetworks.Export(name, new ModelOptions(RandomNetworks.Classes, frames == 0 ? null : frames), path));
}

using Kinora.Models;
using Kinora.Onnx;
using Kinora.Onnx.Export;

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
        : BenchFolder.Cached($"{name}-{frames}-400.onnx", path => Export(name, frames, path));

    private static void Export(string name, int frames, string path)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(400, frames == 0 ? null : frames));
        var clip = new float[network.EvaluationSpec.Frames * 3 * network.EvaluationSpec.Size * network.EvaluationSpec.Size];
        var random = new CounterRandom(1, "bench clip");
        for (int i = 0; i < clip.Length; i++)
        {
            clip[i] = (float)random.NextDouble(-2, 2);
        }

        _ = OnnxExporter.Export(network, path, new ExportOptions { Labels = LabelMap.Numbered(400), CheckClips = clip, Runner = Run });
    }

    private static float[] Run(string path, float[] clips, long[] shape)
    {
        using OnnxNetwork network = OnnxNetwork.Load(path, 2);
        using NetworkBatch batch = network.Rent((int)shape[0]);
        clips.CopyTo(batch.Clips);
        batch.Run();
        return batch.Logits.ToArray();
    }
}

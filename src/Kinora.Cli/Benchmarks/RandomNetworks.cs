using System.Security.Cryptography;
using Kinora.Models;
using Kinora.Onnx;
using Kinora.Onnx.Export;
using Kinora.Paddle;
using Kinora.Tensors;

namespace Kinora.Cli.Benchmarks;

/// <summary>Networks of the catalogue as ONNX files with random weights: what speed is measured on, whatever they would recognise.</summary>
internal static class RandomNetworks
{
    /// <summary>Classes of the files, as of Kinetics-400.</summary>
    public const int Classes = 400;

    private static readonly TimeSpan Kept = TimeSpan.FromDays(14);

    /// <summary>
    /// The user's folder for such files, one below it for each build of what writes them: a network or an exporter that has
    /// changed is exported again.
    /// </summary>
    public static string DefaultFolder => Path.Combine(CacheFolder.Find(), "bench");

    /// <summary>A random clip, normalised pixels.</summary>
    /// <param name="clip">Filled with numbers in [−2, 2).</param>
    public static void FillClip(Span<float> clip)
    {
        CounterRandom random = new(1, "bench clip");
        foreach (ref float value in clip)
        {
            value = (float)random.NextDouble(-2, 2);
        }
    }

    /// <summary>Finds or makes a file.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">The network's options.</param>
    /// <param name="folder">Folder of such files, as <see cref="DefaultFolder"/>.</param>
    /// <param name="progress">Hears the steps of an export.</param>
    /// <param name="ct">Stops an export between steps; nothing is left behind.</param>
    /// <returns>The file.</returns>
    /// <exception cref="ExportException">The network can't be exported.</exception>
    public static string Find(string name, ModelOptions options, string folder, IProgress<string>? progress, CancellationToken ct)
    {
        string mine = Path.Combine(folder, Build());
        string frames = options.Frames is { } t ? $"-{t}f" : "", size = options.Size is { } s ? $"-{s}px" : "";
        string path = Path.Combine(mine, $"{name}{frames}{size}-{options.Classes}.onnx");
        if (!File.Exists(path))
        {
            RemoveStale(folder);
            Export(name, options, path, progress, ct);
        }

        Directory.SetLastWriteTimeUtc(mine, TimeProvider.System.GetUtcNow().UtcDateTime);
        return path;
    }

    /// <summary>Writes a file.</summary>
    /// <param name="name">Catalogue name.</param>
    /// <param name="options">The network's options.</param>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="progress">Hears each step.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <exception cref="ExportException">The network can't be exported.</exception>
    public static void Export(string name, ModelOptions options, string path, IProgress<string>? progress = null, CancellationToken ct = default)
    {
        progress?.Report("giving it random weights");
        using VideoNetwork network = ModelCatalog.Create(name, options);
        ct.ThrowIfCancellationRequested();
        float[] clip = new float[3 * network.EvaluationSpec.Frames * network.EvaluationSpec.Size * network.EvaluationSpec.Size];
        FillClip(clip);
        _ = OnnxExporter.Export(
            network, path, new ExportOptions { Labels = LabelMap.Numbered(network.Classes), CheckClips = clip, Runner = Run }, progress, ct);
    }

    private static float[] Run(string path, float[] clips, long[] shape)
    {
        using OnnxNetwork network = OnnxNetwork.Load(path, Environment.ProcessorCount);
        using NetworkBatch batch = network.Rent(checked((int)shape[0]));
        clips.CopyTo(batch.Clips);
        batch.Run();
        return batch.Logits.ToArray();
    }

    // The version alone would miss what a developer has just changed.
    private static string Build()
    {
        Type[] makers = [typeof(VideoNetwork), typeof(Tensor), typeof(OnnxExporter)];
        byte[] modules = [.. makers.SelectMany(type => type.Module.ModuleVersionId.ToByteArray())];
        return $"{Provenance.Version.Split('+')[0]}-{Convert.ToHexStringLower(SHA256.HashData(modules))[..8]}";
    }

    private static void RemoveStale(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (string build in Directory.EnumerateDirectories(folder))
        {
            if (TimeProvider.System.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(build) > Kept)
            {
                Directory.Delete(build, recursive: true);
            }
        }
    }
}

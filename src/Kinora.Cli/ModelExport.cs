using Kinora.Data;
using Kinora.Media;
using Kinora.Models;
using Kinora.Onnx;
using Kinora.Onnx.Export;
using Kinora.Training;

namespace Kinora.Cli;

/// <summary>Turns a checkpoint into an ONNX file, checked on real frames in ONNX Runtime before it is put in place.</summary>
internal static class ModelExport
{
    /// <summary>Name of the model file in a run folder.</summary>
    public const string FileName = "model.onnx";

    private const int CheckedClips = 2;

    /// <summary>Exports a run's best checkpoint (or its last, if there is no best), or a checkpoint file.</summary>
    /// <param name="checkpointPath">A run folder or a .safetensors file.</param>
    /// <param name="target">The file to create or replace.</param>
    /// <param name="clips">Videos for the check; null takes some of the run's data, or else the sample clips.</param>
    /// <param name="opset">ONNX operator set; null takes the exporter's default.</param>
    /// <param name="progress">Hears each step.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <returns>What was written and how far it differs from the network.</returns>
    public static ExportReport Run(
        string checkpointPath, string target, IReadOnlyList<string>? clips, int? opset, IProgress<string>? progress, CancellationToken ct)
    {
        Checkpoint checkpoint = Checkpoint.Read(checkpointPath);
        using VideoNetwork network = checkpoint.LoadNetwork();
        return Run(checkpoint, network, target, clips, opset, progress, ct);
    }

    /// <summary>Exports a network that is in memory.</summary>
    /// <param name="checkpoint">What it is: labels, clip specification, origin.</param>
    /// <param name="network">The network.</param>
    /// <param name="target">The file to create or replace.</param>
    /// <param name="clips">Videos for the check; null takes some of the run's data, or else the sample clips.</param>
    /// <param name="opset">ONNX operator set; null takes the exporter's default.</param>
    /// <param name="progress">Hears each step.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <returns>What was written and how far it differs from the network.</returns>
    public static ExportReport Run(
        Checkpoint checkpoint, VideoNetwork network, string target, IReadOnlyList<string>? clips, int? opset, IProgress<string>? progress, CancellationToken ct)
    {
        ReadOnlyMemory<float> frames = ReadClips(checkpoint, clips, ct);
        ExportOptions options = new()
        {
            Labels = checkpoint.Labels,
            Spec = checkpoint.ClipSpec,
            Config = ConfigYaml.Write(checkpoint.Config),
            Provenance = new Dictionary<string, string>(checkpoint.Provenance)
            {
                ["model"] = checkpoint.Model,
                ["epoch"] = $"{checkpoint.Epoch}",
                ["seed"] = $"{checkpoint.Config.Seed}",
            },
            CheckClips = frames,
            Runner = RunOnnx,
        };
        if (opset is { } version)
        {
            options = options with { Opset = version };
        }

        return OnnxExporter.Export(network, target, options, progress, ct);
    }

    private static ReadOnlyMemory<float> ReadClips(Checkpoint checkpoint, IReadOnlyList<string>? named, CancellationToken ct)
    {
        ClipPipeline pipeline = new(checkpoint.ClipSpec);
        List<float> frames = [];
        foreach (string clip in named ?? Candidates(checkpoint))
        {
            try
            {
                using IFrameSource source = FrameSource.Open(clip, checkpoint.ClipSpec.Color, ct);
                using DecodedClip decoded = pipeline.Decode(source, ct);
                float[] views = new float[pipeline.Views * pipeline.FloatsPerView];
                pipeline.Transform(decoded, views);
                frames.AddRange(views.AsSpan(0, pipeline.FloatsPerView));
            }
            catch (MediaException) when (named is null)
            {
                continue; // Damaged training clips were reported in training; the check takes the next one.
            }

            if (frames.Count >= CheckedClips * pipeline.FloatsPerView)
            {
                break;
            }
        }

        return frames.Count > 0
            ? frames.ToArray()
            : throw new MediaException("export: expected a readable video to compare the file with the network on, found none; name one with --clip");
    }

    // The run's own data, validation before training; where it is gone, the sample clips.
    private static IEnumerable<string> Candidates(Checkpoint checkpoint)
    {
        DataConfig data = checkpoint.Config.Data;
        if (Directory.Exists(data.Path))
        {
            DatasetSplits splits = DatasetFolder.Load(data.Path);
            foreach (VideoSample sample in splits.Validation.Samples.Concat(splits.Train.Samples))
            {
                yield return sample.Path;
            }
        }

        if (BundledFiles.SampleClips is { } folder)
        {
            foreach (string clip in VideoInputs.Expand([folder]))
            {
                yield return clip;
            }
        }
    }

    private static float[] RunOnnx(string path, float[] clips, long[] shape)
    {
        int views = checked((int)shape[0]);
        using OnnxNetwork network = OnnxNetwork.Load(path, Environment.ProcessorCount);
        using NetworkBatch batch = network.Rent(views);
        clips.CopyTo(batch.Clips);
        batch.Run();
        return batch.Logits.ToArray();
    }
}

using System.Globalization;
using Google.Protobuf;
using Kinora.Models;
using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Recording;
using Kinora.Onnx.Export.Simplify;
using Kinora.Tensors;

namespace Kinora.Onnx.Export;

/// <summary>Writes networks as ONNX files.</summary>
/// <remarks>
/// The forward pass is recorded operator by operator, so networks contain no code for export. Parallel training-time
/// branches, batch norms and dropout factors end up inside the convolutions' weights; the network itself isn't changed.
/// </remarks>
public static class OnnxExporter
{
    /// <summary>Protocol buffers end at 2 GB; the graph itself needs far less than the margin.</summary>
    internal const long MaximumBytes = int.MaxValue - (64L << 20);

    /// <summary>Exports a network with its weights. The file appears only after it gave the network's scores.</summary>
    /// <param name="network">The network, in float32; it is used in evaluation mode and handed back in the mode it came in.</param>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="options">Metadata and check.</param>
    /// <param name="progress">Hears each step by name.</param>
    /// <param name="cancellation">Ends the export between two steps; nothing is left behind.</param>
    /// <returns>Sizes, operators, and the difference that the check found.</returns>
    /// <exception cref="ExportException">The network can't be expressed, or the written file gives other scores.</exception>
    /// <exception cref="ConfigException">The options don't fit the network.</exception>
    public static ExportReport Export(
        VideoNetwork network, string path, ExportOptions options, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(options);
        ClipSpec spec = options.Spec ?? network.EvaluationSpec;
        Validate(network, options, spec, path);
        long[] clip = [spec.Frames, 3, spec.Size, spec.Size];

        bool wasTraining = network.IsTraining;
        network.Eval();
        try
        {
            IReadOnlyList<(string Name, Tensor Value)> parameters = [.. network.NamedParameters(), .. network.NamedBuffers()];
            progress?.Report("recording the forward pass");
            NetworkGraph graph = Capture(network.Forward, parameters, clip);
            ReturnCachedMemory();
            cancellation.ThrowIfCancellationRequested();

            progress?.Report("simplifying the graph");
            Simplifier.Run(graph, options.Opset);
            cancellation.ThrowIfCancellationRequested();

            ModelHeader header = Header(network, options, spec);
            ModelProto model = OnnxWriter.Write(graph, header);
            ModelValidation.Check(model);
            long weightBytes = model.Graph.Initializer.Sum(tensor => (long)tensor.RawData.Length);
            if (weightBytes > MaximumBytes)
            {
                throw new ExportException($"export {network.Name}: {weightBytes} bytes of weights; one ONNX file holds at most 2 GB", path);
            }

            double difference = 0;
            AtomicFile.WriteNamed(path, temporary =>
            {
                Save(model, temporary);
                progress?.Report("comparing the file with the network");
                difference = new ExportCheck(network.Forward, parameters, options, clip).Compare(graph, header, temporary, path, cancellation);
            });
            return new ExportReport(
                path,
                new FileInfo(path).Length,
                weightBytes,
                model.Graph.Node.GroupBy(node => node.OpType).ToDictionary(group => group.Key, group => group.Count()),
                difference);
        }
        finally
        {
            network.Train(wasTraining);
        }
    }

    /// <summary>The graph of a forward pass before any simplification.</summary>
    internal static NetworkGraph Capture(Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, long[] clip)
    {
        using NetworkRecorder recorder = NetworkRecorder.Record(forward, parameters, clip);
        return GraphImporter.Import(recorder.Trace);
    }

    internal static void Save(ModelProto model, string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        model.WriteTo(stream);
    }

    // A recorded pass leaves gigabytes behind for the next one; the runtime that checks the file needs them now.
    private static void ReturnCachedMemory()
    {
        long limit = Torch.CacheLimitBytes;
        Torch.CacheLimitBytes = 0;
        Torch.CacheLimitBytes = limit;
    }

    private static void Validate(VideoNetwork network, ExportOptions options, ClipSpec spec, string path)
    {
        Require(options.Labels.Count == network.Classes, "labels", $"{network.Classes} names, one a class", options.Labels.Count);
        Require(spec.Layout == ClipLayout.Ntchw, "clip specification", $"the layout {ClipLayout.Ntchw}", spec.Layout);
        Require(options.Opset is >= OnnxWriter.OldestOpset and <= OnnxWriter.NewestOpset, "opset", $"{OnnxWriter.OldestOpset} to {OnnxWriter.NewestOpset}", options.Opset);
        Require(options.Tolerance > 0, "tolerance", "above 0", options.Tolerance);
        long clip = 3L * spec.Frames * spec.Size * spec.Size;
        Require(
            options.CheckClips.Length > 0 && options.CheckClips.Length % clip == 0,
            "check clips", $"a multiple of {clip} values ({spec.Frames}·3·{spec.Size}·{spec.Size})", options.CheckClips.Length);
        foreach ((string name, Tensor value) in network.NamedParameters())
        {
            Require(value.DType == DType.Float32, $"parameter {name}", "float32 (convert the network first)", value.DType);
        }

        void Require(bool holds, string what, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"export {network.Name}: {what}: expected {expected}, found {found}"), path);
            }
        }
    }

    private static ModelHeader Header(VideoNetwork network, ExportOptions options, ClipSpec spec) => new(
        network.Name,
        string.Create(CultureInfo.InvariantCulture, $"Kinora {network.Name}: clips [N, {spec.Frames}, 3, {spec.Size}, {spec.Size}] to the logits of {network.Classes} classes"),
        ModelProperties.Of(spec, options.Labels, options.Config, options.Provenance),
        options.Opset);
}

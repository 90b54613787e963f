using System.Globalization;
using Kinora.Onnx.Export;
using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Simplify;

namespace Kinora.Paddle.Programs;

/// <summary>Turns PaddlePaddle's inference programs into ONNX files that Kinora runs like its own.</summary>
/// <remarks>
/// The file takes clips [N, T, 3, H, W] (or another layout, if the clip specification says so) and answers logits
/// [N, classes] for any N. It goes through the exporter's graph and passes: constants fold, batch norms end up in the
/// convolutions, temporal shifts are written as in exported networks. libtorch isn't loaded.
/// </remarks>
public static class ProgramConverter
{
    /// <summary>Converts a program. The file appears when it is complete.</summary>
    /// <param name="program">The program with its weights.</param>
    /// <param name="options">Clip specification, labels, and how to treat defects.</param>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="progress">Hears each step by name.</param>
    /// <param name="cancellation">Ends the conversion between two steps; nothing is left behind.</param>
    /// <returns>What was written, repaired and changed.</returns>
    /// <exception cref="ConfigException">No clip specification, or one that doesn't fit the program.</exception>
    /// <exception cref="CheckpointException">The program is damaged or holds an operator that can't be converted; the message says where.</exception>
    public static ProgramReport Convert(
        PaddleProgram program, ProgramOptions options, string path, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ClipSpec spec = options.Spec ?? throw new ConfigException(
            $"converting program: it takes {string.Join(" and ", program.Inputs)}, but doesn't say which frames these are and how they are scaled; "
            + "give the recipe that it was exported with (--config x.yaml)", program.Path);
        spec.Validate();
        if (options.Opset is < OnnxWriter.OldestOpset or > OnnxWriter.NewestOpset)
        {
            throw new ConfigException($"converting program: opset: expected {OnnxWriter.OldestOpset} to {OnnxWriter.NewestOpset}, found {options.Opset}", program.Path);
        }

        progress?.Report("translating the program");
        (NetworkGraph graph, IReadOnlyList<ProgramRepair> repairs, IReadOnlyList<string> notes) = Translate(program, options, spec);
        int classes = checked((int)graph.Output.Shape[1].Count);
        LabelMap labels = options.Labels ?? LabelMap.Numbered(classes);
        if (labels.Count != classes)
        {
            throw new ConfigException($"converting program: labels: expected {classes} names, one a class, found {labels.Count}; give the label file of the recipe", program.Path);
        }

        cancellation.ThrowIfCancellationRequested();
        progress?.Report("simplifying the graph");
        ModelProto model = Write(program, graph, Header(program, options, spec, labels, repairs));
        long weightBytes = model.Graph.Initializer.Sum(tensor => (long)tensor.RawData.Length);
        if (weightBytes > OnnxExporter.MaximumBytes)
        {
            throw new CheckpointException($"converting program: {weightBytes} bytes of weights; one ONNX file holds at most 2 GB", program.Path);
        }

        cancellation.ThrowIfCancellationRequested();
        progress?.Report("writing the file");
        AtomicFile.WriteNamed(path, temporary => OnnxExporter.Save(model, temporary));
        return new ProgramReport(
            path,
            new FileInfo(path).Length,
            weightBytes,
            classes,
            program.Inputs,
            program.Operators,
            model.Graph.Node.GroupBy(node => node.OpType, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal),
            repairs,
            notes);
    }

    private static (NetworkGraph Graph, IReadOnlyList<ProgramRepair> Repairs, IReadOnlyList<string> Notes) Translate(
        PaddleProgram program, ProgramOptions options, ClipSpec spec)
    {
        ClipInput clips = ClipInput.Bind(program, spec);
        (IReadOnlyList<ProgramRepair> masks, IReadOnlyDictionary<ProgramOperator, Literal> regions) = WindowMasks.Find(program, options.Repair);
        (Value output, IReadOnlyList<ProgramRepair> met) = ProgramImporter.Import(program, clips, regions, options.StructuredNames);
        if (output.Shape is not [{ PerClip: true, Count: 1 }, { PerClip: false }])
        {
            throw new CheckpointException($"converting program: expected an output [N, classes], found {Shapes.Text(output.Shape)}", program.Path);
        }

        (Value logits, string? note) = Logits.Of(new GraphBuilder(clips.Input), output);
        return (new NetworkGraph(clips.Input, logits), [.. masks, .. met], [.. clips.Notes, .. note is null ? Array.Empty<string>() : [note]]);
    }

    private static ModelProto Write(PaddleProgram program, NetworkGraph graph, ModelHeader header)
    {
        try
        {
            Simplifier.Run(graph);
            ModelProto model = OnnxWriter.Write(graph, header);
            ModelValidation.Check(model);
            return model;
        }
        catch (Exception e) when (e is ExportException or ShapeException or OverflowException)
        {
            throw new CheckpointException($"converting program: {e.Message.Replace("export: ", "", StringComparison.Ordinal)}", program.Path, e);
        }
    }

    private static ModelHeader Header(
        PaddleProgram program, ProgramOptions options, ClipSpec spec, LabelMap labels, IReadOnlyList<ProgramRepair> repairs)
    {
        string name = Path.GetFileNameWithoutExtension(program.Path);
        var provenance = new Dictionary<string, string>(options.Provenance)
        {
            ["program"] = Path.GetFileName(program.Path),
            ["paddlepaddle"] = program.Version,
        };
        if (repairs.Count > 0)
        {
            provenance["repairs"] = string.Join("; ", repairs.Select(repair => repair.Description).Distinct());
        }

        return new ModelHeader(
            name,
            string.Create(CultureInfo.InvariantCulture, $"{name}, converted from PaddlePaddle by Kinora: clips of {spec.Frames} frames, {spec.Size} × {spec.Size}, to the logits of {labels.Count} classes"),
            ModelProperties.Of(spec, labels, options.Config, provenance),
            options.Opset);
    }
}

using Kinora.Onnx.Export;
using Kinora.Paddle;

namespace Kinora.Cli.Conversion;

/// <summary>Writes models to whatever file the user wants.</summary>
internal static class ModelWriting
{
    /// <summary>Writes a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file to create or replace.</param>
    /// <param name="progress">Hears steps.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <returns>How far the file's scores differ from the network's, relative to the largest; null where the file holds the very weights.</returns>
    public delegate double? Writer(ConvertedModel model, string path, IProgress<string> progress, CancellationToken ct);

    // One line a kind of file.
    private static readonly Dictionary<string, Writer> Writers = new(StringComparer.OrdinalIgnoreCase)
    {
        [".safetensors"] = Safetensors,
        [".onnx"] = Onnx,
        [".pdparams"] = Paddle,
    };

    /// <summary>Extensions that can be written.</summary>
    public static IReadOnlyCollection<string> Extensions => Writers.Keys;

    /// <summary>Finds out how to write a file, before anything is read.</summary>
    /// <param name="path">The file to create or replace.</param>
    /// <exception cref="ConfigException">Nothing is known to write such a file.</exception>
    public static Writer For(string path) => Writers.TryGetValue(Path.GetExtension(path), out Writer? writer)
        ? writer
        : throw new ConfigException($"convert: expected a file to write that ends with {string.Join(", ", Writers.Keys)}, found '{Path.GetExtension(path)}'", path);

    private static double? Safetensors(ConvertedModel model, string path, IProgress<string> progress, CancellationToken ct)
    {
        model.Description.Save(path, model.Network);
        return null;
    }

    private static double? Onnx(ConvertedModel model, string path, IProgress<string> progress, CancellationToken ct)
    {
        ExportReport report = ModelExport.Run(model.Description, model.Network, path, null, null, progress, ct);
        return report.Difference;
    }

    private static double? Paddle(ConvertedModel model, string path, IProgress<string> progress, CancellationToken ct)
    {
        PaddleWeightsWriter.Write(path, PaddleStateDict.Of(model.Network));
        return null;
    }
}

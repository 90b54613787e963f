using Kinora.Cli.Terminal;
using Kinora.Models;
using Kinora.Paddle;

namespace Kinora.Cli.Conversion;

/// <summary>Makes a checkpoint of a pulled file, beside it.</summary>
internal static class PulledConversion
{
    /// <summary>Converts; see <see cref="PulledModelConversion"/>.</summary>
    /// <param name="model">What the file is.</param>
    /// <param name="weights">The verified file.</param>
    /// <param name="cancellationToken">Stops before the checkpoint is written.</param>
    /// <returns>Lines for a person.</returns>
    public static IReadOnlyList<string> Run(PublishedModel model, DownloadedFile weights, CancellationToken cancellationToken)
    {
        if (model.Use == PublishedUse.Backbone)
        {
            return [$"a start for training: kinora convert {Shell.Quote(weights.Path)} start.safetensors --model {model.Architecture} --classes N --allow-missing 'head.*' --allow-missing 'backbone.fc.*'"];
        }

        string target = Path.ChangeExtension(weights.Path, ".safetensors");
        var request = new ConversionRequest
        {
            Input = weights.Path,
            Output = target,
            Model = model.Architecture,
            Frames = model.Options?.Frames,
            Classes = model.Options?.Classes,
        };
        using ConvertedModel converted = ModelReading.Read(request, _ => { });
        cancellationToken.ThrowIfCancellationRequested();
        _ = ModelWriting.For(target)(converted, target, new Progress<string>(), cancellationToken);
        LoadReport report = converted.Description.LoadReport!;
        return
        [
            .. report.ToText().TrimEnd().Split('\n'),
            $"checkpoint {target}",
            $"use it: kinora convert {Shell.Quote(target)} {Shell.Quote(Path.ChangeExtension(Path.GetFileName(target), ".onnx"))}, then kinora classify --model {Shell.Quote(Path.ChangeExtension(Path.GetFileName(target), ".onnx"))} clip.mp4",
        ];
    }
}

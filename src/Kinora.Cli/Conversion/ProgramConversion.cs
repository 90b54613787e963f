using System.Security.Cryptography;
using System.Text;
using Kinora.Cli.Terminal;
using Kinora.Paddle;
using Kinora.Paddle.Programs;

namespace Kinora.Cli.Conversion;

/// <summary>PaddlePaddle's inference programs (.pdmodel with .pdiparams) as ONNX files. libtorch isn't loaded.</summary>
internal static class ProgramConversion
{
    /// <summary>Extension of a program.</summary>
    public const string Extension = ".pdmodel";

    /// <summary>Whether a path names a program.</summary>
    /// <param name="path">Any path.</param>
    public static bool IsProgram(string path) => Path.GetExtension(path).Equals(Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Converts a program; its parameters lie beside it.</summary>
    /// <param name="program">The .pdmodel file.</param>
    /// <param name="recipe">The YAML file it was exported with: it says which frames the program takes and how they are scaled.</param>
    /// <param name="labels">A file of class names; null numbers the classes.</param>
    /// <param name="target">The ONNX file to create or replace.</param>
    /// <param name="progress">Hears steps.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <returns>What was written, repaired and changed.</returns>
    public static ProgramReport Run(string program, string? recipe, string? labels, string target, IProgress<string>? progress, CancellationToken ct)
    {
        PaddleProgram read = PaddleProgram.Read(program);
        return ProgramConverter.Convert(
            read,
            new ProgramOptions
            {
                Spec = recipe is null ? null : Spec(recipe),
                Config = recipe is null ? "" : File.ReadAllText(recipe),
                Labels = labels is null ? null : LabelFile.Read(labels, checked((int)read.Outputs[0].Shape[^1])),
                Provenance = Provenance.Current(),
            },
            target,
            progress,
            ct);
    }

    /// <summary>As <see cref="Run"/>, into the cache folder and only once for the same files.</summary>
    /// <param name="program">The .pdmodel file.</param>
    /// <param name="recipe">The YAML file it was exported with.</param>
    /// <param name="labels">A file of class names; null numbers the classes.</param>
    /// <param name="output">Hears what was repaired, the first time.</param>
    /// <param name="ct">Stops between steps.</param>
    /// <returns>The ONNX file.</returns>
    public static string Cached(string program, string? recipe, string? labels, Output output, CancellationToken ct)
    {
        string target = Path.Combine(CacheFolder.Find(), "programs", $"{Key(program, recipe, labels)[..32]}.onnx");
        if (!File.Exists(target))
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            ProgramReport report = Run(program, recipe, labels, target, null, ct);
            Describe(report, output);
            output.Note($"converted once, kept as {target}");
        }

        return target;
    }

    /// <summary>Says what was repaired in a program, and what the file does differently by intention.</summary>
    /// <param name="report">The outcome.</param>
    /// <param name="output">Where it goes.</param>
    public static void Describe(ProgramReport report, Output output)
    {
        foreach (IGrouping<(string, bool), ProgramRepair> repair in report.Repairs.GroupBy(r => (r.Description, r.Repaired)))
        {
            string times = repair.Count() == 1 ? repair.First().Operator : $"{repair.First().Operator} and {repair.Count() - 1} more";
            output.Note($"{(repair.Key.Item2 ? "repaired" : "defect")}: {repair.Key.Item1} ({times})");
        }

        foreach (string note in report.Notes)
        {
            output.Note(note);
        }
    }

    private static ClipSpec Spec(string recipe)
    {
        PaddleRecipe read = PaddleRecipe.Read(recipe);
        return read.InferenceSpec ?? read.EvaluationSpec
            ?? throw new ConfigException("convert: expected a recipe with an INFERENCE or a PIPELINE.valid section, which say what the program takes; found neither", recipe);
    }

    // Whatever the file depends on: the inputs' bytes and the converter.
    private static string Key(string program, string? recipe, string? labels)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(typeof(ProgramConverter).Module.ModuleVersionId.ToString()));
        var buffer = new byte[1 << 20];
        foreach (string? path in (string?[])[program, Path.ChangeExtension(program, ".pdiparams"), recipe, labels])
        {
            hash.AppendData([0]);
            if (path is null || !File.Exists(path))
            {
                continue;
            }

            using FileStream stream = File.OpenRead(path);
            hash.AppendData(BitConverter.GetBytes(stream.Length));
            for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

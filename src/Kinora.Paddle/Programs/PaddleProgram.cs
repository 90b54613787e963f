using System.Globalization;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>One input or output of a program.</summary>
/// <param name="Name">Its name in the program.</param>
/// <param name="Shape">Sizes; -1 stands for any, as the batch usually is.</param>
public sealed record ProgramPort(string Name, IReadOnlyList<long> Shape)
{
    /// <summary>"data_batch_0 [-1, 8, 3, 224, 224]".</summary>
    /// <returns>Name and sizes.</returns>
    public override string ToString() => $"{Name} [{string.Join(", ", Shape)}]";
}

/// <summary>
/// An inference program of PaddlePaddle with its weights: what PaddleVideo's exporter writes as <c>x.pdmodel</c> and
/// <c>x.pdiparams</c>. <see cref="ProgramConverter"/> turns it into an ONNX file.
/// </summary>
public sealed class PaddleProgram
{
    private const string ModelExtension = ".pdmodel";
    private const string ParameterExtension = ".pdiparams";

    private PaddleProgram(
        string path, long version, IReadOnlyList<ProgramBlock> blocks, IReadOnlyDictionary<string, Literal> parameters)
    {
        Path = path;
        Blocks = blocks;
        Parameters = parameters;
        Version = version == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{version / 1_000_000}.{version / 1000 % 1000}.{version % 1000}");
        Inputs = [.. Ports("feed", op => op.Results)];
        Outputs = [.. Ports("fetch", op => op.InputsOf("X"))];
        Operators = blocks.SelectMany(block => block.Operators)
            .GroupBy(op => op.Type, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
    }

    /// <summary>The program's file.</summary>
    public string Path { get; }

    /// <summary>The version of PaddlePaddle that wrote it, such as "2.6.2"; empty where it isn't noted.</summary>
    public string Version { get; }

    /// <summary>What the program is fed with.</summary>
    public IReadOnlyList<ProgramPort> Inputs { get; }

    /// <summary>What it answers.</summary>
    public IReadOnlyList<ProgramPort> Outputs { get; }

    /// <summary>Operators by type, over all blocks.</summary>
    public IReadOnlyDictionary<string, int> Operators { get; }

    internal IReadOnlyList<ProgramBlock> Blocks { get; }

    internal IReadOnlyDictionary<string, Literal> Parameters { get; }

    /// <summary>Reads a program with its weights. Nothing in the files is executed.</summary>
    /// <param name="modelPath">The <c>.pdmodel</c> file.</param>
    /// <param name="parametersPath">The <c>.pdiparams</c> file; null takes the one beside the program.</param>
    /// <returns>The program.</returns>
    /// <exception cref="CheckpointException">A file is missing or damaged, or the two don't belong together.</exception>
    public static PaddleProgram Read(string modelPath, string? parametersPath = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        string weights = parametersPath ?? System.IO.Path.ChangeExtension(modelPath, ParameterExtension);
        foreach ((string path, string what) in new[] { (modelPath, $"program ({ModelExtension})"), (weights, $"parameters ({ParameterExtension})") })
        {
            if (!File.Exists(path))
            {
                throw new CheckpointException($"reading {what}: the file doesn't exist; a program consists of {ModelExtension} and {ParameterExtension}, give both", path);
            }
        }

        (long version, IReadOnlyList<ProgramBlock> blocks) = ProgramReader.Read(modelPath);
        IEnumerable<ProgramVariable> parameters = blocks.SelectMany(block => block.Variables.Values)
            .Where(variable => variable.IsParameter)
            .DistinctBy(variable => variable.Name);
        return new PaddleProgram(modelPath, version, blocks, ParameterFile.Read(weights, parameters));
    }

    private IEnumerable<ProgramPort> Ports(string type, Func<ProgramOperator, IReadOnlyList<string>> names) => Blocks[0].Operators
        .Where(op => op.Type == type)
        .OrderBy(op => op.Attributes.GetValueOrDefault("col") as long? ?? 0)
        .SelectMany(names)
        .Select(name => new ProgramPort(name, Blocks[0].Variables.GetValueOrDefault(name)?.Shape ?? []));
}

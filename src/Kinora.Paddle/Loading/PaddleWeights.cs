using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>The tensors of one of PaddlePaddle's files, to be loaded into a network.</summary>
public sealed class PaddleWeights : WeightSource
{
    private readonly PaddleWeightsFile _file;

    private PaddleWeights(PaddleWeightsFile file)
        : base(file.Path)
    {
        _file = file;
        Tensors = [.. file.Tensors.Select(t => new WeightInfo(t.Name, t.Shape))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<WeightInfo> Tensors { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">A <c>.pdparams</c> file.</param>
    /// <returns>Its tensors; dispose of them to let go of the file.</returns>
    /// <exception cref="CheckpointException">The file is missing, damaged, of another kind, or asks for code to be run.</exception>
    public static PaddleWeights Open(string path) => new(PaddleWeightsFile.Open(path));

    /// <inheritdoc/>
    public override Tensor Read(string name) => _file.Read(name);

    /// <inheritdoc/>
    public override void ReadInto(string name, Tensor place) => _file.ReadInto(name, place);

    /// <inheritdoc/>
    protected override void Close() => _file.Dispose();
}

using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>One tensor of a file of weights.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Sizes of all dimensions, as the file has them.</param>
public sealed record WeightInfo(string Name, IReadOnlyList<long> Shape);

/// <summary>A file of weights: names and shapes at once, elements one tensor at a time.</summary>
/// <param name="path">The file.</param>
public abstract class WeightSource(string path) : IDisposable
{
    /// <summary>Where the file is.</summary>
    public string Path { get; } = path;

    /// <summary>The tensors, in the order of the file.</summary>
    public abstract IReadOnlyList<WeightInfo> Tensors { get; }

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <returns>New tensor with memory of its own.</returns>
    /// <exception cref="CheckpointException">No such tensor, or the file can't be read.</exception>
    public abstract Tensor Read(string name);

    /// <summary>Reads a tensor into its place.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="place">A tensor of the same shape; the elements are converted to its type.</param>
    /// <exception cref="CheckpointException">No such tensor, or the file can't be read.</exception>
    public virtual void ReadInto(string name, Tensor place)
    {
        ArgumentNullException.ThrowIfNull(place);
        using var scope = new TensorScope();
        place.CopyFrom(Read(name));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Close();
}

/// <summary>The weights of a safetensors file; a checkpoint's state of the optimiser isn't among them.</summary>
public sealed class SafetensorsWeights : WeightSource
{
    private const string OptimizerPrefix = "optimizer/";

    private readonly SafetensorsFile _file;

    private SafetensorsWeights(SafetensorsFile file)
        : base(file.Path)
    {
        _file = file;
        Tensors = [.. file.Entries.Where(e => !e.Name.StartsWith(OptimizerPrefix, StringComparison.Ordinal)).Select(e => new WeightInfo(e.Name, e.Shape))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<WeightInfo> Tensors { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Its weights; dispose of them to let go of the file.</returns>
    /// <exception cref="CheckpointException">The file is missing or damaged.</exception>
    public static SafetensorsWeights Open(string path) => new(SafetensorsFile.Open(path));

    /// <inheritdoc/>
    public override Tensor Read(string name) => _file.Read(name);

    /// <inheritdoc/>
    protected override void Close() => _file.Dispose();
}

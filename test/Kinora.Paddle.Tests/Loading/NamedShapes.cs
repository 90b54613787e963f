using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Paddle.Tests.Loading;

/// <summary>A file of weights of which only names and shapes are ever asked.</summary>
internal sealed class NamedShapes(IEnumerable<(string Name, long[] Shape)> tensors) : WeightSource("/weights/listed.pdparams")
{
    public override IReadOnlyList<WeightInfo> Tensors { get; } = [.. tensors.Select(t => new WeightInfo(t.Name, t.Shape))];

    public override Tensor Read(string name) => throw new InvalidOperationException($"{name} was read");

    protected override void Close()
    {
    }
}

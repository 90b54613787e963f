using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Recording;

/// <summary>What the recordings say about batches that were never recorded, and what is refused.</summary>
public sealed class BatchTests
{
    [Fact]
    public void Capture_ShapesWithBatch_AreMultiplesOfN()
    {
        var graph = Captured.Graph(x => x.Reshape(-1, 3, 4, 4).Relu(), [8, 3, 4, 4]);
        Assert.Equal("[N, 8, 3, 4, 4]", Export.Graph.Shapes.Text(graph.Input.Shape));
        Assert.Equal("[8*N, 3, 4, 4]", Export.Graph.Shapes.Text(graph.Output.Shape));
    }

    [Theory]
    [InlineData("mean over the batch", "aten::mean")]
    [InlineData("softmax over the batch", "aten::softmax")]
    [InlineData("all frames but one", "aten::slice")]
    [InlineData("number from the batch", "aten::mul")]
    [InlineData("loop over the batch", "calls")]
    [InlineData("constant from the batch", "aten::add")]
    [InlineData("unknown operator", "aten::cumsum")]
    [InlineData("training", "aten::batch_norm")]
    [InlineData("another tensor", "aten::add")]
    [InlineData("values from .NET", "kinora::write_from_memory")]
    public void Capture_NotExpressible_IsRefusedByName(string what, string named)
    {
        Tensor one = Captured.Weight("one", 3);
        Tensor two = Captured.Weight("two", 3);
        Func<Tensor, Tensor> function = what switch
        {
            "mean over the batch" => x => x - x.Mean([0], keepDim: true),
            "softmax over the batch" => x => x.Softmax(0),
            "all frames but one" => x => x.Reshape(-1, 3).Slice(0, 1),
            "number from the batch" => x => x * (1.0 / x.Shape[0]),
            "loop over the batch" => x => Tensor.Concat(Enumerable.Range(0, (int)x.Shape[0]).Select(i => x.Select(0, i))),
            "constant from the batch" => x => x + Tensor.From<float>(new float[x.Shape[0]], [x.Shape[0], 1, 1]),
            "unknown operator" => x => Torch.Call("cumsum", x, 1),
            "training" => x => F.BatchNorm(x, null, null, null, null, true, 0.1, 1e-5),
            "values from .NET" => x =>
            {
                Tensor y = x.Select(0, 0).Clone();
                y.CopyFrom<float>(new float[12]);
                return x + y;
            },
            _ => x => x + (x.Shape[0] == 1 ? one : two),
        };
        var error = Assert.Throws<ExportException>(() => Captured.Graph(function, [4, 3]));
        Assert.Contains(named, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}

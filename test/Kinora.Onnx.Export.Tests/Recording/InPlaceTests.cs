using Kinora.Tensors;

namespace Kinora.Onnx.Export.Tests.Recording;

/// <summary>Writing into memory that several tensors share.</summary>
public sealed class InPlaceTests
{
    private static readonly long[] Image = [4, 6, 5];

    private static readonly Dictionary<string, Func<Tensor, Tensor>> Handled = new()
    {
        ["result read through the old name"] = x =>
        {
            Tensor y = x * 2;
            y.ReluInPlace();
            return y;
        },
        ["operand changed after its use"] = x =>
        {
            Tensor y = x * 2;
            Tensor z = y + 1;
            y.FillInPlace(3);
            return y + z;
        },
        ["view sees a write to its base"] = x =>
        {
            Tensor y = x * 2;
            Tensor view = y.Slice(1, 1, 3);
            y.ReluInPlace();
            return view;
        },
        ["base sees a write through a view"] = x =>
        {
            Tensor y = x * 2;
            y.Slice(1, 1, 3).FillInPlace(7);
            return y;
        },
        ["other view sees a write through a view"] = x =>
        {
            Tensor y = x * 2;
            Tensor row = y.Select(2, 1);
            y.Permute(0, 2, 3, 1).Slice(3, 0, 2).MulInPlace(-3);
            return row;
        },
        ["view of a view"] = x =>
        {
            Tensor y = x * 2;
            y.Slice(1, 1, 4).Slice(2, 2, 5).Select(3, 0).AddInPlace(x.Select(3, 1).Slice(1, 0, 3).Slice(2, 0, 3));
            return y;
        },
        ["view as another shape"] = x =>
        {
            Tensor y = x * 2;
            Torch.Call("view", y, new long[] { -1, 120 }).Slice(1, 10, 50).FillInPlace(0);
            return y;
        },
        ["temporal shift by copies into zeros"] = x =>
        {
            Tensor y = Tensor.Zeros(x.Shape);
            y.Slice(1, 1).Slice(2, 0, 2).CopyFrom(x.Slice(1, 0, -1).Slice(2, 0, 2));
            y.Slice(1, 0, -1).Slice(2, 2, 4).CopyFrom(x.Slice(1, 1).Slice(2, 2, 4));
            y.Slice(2, 4).CopyFrom(x.Slice(2, 4));
            return y;
        },
        ["write after reshape, base not read again"] = x => (x * 2).Reshape(-1, 30).ReluInPlace() * 2,
        ["broadcast operand"] = x =>
        {
            Tensor y = x * 2;
            y.AddInPlace(Captured.Weight("w", 4, 1, 1));
            return y;
        },
    };

    public static TheoryData<string> Names => [.. Handled.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Import_WriteInPlace_GivesLibtorchsValues(string name) => Captured.AssertSame(Handled[name], Image);

    [Fact]
    public void Import_BaseReadAfterWriteThroughReshape_IsRefusedByName()
    {
        var error = Assert.Throws<ExportException>(() => Captured.Graph(
            x =>
            {
                Tensor y = x * 2;
                y.Reshape(-1, 30).ReluInPlace();
                return y + 1;
            },
            Image));
        Assert.Contains("aten::relu_", error.Message);
        Assert.Contains("call 2", error.Message);
    }

    [Fact]
    public void Import_ReshapeReadAfterWriteToItsBase_IsRefusedByName()
    {
        var error = Assert.Throws<ExportException>(() => Captured.Graph(
            x =>
            {
                Tensor y = x * 2;
                Tensor flat = y.Reshape(-1, 30);
                y.ReluInPlace();
                return flat + 1;
            },
            Image));
        Assert.Contains("reshape", error.Message);
    }

    [Fact]
    public void Import_WriteToParameter_IsRefusedByName()
    {
        Tensor weight = Captured.Weight("w", 5);
        var error = Assert.Throws<ExportException>(() => Captured.Graph(
            x =>
            {
                weight.AddInPlace(Tensor.Ones([5]));
                return x * weight;
            },
            Image,
            simplified: true,
            ("norm.weight", weight)));
        Assert.Contains("aten::add_", error.Message);
    }
}

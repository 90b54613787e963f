using Kinora.Tensors.Native;

namespace Kinora.Tensors.Tests.Native;

/// <summary>The structures on both sides of the native boundary are the same.</summary>
public sealed unsafe class AbiTests
{
    [Fact]
    public void Abi_StructSizes_MatchTheManagedSide()
    {
        NativeLoader.EnsureReady();
        NativeAbi abi;
        Assert.Equal(0, NativeMethods.kt_abi(&abi));

        Assert.Equal(NativeAbi.Expected, abi.Abi);
        Assert.Equal(sizeof(NativeValue), abi.ValueSize);
        Assert.Equal(sizeof(NativeArgument), abi.ArgumentSize);
        Assert.Equal(sizeof(NativeTensorInfo), abi.TensorInfoSize);
        Assert.Equal(NativeTensorInfo.MaxRank, abi.MaxRank);
        Assert.StartsWith($"{abi.TorchVersion / 100}.{abi.TorchVersion % 100}.", Torch.Version);
    }

    [Fact]
    public void Describe_KnownTensor_FillsEveryField()
    {
        using Tensor tensor = Tensor.Zeros([2, 3, 4], DType.Float64);
        NativeTensorInfo info = tensor.Describe();

        Assert.Equal(DType.Float64, info.DType);
        Assert.Equal(3, info.Rank);
        Assert.Equal(0, info.DeviceType);
        Assert.Equal(0, info.RequiresGrad);
        Assert.Equal(1, info.IsLeaf);
        Assert.Equal(1, info.IsContiguous);
        Assert.Equal(24, info.Count);
        Assert.Equal(8, info.ElementSize);
        Assert.Equal([2, 3, 4], new[] { info.Shape[0], info.Shape[1], info.Shape[2] });
        Assert.Equal([12, 4, 1], new[] { info.Strides[0], info.Strides[1], info.Strides[2] });
        Assert.True(info.Data != null);
    }

    [Theory]
    [InlineData("0-3,8", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("5", new[] { 5 })]
    [InlineData(" 0,2-3 \n", new[] { 0, 2, 3 })]
    public void ParseList_ProcessorList_GivesNumbers(string text, int[] expected) =>
        Assert.Equal(expected, PhysicalCores.ParseList(text));
}

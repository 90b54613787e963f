using System.Runtime.InteropServices;

namespace Kinora.Tensors.Native;

/// <summary>What a native value holds (kt_value.kind).</summary>
internal enum ValueKind
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    String = 5,
    Ints = 6,
    Doubles = 7,
    Bools = 8,
    Tensors = 9,
    Device = 10,
    Default = 11,
    Scalar = 12,
    Other = 13,
}

/// <summary>kt_value: one packed argument or result.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    public ValueKind Kind;
    public int Count;
    public long Bits;
}

/// <summary>kt_argument: one argument of an operator's schema.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeArgument
{
    public byte* Name;
    public ValueKind Kind;
    public int Optional;
    public int FixedLength;
    public int HasDefault;
    public NativeValue Default;
}

/// <summary>kt_tensor_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensorInfo
{
    public const int MaxRank = 16;

    /// <summary>The device whose tensors have shapes and no values.</summary>
    public const int MetaDevice = 14;

    public DType DType;
    public int Rank;
    public int DeviceType;
    public int DeviceIndex;
    public int RequiresGrad;
    public int IsLeaf;
    public int IsContiguous;
    public int IsChannelsLast;
    public long Count;
    public long ElementSize;
    public void* Data;
    public fixed long Shape[MaxRank];
    public fixed long Strides[MaxRank];
}

/// <summary>kt_abi_info: what the library was compiled with.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeAbi
{
    public const int Expected = 4;

    public int Abi;
    public int TorchVersion;
    public int ValueSize;
    public int ArgumentSize;
    public int TensorInfoSize;
    public int MaxRank;
}

using Kinora.Tensors;

namespace Kinora.Paddle;

/// <summary>Element types of the arrays in PaddlePaddle's files.</summary>
public enum ElementType
{
    /// <summary>True or false, one byte.</summary>
    Bool,

    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8,

    /// <summary>Signed 8-bit integer.</summary>
    Int8,

    /// <summary>Signed 16-bit integer.</summary>
    Int16,

    /// <summary>Signed 32-bit integer.</summary>
    Int32,

    /// <summary>Signed 64-bit integer.</summary>
    Int64,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>The upper half of a single precision number; pickles call it uint16, since numpy has no such type.</summary>
    BFloat16,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,

    /// <summary>Two <see cref="Float32"/>.</summary>
    Complex64,

    /// <summary>Two <see cref="Float64"/>.</summary>
    Complex128,
}

/// <summary>Facts about element types.</summary>
internal static class ElementTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this ElementType type) => type switch
    {
        ElementType.Bool or ElementType.UInt8 or ElementType.Int8 => 1,
        ElementType.Int16 or ElementType.Float16 or ElementType.BFloat16 => 2,
        ElementType.Int32 or ElementType.Float32 => 4,
        ElementType.Complex128 => 16,
        _ => 8,
    };

    /// <summary>Bytes of one number: half an element for complex types.</summary>
    public static int NumberSize(this ElementType type) =>
        type is ElementType.Complex64 or ElementType.Complex128 ? type.Size() / 2 : type.Size();

    /// <summary>The tensor element type with the same bits, or null.</summary>
    public static DType? ToDType(this ElementType type) => type switch
    {
        ElementType.Bool => DType.Bool,
        ElementType.UInt8 => DType.UInt8,
        ElementType.Int32 => DType.Int32,
        ElementType.Int64 => DType.Int64,
        ElementType.Float16 => DType.Float16,
        ElementType.BFloat16 => DType.BFloat16,
        ElementType.Float32 => DType.Float32,
        ElementType.Float64 => DType.Float64,
        _ => null,
    };

    /// <summary>The element type of a numpy type code without byte order, such as "f4", or null.</summary>
    public static ElementType? OfNumpy(string code) => code switch
    {
        "b1" => ElementType.Bool,
        "u1" => ElementType.UInt8,
        "i1" => ElementType.Int8,
        "i2" => ElementType.Int16,
        "i4" => ElementType.Int32,
        "i8" => ElementType.Int64,
        "f2" => ElementType.Float16,
        "u2" => ElementType.BFloat16,
        "f4" => ElementType.Float32,
        "f8" => ElementType.Float64,
        "c8" => ElementType.Complex64,
        "c16" => ElementType.Complex128,
        _ => null,
    };

    /// <summary>numpy's code of a tensor's element type, without byte order.</summary>
    public static string NumpyCode(this DType type) => type switch
    {
        DType.Bool => "b1",
        DType.UInt8 => "u1",
        DType.Int32 => "i4",
        DType.Int64 => "i8",
        DType.Float16 => "f2",
        DType.BFloat16 => "u2",
        DType.Float32 => "f4",
        DType.Float64 => "f8",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type of Kinora"),
    };

    /// <summary>The element type of a number in Paddle's <c>VarType</c>, or null.</summary>
    public static ElementType? OfVarType(ulong number) => number switch
    {
        0 => ElementType.Bool,
        1 => ElementType.Int16,
        2 => ElementType.Int32,
        3 => ElementType.Int64,
        4 => ElementType.Float16,
        5 => ElementType.Float32,
        6 => ElementType.Float64,
        20 => ElementType.UInt8,
        21 => ElementType.Int8,
        22 => ElementType.BFloat16,
        23 => ElementType.Complex64,
        24 => ElementType.Complex128,
        _ => null,
    };
}

namespace Kinora.Tensors;

/// <summary>Element types, with libtorch's numbers.</summary>
public enum DType
{
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 0,

    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 3,

    /// <summary>Signed 64-bit integer: class labels and indices.</summary>
    Int64 = 4,

    /// <summary>IEEE half precision.</summary>
    Float16 = 5,

    /// <summary>IEEE single precision: the default.</summary>
    Float32 = 6,

    /// <summary>IEEE double precision.</summary>
    Float64 = 7,

    /// <summary>True or false, one byte.</summary>
    Bool = 11,

    /// <summary>The upper half of a single precision number; <see cref="ushort"/> in .NET.</summary>
    BFloat16 = 15,
}

/// <summary>Order of the elements of a four-dimensional tensor in memory.</summary>
public enum MemoryFormat
{
    /// <summary>[N, C, H, W] row by row.</summary>
    Contiguous = 0,

    /// <summary>As it is.</summary>
    Preserve = 1,

    /// <summary>The channels of one pixel side by side: the fast order of convolutions.</summary>
    ChannelsLast = 2,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <param name="dtype">The element type.</param>
    /// <returns>1, 2, 4 or 8.</returns>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.UInt8 or DType.Bool => 1,
        DType.Float16 or DType.BFloat16 => 2,
        DType.Int32 or DType.Float32 => 4,
        DType.Int64 or DType.Float64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an element type of Kinora"),
    };

    /// <summary>Whether the type is a floating-point type.</summary>
    /// <param name="dtype">The element type.</param>
    /// <returns>True for float16, bfloat16, float32 and float64.</returns>
    public static bool IsFloatingPoint(this DType dtype) =>
        dtype is DType.Float16 or DType.BFloat16 or DType.Float32 or DType.Float64;

    /// <summary>The element type that holds values of a .NET type bit for bit.</summary>
    /// <typeparam name="T">byte, int, long, Half, float, double, bool, or ushort for bfloat16.</typeparam>
    /// <returns>The element type.</returns>
    /// <exception cref="ArgumentException">No element type fits <typeparamref name="T"/>.</exception>
    public static DType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            return DType.Float32;
        }

        if (typeof(T) == typeof(double))
        {
            return DType.Float64;
        }

        if (typeof(T) == typeof(long))
        {
            return DType.Int64;
        }

        if (typeof(T) == typeof(int))
        {
            return DType.Int32;
        }

        if (typeof(T) == typeof(byte))
        {
            return DType.UInt8;
        }

        if (typeof(T) == typeof(bool))
        {
            return DType.Bool;
        }

        if (typeof(T) == typeof(Half))
        {
            return DType.Float16;
        }

        return typeof(T) == typeof(ushort)
            ? DType.BFloat16
            : throw new ArgumentException($"no element type holds {typeof(T)}: use byte, int, long, Half, float, double, bool, or ushort for bfloat16");
    }
}

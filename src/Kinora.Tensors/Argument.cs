using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// One argument of <see cref="Torch"/>. Tensors, numbers, truth values, texts, element types and arrays convert
/// implicitly; null is the schema's None.
/// </summary>
public readonly struct Argument
{
    internal readonly ValueKind Kind;
    internal readonly long Bits;
    internal readonly object? Reference;

    private Argument(ValueKind kind, long bits, object? reference = null)
    {
        Kind = kind;
        Bits = bits;
        Reference = reference;
    }

    /// <summary>The schema's None.</summary>
    public static Argument None => default;

    /// <summary>The schema's default, for an argument before one that is given.</summary>
    public static Argument Default => new(ValueKind.Default, 0);

    /// <summary>A tensor, or None for null.</summary>
    /// <param name="value">The tensor.</param>
    public static implicit operator Argument(Tensor? value) => value is null ? default : new(ValueKind.Tensor, 0, value);

    /// <summary>An integer.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Argument(long value) => new(ValueKind.Int, value);

    /// <summary>An integer.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Argument(int value) => new(ValueKind.Int, value);

    /// <summary>A real number.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Argument(double value) => new(ValueKind.Double, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A real number, or None for null.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Argument(double? value) => value is double number ? number : default(Argument);

    /// <summary>An integer, or None for null.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator Argument(long? value) => value is long number ? number : default(Argument);

    /// <summary>A truth value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Argument(bool value) => new(ValueKind.Bool, value ? 1 : 0);

    /// <summary>An element type.</summary>
    /// <param name="value">The type.</param>
    public static implicit operator Argument(DType value) => new(ValueKind.Int, (long)value);

    /// <summary>A device.</summary>
    /// <param name="value">The device.</param>
    public static implicit operator Argument(Device value) =>
        new(ValueKind.Device, ((long)value.Type << 32) | (value.Type == DeviceType.Cpu ? 0xFFFFFFFF : (uint)value.Index));

    /// <summary>A memory format.</summary>
    /// <param name="value">The format.</param>
    public static implicit operator Argument(MemoryFormat value) => new(ValueKind.Int, (long)value);

    /// <summary>A text.</summary>
    /// <param name="value">The text.</param>
    public static implicit operator Argument(string value) => new(ValueKind.String, 0, value);

    /// <summary>Integers, such as a shape.</summary>
    /// <param name="value">The numbers; not copied, so they mustn't change while a recording is kept.</param>
    public static implicit operator Argument(long[]? value) => value is null ? default : new(ValueKind.Ints, 0, value);

    /// <summary>Real numbers.</summary>
    /// <param name="value">The numbers.</param>
    public static implicit operator Argument(double[]? value) => value is null ? default : new(ValueKind.Doubles, 0, value);

    /// <summary>Tensors.</summary>
    /// <param name="value">The tensors; null entries are allowed where the schema allows missing tensors.</param>
    public static implicit operator Argument(Tensor?[] value) => new(ValueKind.Tensors, 0, value);
}

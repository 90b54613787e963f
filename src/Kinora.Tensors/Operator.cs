using System.Runtime.InteropServices;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>One overload of a libtorch operator; looked up at its first use.</summary>
internal sealed unsafe class Operator(string name, string overload = "")
{
    private nint _pointer;
    private SchemaArgument[]? _arguments;

    /// <summary>Qualified name, such as "aten::conv2d".</summary>
    public string Name { get; } = name;

    /// <summary>Overload name, often empty.</summary>
    public string Overload { get; } = overload;

    /// <summary>The name without its namespace, for messages.</summary>
    public string ShortName => Name[(Name.LastIndexOf(':') + 1)..];

    /// <summary>The native operator.</summary>
    public nint Pointer
    {
        get
        {
            if (_pointer == 0)
            {
                NativeLoader.EnsureReady();
                nint found;
                Status.Check(NativeMethods.kt_operator_find(Name, Overload, &found), $"operator {Name}.{Overload}");
                _pointer = found;
            }

            return _pointer;
        }
    }

    /// <summary>The schema's arguments.</summary>
    public IReadOnlyList<SchemaArgument> Arguments => _arguments ??= ReadArguments();

    private SchemaArgument[] ReadArguments()
    {
        int count;
        Status.Check(NativeMethods.kt_operator_argument_count(Pointer, &count), ShortName);
        var arguments = new SchemaArgument[count];
        for (int i = 0; i < count; i++)
        {
            NativeArgument native;
            Status.Check(NativeMethods.kt_operator_argument(Pointer, i, &native), ShortName);
            arguments[i] = new SchemaArgument(
                Marshal.PtrToStringUTF8((nint)native.Name)!,
                native.Kind,
                native.FixedLength,
                native.HasDefault != 0 ? native.Default : null);
        }

        return arguments;
    }
}

/// <summary>One argument of a schema.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it holds when it isn't None.</param>
/// <param name="FixedLength">Length of a list that one number may stand for, else 0.</param>
/// <param name="Default">The default, in native memory that lives as long as the process.</param>
internal sealed record SchemaArgument(string Name, ValueKind Kind, int FixedLength, NativeValue? Default);

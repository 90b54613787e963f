using System.Text;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Writes down every operator that its thread calls through this library while it is open, with its arguments, so
/// that a network's forward pass can be rebuilt elsewhere (as an ONNX graph). What libtorch calls inside an operator
/// doesn't appear, nor do backward passes and optimiser kernels.
/// </summary>
/// <remarks>
/// Bound to its thread; one at a time. Tensors seen are kept alive until the recording is disposed of, and are known
/// by an id: two tensors of .NET that stand for one native tensor (an in-place operator's operand and result) have
/// the same id.
/// </remarks>
public sealed class Recording : IDisposable
{
    /// <summary>The name under which overwriting a known tensor with values from .NET appears among the calls.</summary>
    public const string WriteFromMemory = "kinora::write_from_memory";

    [ThreadStatic]
    private static Recording? _current;

    private readonly List<RecordedCall> _calls = [];
    private readonly List<Tensor> _tensors = [];
    private readonly Dictionary<nint, int> _ids = [];
    private bool _stopped;

    private Recording()
    {
    }

    /// <summary>The calls so far, in order.</summary>
    public IReadOnlyList<RecordedCall> Calls => _calls;

    /// <summary>How many tensors were seen; ids run from 0 to one less.</summary>
    public int TensorCount => _tensors.Count;

    internal static Recording? Current => _current;

    /// <summary>Begins a recording on the calling thread.</summary>
    /// <returns>The recording; <see cref="Stop"/> or disposal ends it.</returns>
    /// <exception cref="InvalidOperationException">One is open already.</exception>
    public static Recording Start()
    {
        if (_current is not null)
        {
            throw new InvalidOperationException("a recording is open on this thread already");
        }

        return _current = new Recording();
    }

    /// <summary>Ends the recording; calls and tensors stay available until disposal.</summary>
    public void Stop()
    {
        _stopped = true;
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <summary>The id of a tensor, if the recording has met it.</summary>
    /// <param name="tensor">A live tensor.</param>
    /// <returns>The id, or null.</returns>
    public int? IdOf(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var held = new Tensor.Held(tensor);
        return _ids.TryGetValue(held.Address, out int id) ? id : null;
    }

    /// <summary>Makes a tensor known before it is used: inputs and parameters, so that their ids are found by <see cref="IdOf"/>.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Its id.</returns>
    public int Bind(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var held = new Tensor.Held(tensor);
        if (!_ids.TryGetValue(held.Address, out int id))
        {
            id = _tensors.Count;
            _tensors.Add(tensor.Share());
            _ids.Add(held.Address, id);
        }

        return id;
    }

    /// <summary>The tensor of an id, with the value it has now (an in-place operator may have changed it since).</summary>
    /// <param name="id">The id.</param>
    /// <returns>The recording's own tensor: don't dispose of it.</returns>
    public Tensor Tensor(int id) => _tensors[id];

    /// <summary>Ends the recording and gives its tensors back.</summary>
    public void Dispose()
    {
        Stop();
        foreach (Tensor tensor in _tensors)
        {
            tensor.Dispose();
        }

        _tensors.Clear();
        _ids.Clear();
    }

    internal void Add(Operator op, ReadOnlySpan<Argument> given, ReadOnlySpan<Tensor> outputs)
    {
        if (_stopped)
        {
            return;
        }

        var arguments = new RecordedArgument[op.Arguments.Count];
        for (int i = 0; i < arguments.Length; i++)
        {
            SchemaArgument schema = op.Arguments[i];
            arguments[i] = i < given.Length && given[i].Kind != ValueKind.Default
                ? FromGiven(schema, given[i])
                : FromDefault(schema);
        }

        var ids = new int[outputs.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = Bind(outputs[i]);
        }

        _calls.Add(new RecordedCall(op.Name, op.Overload, arguments, ids));
    }

    /// <summary>Notes that .NET overwrote a tensor that the recording knows: no operator did, so nobody could rebuild it.</summary>
    internal void AddWrite(nint address)
    {
        if (!_stopped && _ids.TryGetValue(address, out int id))
        {
            _calls.Add(new RecordedCall(WriteFromMemory, string.Empty, [new RecordedArgument("self", RecordedKind.Tensor) { TensorId = id }], []));
        }
    }

    private RecordedArgument FromGiven(SchemaArgument schema, Argument argument)
    {
        string name = schema.Name;
        switch (argument.Kind)
        {
            case ValueKind.Tensor:
                return new RecordedArgument(name, RecordedKind.Tensor) { TensorId = Bind((Tensor)argument.Reference!) };
            case ValueKind.Tensors:
                var tensors = (Tensor?[])argument.Reference!;
                return new RecordedArgument(name, RecordedKind.Tensors) { TensorIds = [.. tensors.Select(tensor => tensor is null ? -1 : Bind(tensor))] };
            case ValueKind.Int when schema.Kind == ValueKind.Ints:
                return new RecordedArgument(name, RecordedKind.Ints) { Ints = [.. Enumerable.Repeat(argument.Bits, Math.Max(1, schema.FixedLength))] };
            case ValueKind.Int when schema.Kind == ValueKind.Double:
                return new RecordedArgument(name, RecordedKind.Double) { Double = argument.Bits };
            case ValueKind.Int when schema.Kind == ValueKind.Bool:
                return new RecordedArgument(name, RecordedKind.Bool) { Bool = argument.Bits != 0 };
            case ValueKind.Int:
                return new RecordedArgument(name, RecordedKind.Int) { Int = argument.Bits };
            case ValueKind.Double:
                return new RecordedArgument(name, RecordedKind.Double) { Double = BitConverter.Int64BitsToDouble(argument.Bits) };
            case ValueKind.Bool:
                return new RecordedArgument(name, RecordedKind.Bool) { Bool = argument.Bits != 0 };
            case ValueKind.String:
                return new RecordedArgument(name, RecordedKind.String) { String = (string)argument.Reference! };
            case ValueKind.Ints:
                return new RecordedArgument(name, RecordedKind.Ints) { Ints = [.. (long[])argument.Reference!] };
            case ValueKind.Doubles:
                return new RecordedArgument(name, RecordedKind.Doubles) { Doubles = [.. (double[])argument.Reference!] };
            default:
                return new RecordedArgument(name, RecordedKind.None);
        }
    }

    private static unsafe RecordedArgument FromDefault(SchemaArgument schema)
    {
        string name = schema.Name;
        if (schema.Default is not NativeValue value)
        {
            throw new InvalidOperationException($"argument '{name}' has no default");
        }

        return value.Kind switch
        {
            ValueKind.Int when schema.Kind == ValueKind.Double => new RecordedArgument(name, RecordedKind.Double) { Double = value.Bits },
            ValueKind.Int => new RecordedArgument(name, RecordedKind.Int) { Int = value.Bits },
            ValueKind.Double => new RecordedArgument(name, RecordedKind.Double) { Double = BitConverter.Int64BitsToDouble(value.Bits) },
            ValueKind.Bool => new RecordedArgument(name, RecordedKind.Bool) { Bool = value.Bits != 0 },
            ValueKind.String => new RecordedArgument(name, RecordedKind.String) { String = Encoding.UTF8.GetString((byte*)value.Bits, value.Count) },
            ValueKind.Ints => new RecordedArgument(name, RecordedKind.Ints) { Ints = new ReadOnlySpan<long>((void*)value.Bits, value.Count).ToArray() },
            ValueKind.Doubles => new RecordedArgument(name, RecordedKind.Doubles) { Doubles = new ReadOnlySpan<double>((void*)value.Bits, value.Count).ToArray() },
            _ => new RecordedArgument(name, RecordedKind.None),
        };
    }
}

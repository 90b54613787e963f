using Kinora.Onnx.Export.Graph;
using Kinora.Tensors;

namespace Kinora.Onnx.Export.Recording;

/// <summary>
/// Records a forward pass twice, with one clip and with two, and keeps what is true for every batch: an integer or a
/// size that is the same both times is fixed, one that doubles is a multiple of N, anything else is refused. Shapes are
/// all that is needed for it, so no values are computed.
/// </summary>
internal sealed class NetworkRecorder : IDisposable
{
    private const int FirstClips = 1;
    private const int SecondClips = 2;

    private readonly Tensors.Recording _first;
    private readonly Dictionary<TensorId, Dimension[]> _shapes = [];
    private readonly Dictionary<int, string> _names = [];
    private readonly Dictionary<int, int> _ids = [];

    private NetworkRecorder(Tensors.Recording first) => _first = first;

    /// <summary>The forward pass for every batch; its constants can be read until disposal.</summary>
    public Trace Trace { get; private set; } = null!;

    /// <summary>Records.</summary>
    /// <param name="forward">The network, in evaluation mode.</param>
    /// <param name="parameters">Names of the tensors that become named constants.</param>
    /// <param name="clip">Shape of one clip, without N.</param>
    /// <exception cref="ExportException">The two passes differ in more than the batch.</exception>
    public static NetworkRecorder Record(Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, params long[] clip)
    {
        using IDisposable inference = Grad.Inference();
        using IDisposable shapes = ShapesOnly.Enable();
        (Tensors.Recording first, int firstInput, int firstOutput) = Run(forward, parameters, FirstClips, clip);
        var recorder = new NetworkRecorder(first);
        try
        {
            (Tensors.Recording second, int secondInput, int secondOutput) = Run(forward, parameters, SecondClips, clip);
            using (second)
            {
                for (int i = 0; i < parameters.Count; i++)
                {
                    recorder._names.TryAdd(first.IdOf(parameters[i].Value)!.Value, parameters[i].Name);
                }

                recorder.Compare(second, (firstInput, secondInput), (firstOutput, secondOutput));
            }
        }
        catch
        {
            recorder.Dispose();
            throw;
        }

        return recorder;
    }

    /// <summary>Records one pass over given clips and returns the elements of every tensor that graph values came from.</summary>
    /// <returns>Reads a recorded tensor; valid until the recording is disposed of.</returns>
    public static (Tensors.Recording Recording, Func<int, float[]> Read) Replay(
        Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, float[] clips, long[] shape)
    {
        using IDisposable inference = Grad.Inference();
        (Tensors.Recording recording, _, _) = Run(forward, parameters, clips, shape);
        return (recording, id => Floats(recording.Tensor(id)));
    }

    public void Dispose() => _first.Dispose();

    private static (Tensors.Recording Recording, int Input, int Output) Run(
        Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, int clips, long[] clip)
    {
        long[] shape = [clips, .. clip];
        return Run(forward, parameters, new float[shape.Aggregate(1L, (a, b) => a * b)], shape);
    }

    private static (Tensors.Recording Recording, int Input, int Output) Run(
        Func<Tensor, Tensor> forward, IReadOnlyList<(string Name, Tensor Value)> parameters, float[] clips, long[] shape)
    {
        using var scope = new TensorScope();
        Tensor input = Tensor.From<float>(clips, shape);
        var recording = Tensors.Recording.Start();
        try
        {
            // Bound in one order, parameters have the same ids in every recording.
            foreach ((_, Tensor value) in parameters)
            {
                recording.Bind(value);
            }

            int inputId = recording.Bind(input);
            Tensor output = forward(input);
            recording.Stop();
            int? outputId = recording.IdOf(output);
            return outputId is { } id
                ? (recording, inputId, id)
                : throw new ExportException("export: the network's result isn't the result of a recorded call; was it computed on another thread?");
        }
        catch
        {
            recording.Dispose();
            throw;
        }
    }

    private void Compare(Tensors.Recording second, (int First, int Second) input, (int First, int Second) output)
    {
        int common = Math.Min(_first.Calls.Count, second.Calls.Count);
        var calls = new List<TracedCall>(common);
        var made = new HashSet<int> { input.First };
        Match("the input", second, input.First, input.Second);
        for (int i = 0; i < common; i++)
        {
            (RecordedCall a, RecordedCall b) = (_first.Calls[i], second.Calls[i]);
            var call = new TracedCall(i, a.Operator.StartsWith("aten::", StringComparison.Ordinal) ? a.Operator["aten::".Length..] : a.Operator, a.Overload, new TracedArgument[a.Arguments.Count], new TensorId[a.Outputs.Count]);
            if (a.Operator != b.Operator || a.Overload != b.Overload || a.Outputs.Count != b.Outputs.Count)
            {
                throw new ExportException($"export: {call}: with {SecondClips} clips the network calls {b.Operator} here; its calls must not depend on the batch");
            }

            for (int k = 0; k < a.Arguments.Count; k++)
            {
                ((TracedArgument[])call.Arguments)[k] = new TracedArgument(a.Arguments[k].Name, Argument(call, second, made, a.Arguments[k], b.Arguments[k]));
            }

            for (int k = 0; k < a.Outputs.Count; k++)
            {
                ((TensorId[])call.Outputs)[k] = Match($"{call}, its result", second, a.Outputs[k], b.Outputs[k]);
                made.Add(a.Outputs[k]);
            }

            calls.Add(call);
        }

        if (_first.Calls.Count != second.Calls.Count)
        {
            throw new ExportException($"export: {_first.Calls.Count} calls with {FirstClips} clip, {second.Calls.Count} with {SecondClips}; the network's calls must not depend on the batch");
        }

        Trace = new Trace
        {
            Calls = calls,
            Input = new TensorId(input.First),
            Output = Match("the result", second, output.First, output.Second),
            ShapeOf = id => _shapes[id],
            Constant = id => (Read(_first.Tensor(id.Number)), _names.GetValueOrDefault(id.Number)),
        };
    }

    private object? Argument(TracedCall call, Tensors.Recording second, HashSet<int> made, RecordedArgument a, RecordedArgument b)
    {
        string where = $"{call}, argument '{a.Name}'";
        if (a.Kind != b.Kind)
        {
            throw Differs(where, a.Kind, b.Kind);
        }

        switch (a.Kind)
        {
            case RecordedKind.None:
                return null;
            case RecordedKind.Tensor:
                return Operand(where, second, made, a.TensorId, b.TensorId);
            case RecordedKind.Tensors:
                return a.TensorIds.Count == b.TensorIds.Count
                    ? a.TensorIds.Zip(b.TensorIds, (x, y) => x < 0 ? (TensorId?)null : Operand(where, second, made, x, y)).ToArray()
                    : throw Differs(where, $"{a.TensorIds.Count} tensors", $"{b.TensorIds.Count}");
            case RecordedKind.Int:
                return Integer(where, a.Int, b.Int);
            case RecordedKind.Ints:
                return a.Ints.Count == b.Ints.Count
                    ? a.Ints.Zip(b.Ints, (x, y) => Integer(where, x, y)).ToArray()
                    : throw Differs(where, $"{a.Ints.Count} numbers", $"{b.Ints.Count}");
            case RecordedKind.Double:
                return a.Double.Equals(b.Double) ? a.Double : throw Differs(where, a.Double, b.Double);
            case RecordedKind.Doubles:
                return a.Doubles.SequenceEqual(b.Doubles) ? a.Doubles.ToArray() : throw Differs(where, "one list", "another");
            case RecordedKind.Bool:
                return a.Bool == b.Bool ? a.Bool : throw Differs(where, a.Bool, b.Bool);
            default:
                return a.String == b.String ? a.String : throw Differs(where, a.String, b.String);
        }
    }

    // A tensor that no call made is a constant, and must be the same one whatever the batch.
    private TensorId Operand(string where, Tensors.Recording second, HashSet<int> made, int a, int b)
    {
        bool isNew = !_ids.ContainsKey(a);
        TensorId id = Match(where, second, a, b);
        if (isNew && !made.Contains(a))
        {
            Tensor x = _first.Tensor(a);
            Tensor y = second.Tensor(b);
            bool same = _names.ContainsKey(a) || (x.DType == y.DType && x.Shape.SequenceEqual(y.Shape) && Equal(Read(x), Read(y)));
            if (!same)
            {
                throw new ExportException($"export: {where}: a tensor made outside recorded calls differs between {FirstClips} and {SecondClips} clips; compute it from the input by operators");
            }
        }

        return id;
    }

    private TensorId Match(string where, Tensors.Recording second, int a, int b)
    {
        if (_ids.TryGetValue(a, out int known))
        {
            return known == b ? new TensorId(a) : throw new ExportException($"export: {where}: the network uses another tensor here with {SecondClips} clips");
        }

        _ids.Add(a, b);
        ReadOnlySpan<long> x = _first.Tensor(a).Shape;
        ReadOnlySpan<long> y = second.Tensor(b).Shape;
        if (x.Length != y.Length)
        {
            throw Differs($"{where}: axes", x.Length, y.Length);
        }

        var shape = new Dimension[x.Length];
        for (int i = 0; i < shape.Length; i++)
        {
            shape[i] = Integer($"{where}: axis {i}", x[i], y[i]);
        }

        _shapes[new TensorId(a)] = shape;
        return new TensorId(a);
    }

    private static Dimension Integer(string where, long a, long b) =>
        Dimension.Observe(a, FirstClips, b, SecondClips) ?? throw Differs(where, a, b);

    private static ExportException Differs(string where, object a, object b) => new(string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"export: {where}: found {a} with {FirstClips} clip and {b} with {SecondClips}; expected the same, or a multiple of the clips"));

    private static bool Equal(Literal a, Literal b) => a.IsInteger ? a.Longs.AsSpan().SequenceEqual(b.Longs) : a.Floats.AsSpan().SequenceEqual(b.Floats);

    private static Literal Read(Tensor tensor)
    {
        long[] shape = tensor.Shape.ToArray();
        return tensor.DType switch
        {
            DType.Float32 => new Literal(tensor.ToArray<float>(), shape),
            DType.Float64 => new Literal(tensor.ToArray<double>(), shape),
            DType.Int64 => new Literal(tensor.ToArray<long>(), shape),
            DType other => throw new ExportException($"export: expected constants of float32, float64 or int64, found {other}; convert the network to float32 first"),
        };
    }

    private static float[] Floats(Tensor tensor) => Read(tensor).Floats;
}

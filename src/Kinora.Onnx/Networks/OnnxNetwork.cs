using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Kinora.Onnx;

/// <summary>A network in an ONNX file, run by ONNX Runtime on the CPU.</summary>
/// <remarks>
/// Memory layout and fusions are left to ORT_ENABLE_ALL, which alone turns on the blocked (NCHWc) convolutions.
/// Threads never spin: a decoder usually wants the core that a spinning worker would hold.
/// </remarks>
public sealed class OnnxNetwork : PreparedNetwork
{
    /// <summary>Name of the input by convention of the exporter.</summary>
    public const string InputName = "clips";

    /// <summary>Name of the output by convention of the exporter.</summary>
    public const string OutputName = "logits";

    // A view of 8 to 16 frames fills the caches; more views a run would only cost memory for their activations.
    private const int MaxViewsPerRun = 4;

    private const int MaxFloatsPerView = 1 << 28; // 1 GiB

    private readonly Engine _engine;

    private OnnxNetwork(Engine engine, IEnumerable<int> viewShape, int classes, int threads)
        : base(viewShape, classes, threads) => _engine = engine;

    /// <summary>Loads a model.</summary>
    /// <param name="path">An .onnx file with one float input [N, …] and one float output [N, classes].</param>
    /// <param name="threads">Threads of one run, the calling one included; at least 1.</param>
    /// <returns>The network, owned by the caller.</returns>
    /// <exception cref="CheckpointException">The file is missing, damaged, or has other inputs or outputs.</exception>
    /// <exception cref="NativeException">ONNX Runtime is missing or too old.</exception>
    public static OnnxNetwork Load(string path, int threads)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        _ = OnnxRuntimeLibrary.Environment();
        InferenceSession session = CreateSession(path, threads);
        try
        {
            (string input, int[] inputShape) = Single("input", session.InputMetadata, path);
            (string output, int[] outputShape) = Single("output", session.OutputMetadata, path);
            if (!IsFixedBehindBatch(inputShape))
            {
                throw new CheckpointException($"loading model: expected input '{input}' to be [N, …] with fixed sizes behind N, found {Text(inputShape)}; export it again", path);
            }

            if (outputShape.Length != 2 || outputShape[1] < 1)
            {
                throw new CheckpointException($"loading model: expected output '{output}' to be [N, classes], found {Text(outputShape)}; export it again", path);
            }

            return new OnnxNetwork(new Engine(session, path, input, output, inputShape), inputShape[1..], outputShape[1], threads);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override NetworkBatch CreateBatch(int views)
    {
        int fixedViews = _engine.InputShape[0];
        return fixedViews < 1 || views % fixedViews == 0
            ? new Batch(this, _engine, views, fixedViews < 1 ? MaxViewsPerRun : fixedViews)
            : throw new ShapeException($"run network: expected a multiple of {fixedViews} views, which the model was exported for, found {views}; export it with a dynamic batch");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _engine.Release();

    private static InferenceSession CreateSession(string path, int threads)
    {
        using var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0");
        try
        {
            return new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new CheckpointException($"loading model: ONNX Runtime refuses it: {Message(e)}; the file is damaged or needs operators that this version lacks, export it again", path, e);
        }
    }

    private static (string Name, int[] Shape) Single(string kind, IReadOnlyDictionary<string, NodeMetadata> entries, string path)
    {
        if (entries.Count != 1)
        {
            throw new CheckpointException($"loading model: expected one {kind}, found {entries.Count} ({string.Join(", ", entries.Keys)}); export it again", path);
        }

        using IEnumerator<KeyValuePair<string, NodeMetadata>> only = entries.GetEnumerator();
        _ = only.MoveNext();
        (string name, NodeMetadata entry) = only.Current;
        return entry.IsTensor && entry.ElementType == typeof(float)
            ? (name, entry.Dimensions)
            : throw new CheckpointException($"loading model: expected {kind} '{name}' to be a float32 tensor, found {(entry.IsTensor ? entry.ElementType.Name : entry.OnnxValueType)}; export it again", path);
    }

    private static bool IsFixedBehindBatch(int[] shape)
    {
        double floats = 1;
        for (int axis = 1; axis < shape.Length; axis++)
        {
            floats *= Math.Max(shape[axis], 0);
        }

        return shape.Length >= 2 && floats is > 0 and <= MaxFloatsPerView;
    }

    private static string Text(int[] shape) => $"[{string.Join(", ", shape.Select((n, axis) => n >= 0 ? $"{n}" : axis == 0 ? "N" : "?"))}]";

    // The native text can fill a screen and repeats the file name; the first line holds the reason.
    private static string Message(Exception e)
    {
        string line = OnnxRuntimeLibrary.FirstLine(e.Message);
        return line.Length > 300 ? line[..300] + "…" : line;
    }

    /// <summary>The session, counted: it lives until the network and every batch that is still out let go of it.</summary>
    private sealed class Engine(InferenceSession session, string path, string input, string output, int[] inputShape)
    {
        private int _owners = 1;

        public InferenceSession Session => session;

        public string Path => path;

        public string Input => input;

        public string Output => output;

        public int[] InputShape => inputShape;

        public void Retain() => Interlocked.Increment(ref _owners);

        public void Release()
        {
            if (Interlocked.Decrement(ref _owners) == 0)
            {
                session.Dispose();
            }
        }
    }

    /// <summary>
    /// Pinned memory bound to the session once. Long batches are cut into parts over the same memory; the last part
    /// may be shorter.
    /// </summary>
    private sealed class Batch : NetworkBatch
    {
        private readonly Engine _engine;
        private readonly float[] _clips;
        private readonly float[] _logits;
        private readonly OrtIoBinding[] _parts;
        private readonly RunOptions _options = new();

        public Batch(OnnxNetwork network, Engine engine, int views, int viewsPerRun)
            : base(network, views)
        {
            _engine = engine;
            engine.Retain();
            _clips = GC.AllocateUninitializedArray<float>(checked(views * network.FloatsPerView), pinned: true);
            _logits = GC.AllocateUninitializedArray<float>(checked(views * network.Classes), pinned: true);
            _parts = new OrtIoBinding[(views + viewsPerRun - 1) / viewsPerRun];
            for (int i = 0; i < _parts.Length; i++)
            {
                int start = i * viewsPerRun, count = Math.Min(viewsPerRun, views - start);
                OrtIoBinding part = _parts[i] = engine.Session.CreateIoBinding();
                using OrtValue clips = Over(_clips.AsSpan(start * network.FloatsPerView, count * network.FloatsPerView), [count, .. network.ViewShape]);
                using OrtValue logits = Over(_logits.AsSpan(start * network.Classes, count * network.Classes), [count, network.Classes]);
                part.BindInput(engine.Input, clips); // the binding keeps the value alive
                part.BindOutput(engine.Output, logits);
            }
        }

        public override Span<float> Clips => _clips;

        public override ReadOnlySpan<float> Logits => _logits;

        public override void Run(CancellationToken cancellation = default)
        {
            try
            {
                foreach (OrtIoBinding part in _parts)
                {
                    cancellation.ThrowIfCancellationRequested();
                    _engine.Session.RunWithBinding(_options, part);
                }
            }
            catch (OnnxRuntimeException e)
            {
                throw new NativeException($"run network: ONNX Runtime failed: {Message(e)}", _engine.Path, e);
            }
        }

        protected override void Free()
        {
            foreach (OrtIoBinding part in _parts)
            {
                part.Dispose();
            }

            _options.Dispose();
            _engine.Release();
        }

        private static OrtValue Over(Span<float> memory, long[] shape) => OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, TensorElementType.Float, shape, PinnedAddress(memory), (long)memory.Length * sizeof(float));

        // The arrays are pinned for life, so their addresses stay.
        private static unsafe nint PinnedAddress(Span<float> memory) => (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(memory));
    }
}

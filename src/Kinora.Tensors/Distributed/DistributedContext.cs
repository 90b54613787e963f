using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Kinora.Tensors;

/// <summary>
/// What a training loop needs to know and do when several processes share its work. One process alone has
/// <see cref="Single"/>, whose exchanges do nothing, so the loop is written once.
/// </summary>
/// <remarks>
/// All processes call the same methods in the same order, each on one thread. Typical step: <see cref="Sum"/> the
/// counts of samples; multiply the mean loss by the own share; <see cref="GradientReducer.Begin"/>, backward pass,
/// <see cref="GradientReducer.Finish"/>; then the optimiser does the same in every process.
/// </remarks>
public sealed class DistributedContext : IDisposable
{
    private const string Prefix = "failure/";
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);
    private readonly ProcessStore? _store;
    private readonly ProcessGroup? _control;
    private readonly ProcessGroup? _statistics;
    private readonly ProcessGroup? _gradients;
    private int _turns;
    private bool _failed;
    private bool _disposed;

    private DistributedContext(ProcessStore? store, ProcessGroup? control, ProcessGroup? statistics, ProcessGroup? gradients) =>
        (_store, _control, _statistics, _gradients) = (store, control, statistics, gradients);

    /// <summary>One process alone. Disposing it does nothing.</summary>
    public static DistributedContext Single { get; } = new(null, null, null, null);

    /// <summary>Whether there are other processes.</summary>
    public bool IsDistributed => _control is not null;

    /// <summary>This process's number, from 0.</summary>
    public int Rank => _control?.Rank ?? 0;

    /// <summary>Number of processes.</summary>
    public int Size => _control?.Size ?? 1;

    /// <summary>Its number on its machine, from 0.</summary>
    public int LocalRank => _store?.Rendezvous.LocalRank ?? 0;

    /// <summary>Whether this process writes files and speaks to the user: that of rank 0.</summary>
    public bool IsMain => Rank == 0;

    /// <summary>
    /// Whether this process has samples in the present step. One without still makes every forward and backward pass, on
    /// any clip whatever; nothing of that counts in synchronised batch norms.
    /// </summary>
    public bool Contributes { get; set; } = true;

    /// <summary>Longest time that an exchange may take: five minutes, or the seconds in KINORA_DISTRIBUTED_TIMEOUT.</summary>
    /// <exception cref="ConfigException">The variable isn't a number of seconds.</exception>
    public static TimeSpan DefaultTimeout
    {
        get
        {
            string? text = Environment.GetEnvironmentVariable("KINORA_DISTRIBUTED_TIMEOUT");
            return string.IsNullOrEmpty(text) ? TimeSpan.FromMinutes(5)
                : int.TryParse(text, out int seconds) && seconds is >= 1 and <= 86400 ? TimeSpan.FromSeconds(seconds)
                : throw new ConfigException($"KINORA_DISTRIBUTED_TIMEOUT: expected 1 to 86400 seconds, found '{text}'");
        }
    }

    /// <summary>The processes, for exchanges of tensors in CPU memory; null where there is one.</summary>
    public ProcessGroup? Group => _control;

    /// <summary>The native group that carries the statistics of batch norms.</summary>
    internal nint StatisticsAddress => _statistics?.Address ?? 0;

    /// <summary>Meets the other processes.</summary>
    /// <param name="rendezvous">Who and where; null, or one of one, gives <see cref="Single"/>.</param>
    /// <param name="backend">Where the network's tensors are: gloo for the CPU, NCCL for CUDA.</param>
    /// <param name="timeout">Longest time of any exchange, and of the meeting; null: <see cref="DefaultTimeout"/>.</param>
    /// <returns>Belongs to the calling thread, which makes all exchanges.</returns>
    /// <exception cref="DistributedException">The others aren't there in time, the port is taken, or the backend is missing.</exception>
    public static DistributedContext Connect(Rendezvous? rendezvous, CommunicationBackend backend = CommunicationBackend.Gloo, TimeSpan? timeout = null)
    {
        if (rendezvous is null or { Size: 1 })
        {
            return Single;
        }

        TimeSpan longest = timeout ?? DefaultTimeout;
        var opened = new Stack<IDisposable>();
        try
        {
            // Bytes travel in CPU memory whatever the network's tensors do. Gradients have connections of their own,
            // because their exchanges come in between at any time.
            ProcessStore store = Keep(ProcessStore.Open(rendezvous, longest));
            ProcessGroup gradients = Keep(ProcessGroup.Connect(store, "gradients", backend, longest));
            ProcessGroup? statistics = backend == CommunicationBackend.Gloo ? null : Keep(ProcessGroup.Connect(store, "statistics", backend, longest));
            ProcessGroup control = Keep(ProcessGroup.Connect(store, "control", CommunicationBackend.Gloo, longest));
            return new DistributedContext(store, control, statistics ?? control, gradients);
        }
        catch
        {
            while (opened.TryPop(out IDisposable? part))
            {
                part.Dispose();
            }

            throw;
        }

        T Keep<T>(T part)
            where T : IDisposable
        {
            opened.Push(part);
            return part;
        }
    }

    /// <summary>Sums over all processes.</summary>
    /// <param name="values">As many in every process.</param>
    /// <returns>The sums, the same bits everywhere.</returns>
    public double[] Sum(params ReadOnlySpan<double> values) => Reduce(values, Reduction.Sum);

    /// <summary>The largest over all processes.</summary>
    /// <param name="values">As many in every process.</param>
    /// <returns>The largest values.</returns>
    public double[] Max(params ReadOnlySpan<double> values) => Reduce(values, Reduction.Max);

    /// <summary>Waits until all processes are here.</summary>
    public void Barrier() => _control?.Barrier();

    /// <summary>Gives every process the bytes of one.</summary>
    /// <param name="bytes">What that process gives; ignored in the others.</param>
    /// <param name="root">That process.</param>
    /// <returns>Its bytes.</returns>
    public byte[] Broadcast(ReadOnlySpan<byte> bytes, int root = 0)
    {
        if (_control is null)
        {
            return bytes.ToArray();
        }

        using var scope = new TensorScope();
        using IDisposable host = Device.Cpu.Use();
        Tensor length = Tensor.From<long>([bytes.Length]);
        _control.Broadcast(length, root);
        int count = (int)length.ToArray<long>()[0];
        if (count == 0)
        {
            return [];
        }

        Tensor content = Rank == root ? Tensor.From(bytes) : Tensor.Zeros([count], DType.UInt8);
        _control.Broadcast(content, root);
        return content.ToArray<byte>();
    }

    /// <summary>Collects the bytes of all processes.</summary>
    /// <param name="bytes">Any number, also none.</param>
    /// <returns>In order of rank.</returns>
    public byte[][] Gather(ReadOnlySpan<byte> bytes)
    {
        if (_control is null)
        {
            return [bytes.ToArray()];
        }

        using var scope = new TensorScope();
        using IDisposable host = Device.Cpu.Use();
        long[] lengths = _control.AllGather(Tensor.From<long>([bytes.Length])).ToArray<long>();
        int longest = (int)lengths.Max();
        if (longest == 0)
        {
            return [.. lengths.Select(_ => Array.Empty<byte>())];
        }

        var padded = new byte[longest];
        bytes.CopyTo(padded);
        byte[] all = _control.AllGather(Tensor.From<byte>(padded)).ToArray<byte>();
        return [.. lengths.Select((length, rank) => all.AsSpan(rank * longest, (int)length).ToArray())];
    }

    /// <summary>Collects a text of every process.</summary>
    /// <param name="text">This process's.</param>
    /// <returns>In order of rank.</returns>
    public string[] Gather(string text) => [.. Gather(Encoding.UTF8.GetBytes(text)).Select(Encoding.UTF8.GetString)];

    /// <summary>Checks that something is the same in all processes, such as the version or a fingerprint of the data.</summary>
    /// <param name="facts">Names and values, in the same order everywhere.</param>
    /// <exception cref="DistributedException">In every process: a value differs; the message names it, the rank and both values.</exception>
    public void RequireSame(params ReadOnlySpan<(string Name, string Value)> facts)
    {
        if (_control is null)
        {
            return;
        }

        foreach ((string name, string value) in facts)
        {
            string[] all = Gather(value);
            int other = Array.FindIndex(all, v => v != all[0]);
            if (other > 0)
            {
                throw new DistributedException(
                    $"start on {Size} processes: expected the same {name} everywhere, found '{Short(all[0])}' at rank 0 and '{Short(all[other])}' at rank {other}; start all of them with the same program, options and data",
                    Rank,
                    "compare");
            }
        }

        static string Short(string text) => text.Length <= 80 ? text : text[..79] + "…";
    }

    /// <summary>
    /// Gives every process rank 0's parameters and buffers, and lets batch norms take their statistics over all
    /// processes' samples.
    /// </summary>
    /// <param name="network">The same structure everywhere.</param>
    /// <param name="batchNorm">Whether batch norms are synchronised; false leaves each process its own statistics.</param>
    /// <exception cref="DistributedException">Names, shapes or element types differ between processes.</exception>
    public void Synchronize(Module network, bool batchNorm = true)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (_control is null)
        {
            return;
        }

        RequireSame(("network", Structure(network)));
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        foreach ((_, Tensor value) in network.StateDict())
        {
            (value.DType == DType.Bool ? _control : _statistics!).Broadcast(value);
        }

        foreach ((_, Module module) in network.NamedModules())
        {
            if (module is BatchNorm norm)
            {
                norm.Processes = batchNorm ? this : null;
            }
        }
    }

    /// <summary>Plans the exchange of gradients; null where there is one process.</summary>
    /// <param name="parameters">The same names and shapes everywhere, in their final element type and memory format.</param>
    /// <param name="bucketBytes">See <see cref="GradientReducer"/>.</param>
    /// <returns>Belongs to the caller; dispose of it before this object.</returns>
    public GradientReducer? ReduceGradients(IEnumerable<(string Name, Tensor Value)> parameters, long bucketBytes = GradientReducer.DefaultBucketBytes) =>
        _gradients is null ? null : new GradientReducer(_gradients, parameters, bucketBytes);

    /// <summary>
    /// Lets rank 0 do something first that the others then find done, such as filling a cache on a shared disk. It may
    /// take longer than any exchange.
    /// </summary>
    /// <param name="work">Done by rank 0, and when that is over by all others at once.</param>
    /// <exception cref="DistributedException">Rank 0 failed.</exception>
    public void MainFirst(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        string key = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"first/{_turns++}");
        if (_store is null || IsMain)
        {
            work();
            _ = _store?.TrySet(key, "done");
            return;
        }

        using var never = new ManualResetEventSlim();
        while (true)
        {
            if (!_store.TryGet(key, out string? done) || !_store.TryGet(FailureKey(0), out string? failure))
            {
                throw new DistributedException($"rank {Rank} of {Size}: wait for rank 0: it has ended, see its own output", Rank, "wait");
            }

            if (failure is not null)
            {
                throw new DistributedException($"rank {Rank} of {Size}: wait for rank 0: it had stopped: {failure}", Rank, "wait");
            }

            if (done is not null)
            {
                work();
                return;
            }

            never.Wait(PollTime);
        }
    }

    /// <summary>Tells the other processes why this one stops, so that their messages can say it.</summary>
    /// <param name="reason">One line.</param>
    public void Announce(string reason)
    {
        _failed = true;
        _ = _store?.TrySet(FailureKey(Rank), reason.ReplaceLineEndings(" "));
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
        if (_disposed || _control is null)
        {
            return;
        }

        _disposed = true;
        _gradients?.Dispose();
        if (_statistics != _control)
        {
            _statistics?.Dispose();
        }

        _control.Dispose();

        // The others notice when connections close, and then look here for the reason.
        if (_failed && IsMain)
        {
            using var never = new ManualResetEventSlim();
            never.Wait(FarewellTime);
        }

        _store!.Dispose();
    }

    /// <summary>Where a process leaves the reason why it stopped.</summary>
    internal static string FailureKey(int rank) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Prefix}{rank}");

    private static string Structure(Module network)
    {
        var text = new StringBuilder();
        foreach ((string name, Tensor value) in network.StateDict())
        {
            text.Append(name).Append(value).Append(value.IsChannelsLast ? 'c' : 'r').Append(value.RequiresGrad ? '+' : '-').Append('\n');
        }

        return $"{network.GetType().Name} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16]}";
    }

    private double[] Reduce(ReadOnlySpan<double> values, Reduction reduction)
    {
        if (_control is null)
        {
            return values.ToArray();
        }

        Debug.Assert(!values.IsEmpty, "an exchange of nothing");
        using var scope = new TensorScope();
        using IDisposable host = Device.Cpu.Use();
        Tensor tensor = Tensor.From(values);
        _control.AllReduce(tensor, reduction);
        return tensor.ToArray<double>();
    }
}

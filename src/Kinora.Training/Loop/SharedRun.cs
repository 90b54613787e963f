using System.Reflection;
using System.Text;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>A run on several processes, from their meeting to their parting. With one process it adds nothing.</summary>
internal static class SharedRun
{
    /// <summary>Meets the other processes and works with them; a failure is told to them.</summary>
    /// <param name="options">Says who this process is.</param>
    /// <param name="work">All work on the compute thread.</param>
    public static T With<T>(TrainerOptions options, Func<DistributedContext, T> work)
    {
        Device device = Device.Parse(options.Device, options.Rendezvous?.LocalRank ?? 0);
        using IDisposable where = device.Use();
        using DistributedContext processes = DistributedContext.Connect(
            options.Rendezvous, device.Type == DeviceType.Cuda ? CommunicationBackend.Nccl : CommunicationBackend.Gloo);
        try
        {
            return work(processes);
        }
        catch (Exception e)
        {
            // What the others did to this process is no news to them.
            if (e is not DistributedException)
            {
                processes.Announce(e is OperationCanceledException ? "cancelled" : e.Message);
            }

            throw;
        }
    }

    /// <summary>Prepares the same run in all processes: rank 0 chooses what is open, the others take its choices.</summary>
    /// <param name="processes">The processes.</param>
    /// <param name="config">What was asked for.</param>
    /// <param name="options">Surroundings.</param>
    /// <param name="resumed">State of the run that is continued, or null.</param>
    /// <param name="ct">Ends the preparation.</param>
    /// <exception cref="DistributedException">The processes have different programs, clips or settings.</exception>
    public static PreparedRun Prepare(DistributedContext processes, TrainingConfig config, TrainerOptions options, RunState? resumed, CancellationToken ct)
    {
        options = options with { Processes = processes.Size };
        if (!processes.IsDistributed)
        {
            return Planner.Prepare(config, options, resumed, ct);
        }

        PreparedRun? first = processes.IsMain ? Planner.Prepare(config, options, resumed, ct) : null;
        PreparedRun? prepared = first;
        try
        {
            string settled = Encoding.UTF8.GetString(processes.Broadcast(Encoding.UTF8.GetBytes(first is null ? "" : ConfigYaml.Write(first.Plan.Config))));
            prepared ??= Planner.Prepare(ConfigYaml.Parse(settled), options with { Probe = false, KeepName = true }, resumed, ct);
            processes.RequireSame(
                ("version of Kinora", typeof(SharedRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? ""),
                ("version of libtorch", Torch.Version),
                ("clips", $"{Planner.Fingerprint(prepared.Splits):x16}"),
                ("configuration", $"{CounterRandom.Fnv1a64(ConfigYaml.Write(prepared.Plan.Config)):x16}"),
                ("steps of an epoch", $"{prepared.Plan.StepsPerEpoch}"));
            return prepared;
        }
        catch
        {
            prepared?.Dispose();
            throw;
        }
    }

    /// <summary>The configuration of a run that goes on with another number of processes: its joint batches stay what they were.</summary>
    /// <param name="config">As the run began.</param>
    /// <param name="before">Processes then.</param>
    /// <param name="now">Processes now.</param>
    /// <param name="path">The checkpoint, for messages.</param>
    /// <exception cref="CheckpointException">The joint batch can't be divided so.</exception>
    public static TrainingConfig Divide(TrainingConfig config, int before, int now, string path)
    {
        if (before == now || config.Loop.BatchSize is not int each)
        {
            return config;
        }

        (int batch, int rest) = Math.DivRem(each * before, now);
        return rest == 0 && batch > 0
            ? config with { Loop = config.Loop with { BatchSize = batch } }
            : throw new CheckpointException($"resume: expected {before} processes as the run had, or a number that divides its batches of {each * before}, found {now}", path);
    }
}

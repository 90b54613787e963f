using System.Globalization;

namespace Kinora.Tensors;

/// <summary>Who this process is among those of its run, and where they meet.</summary>
/// <param name="Rank">This process's number, in [0, <paramref name="Size"/>).</param>
/// <param name="Size">Number of processes.</param>
/// <param name="LocalRank">Its number on its machine, from 0; chooses the CUDA device.</param>
/// <param name="Host">Machine of rank 0, as the others reach it.</param>
/// <param name="Port">Port on that machine at which rank 0 listens.</param>
public sealed record Rendezvous(int Rank, int Size, int LocalRank, string Host, int Port)
{
    private const int FirstSlurmPort = 20000, SlurmPorts = 10000;

    /// <summary>Reads what torchrun, <c>kinora launch</c> or Slurm's srun tell a process in its environment.</summary>
    /// <param name="read">Reads a variable; null: the environment's own.</param>
    /// <returns>Null where nothing says that there are other processes.</returns>
    /// <exception cref="ConfigException">Variables are missing, unreadable, or contradict each other.</exception>
    /// <remarks>
    /// RANK and WORLD_SIZE with LOCAL_RANK, MASTER_ADDR and MASTER_PORT come first; under them Slurm's variables, which
    /// then count launchers, don't matter. Otherwise a task of srun: SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID and the
    /// list of nodes, of which the first is where rank 0 runs; the port follows from SLURM_JOB_ID. MASTER_ADDR and
    /// MASTER_PORT go before both.
    /// </remarks>
    public static Rendezvous? FromEnvironment(Func<string, string?>? read = null)
    {
        var variables = new Variables(read ?? Environment.GetEnvironmentVariable);
        return variables["RANK"] is not null || variables["WORLD_SIZE"] is not null ? FromTorchrun(variables)
            : variables["SLURM_STEP_ID"] is not null && variables["SLURM_PROCID"] is not null ? FromSlurm(variables)
            : null;
    }

    /// <summary>Expands a list of nodes as Slurm writes it: "gpu[01-03,7],login" is gpu01, gpu02, gpu03, gpu7, login.</summary>
    /// <param name="list">The list.</param>
    /// <returns>The names in order.</returns>
    /// <exception cref="ConfigException">The list can't be read.</exception>
    public static IReadOnlyList<string> ExpandNodes(string list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var nodes = new List<string>();
        int start = 0, depth = 0;
        for (int i = 0; i <= list.Length; i++)
        {
            char c = i < list.Length ? list[i] : ',';
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            if (depth is < 0 or > 1 || (i == list.Length && depth != 0))
            {
                throw Unreadable();
            }

            if (c == ',' && depth == 0)
            {
                ExpandItem(list[start..i]);
                start = i + 1;
            }
        }

        return nodes;

        // A prefix, then any number of [ranges], each followed by more text.
        void ExpandItem(string item)
        {
            int open = item.IndexOf('[', StringComparison.Ordinal);
            if (open < 0)
            {
                nodes.Add(item.Length > 0 ? item : throw Unreadable());
                return;
            }

            int close = item.IndexOf(']', open);
            foreach (string range in item[(open + 1)..close].Split(','))
            {
                string[] ends = range.Split('-');
                string last = ends[^1];
                if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int from)
                    || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out int to) || to < from || nodes.Count + (to - (long)from) > 100_000)
                {
                    throw Unreadable();
                }

                for (int number = from; number <= to; number++)
                {
                    ExpandItem(item[..open] + number.ToString(CultureInfo.InvariantCulture).PadLeft(ends[0].Length, '0') + item[(close + 1)..]);
                }
            }
        }

        ConfigException Unreadable() => new($"list of nodes: expected names such as 'gpu[01-03,7],login', found '{list}'");
    }

    private static Rendezvous FromTorchrun(Variables variables)
    {
        int size = variables.Number("WORLD_SIZE", 1, 65536);
        int rank = variables.Number("RANK", 0, 65535);
        int local = variables["LOCAL_RANK"] is null ? 0 : variables.Number("LOCAL_RANK", 0, 65535);
        Require(rank < size, "RANK", $"less than WORLD_SIZE {size}", rank);
        Require(local <= rank, "LOCAL_RANK", $"at most RANK {rank}", local);
        if (variables["LOCAL_WORLD_SIZE"] is not null)
        {
            int localSize = variables.Number("LOCAL_WORLD_SIZE", 1, 65536);
            Require(localSize <= size, "LOCAL_WORLD_SIZE", $"at most WORLD_SIZE {size}", localSize);
            Require(local < localSize, "LOCAL_RANK", $"less than LOCAL_WORLD_SIZE {localSize}", local);
        }

        return new Rendezvous(rank, size, local, variables.Text("MASTER_ADDR"), variables.Number("MASTER_PORT", 1, 65535));
    }

    private static Rendezvous FromSlurm(Variables variables)
    {
        int size = variables["SLURM_STEP_NUM_TASKS"] is null ? variables.Number("SLURM_NTASKS", 1, 65536) : variables.Number("SLURM_STEP_NUM_TASKS", 1, 65536);
        int rank = variables.Number("SLURM_PROCID", 0, 65535);
        int local = variables.Number("SLURM_LOCALID", 0, 65535);
        Require(rank < size, "SLURM_PROCID", $"less than the {size} tasks of SLURM_NTASKS", rank);
        Require(local <= rank, "SLURM_LOCALID", $"at most SLURM_PROCID {rank}", local);
        return new Rendezvous(rank, size, local, variables["MASTER_ADDR"] ?? FirstNode(variables, size), SlurmPort(variables));
    }

    private static string FirstNode(Variables variables, int size)
    {
        string name = new[] { "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST" }.FirstOrDefault(n => variables[n] is not null) ?? "SLURM_JOB_NODELIST";
        IReadOnlyList<string> nodes = ExpandNodes(variables.Text(name));
        Require(nodes.Count <= size || name != "SLURM_STEP_NODELIST", name, $"at most {size} nodes for {size} tasks", nodes.Count);
        return nodes.Count == 1 ? "127.0.0.1" : nodes[0];
    }

    // Two jobs that share a node need different ports.
    private static int SlurmPort(Variables variables)
    {
        if (variables["MASTER_PORT"] is not null)
        {
            return variables.Number("MASTER_PORT", 1, 65535);
        }

        string job = variables.Text("SLURM_JOB_ID");
        return ulong.TryParse(job, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? FirstSlurmPort + (int)(number % SlurmPorts)
            : throw new ConfigException($"SLURM_JOB_ID: expected a number, found '{job}'");
    }

    private static void Require(bool holds, string name, string expected, int found)
    {
        if (!holds)
        {
            throw new ConfigException($"{name}: expected {expected}, found {found}; the variables of several launchers may be mixed up");
        }
    }

    private readonly struct Variables(Func<string, string?> read)
    {
        public string? this[string name] => read(name) is { Length: > 0 } text ? text : null;

        public string Text(string name) => this[name]
            ?? throw new ConfigException($"{name}: expected beside {(this["RANK"] is not null || this["WORLD_SIZE"] is not null ? "RANK and WORLD_SIZE" : "SLURM_PROCID")}, found nothing; start with 'kinora launch', torchrun or srun, or set it");

        public int Number(string name, int min, int max) =>
            int.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max
                ? number
                : throw new ConfigException($"{name}: expected {min} to {max}, found '{Text(name)}'");
    }
}

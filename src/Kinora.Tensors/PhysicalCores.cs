namespace Kinora.Tensors;

/// <summary>Counts the cores that are worth a compute thread each.</summary>
internal static class PhysicalCores
{
    /// <summary>
    /// Physical cores among the processors this process may run on, and no more than its share of processor time
    /// (which .NET counts). Two hyper-threads of one core share its arithmetic units.
    /// </summary>
    public static int Usable()
    {
        int logical = Environment.ProcessorCount;
        try
        {
            string? allowed = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal));
            if (allowed is null)
            {
                return logical;
            }

            var cores = new HashSet<string>(StringComparer.Ordinal);
            foreach (int cpu in ParseList(allowed[(allowed.IndexOf(':', StringComparison.Ordinal) + 1)..]))
            {
                cores.Add(File.ReadAllText($"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").Trim());
            }

            return Math.Max(1, Math.Min(logical, cores.Count));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return logical;
        }
    }

    /// <summary>The numbers of a list such as "0-3,8".</summary>
    internal static IEnumerable<int> ParseList(string list)
    {
        foreach (string part in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            int first = int.Parse(ends[0], System.Globalization.CultureInfo.InvariantCulture);
            int last = int.Parse(ends[^1], System.Globalization.CultureInfo.InvariantCulture);
            for (int cpu = first; cpu <= last; cpu++)
            {
                yield return cpu;
            }
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Kinora.Cli.Launching;

/// <summary>Which processes to start on this machine, and what to tell them.</summary>
internal sealed record LaunchPlan
{
    /// <summary>Processes on this machine.</summary>
    public required int Processes { get; init; }

    /// <summary>Machines; each runs a launcher with as many processes.</summary>
    public int Machines { get; init; } = 1;

    /// <summary>Which of them this is, from 0.</summary>
    public int Machine { get; init; }

    /// <summary>Where rank 0 listens, as the other machines reach it.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port there.</summary>
    public required int Port { get; init; }

    /// <summary>Arguments of every process.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Whether the standard output of ranks other than 0 is shown too.</summary>
    public bool ShowAll { get; init; }

    /// <summary>The rank of a process of this machine.</summary>
    public int Rank(int local) => (Machine * Processes) + local;

    /// <summary>The variables that torchrun would set, and this process's share of the processors.</summary>
    /// <param name="local">Number on this machine.</param>
    /// <param name="processors">Processors of this machine that may be used.</param>
    public IEnumerable<(string Name, string Value)> Variables(int local, int processors)
    {
        yield return ("RANK", Text(Rank(local)));
        yield return ("WORLD_SIZE", Text(Processes * Machines));
        yield return ("LOCAL_RANK", Text(local));
        yield return ("LOCAL_WORLD_SIZE", Text(Processes));
        yield return ("GROUP_RANK", Text(Machine));
        yield return ("MASTER_ADDR", Host);
        yield return ("MASTER_PORT", Text(Port));

        // .NET counts this many processors then; compute and decoding threads follow.
        yield return ("DOTNET_PROCESSOR_COUNT", Text(Math.Max(1, processors / Processes)));

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A port of this machine that is free at the moment.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

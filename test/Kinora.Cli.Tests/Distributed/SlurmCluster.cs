using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Kinora.Testing;

namespace Kinora.Cli.Tests;

/// <summary>A Slurm of one node on this machine: munged, slurmctld and slurmd with files of their own, ended with this object.</summary>
internal sealed class SlurmCluster : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _daemons = [];

    private SlurmCluster()
    {
    }

    private string Configuration => _folder["slurm.conf"];

    /// <summary>Whether Debian's slurm-wlm and munge are installed.</summary>
    public static bool IsInstalled => new[] { "munged", "slurmctld", "slurmd", "sbatch", "sinfo" }.All(program => Find(program) is not null);

    /// <summary>Starts the daemons and waits until the node takes jobs.</summary>
    public static async Task<SlurmCluster> StartAsync()
    {
        var cluster = new SlurmCluster();
        try
        {
            await cluster.StartDaemonsAsync();
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Starts one of Slurm's commands.</summary>
    public Process Start(string program, string workingFolder, IReadOnlyDictionary<string, string> variables, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Find(program)!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = workingFolder };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["SLURM_CONF"] = Configuration;
        foreach ((string name, string value) in variables)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public void Dispose()
    {
        // slurmd first, so that nothing starts any more; each is asked, then killed.
        foreach (Process daemon in Enumerable.Reverse(_daemons))
        {
            if (!daemon.HasExited)
            {
                using (Process kill = Process.Start("kill", [$"{daemon.Id}"]))
                {
                    kill.WaitForExit();
                }

                if (!daemon.WaitForExit(TimeSpan.FromSeconds(10)))
                {
                    daemon.Kill(entireProcessTree: true);
                    daemon.WaitForExit();
                }
            }

            daemon.Dispose();
        }

        _folder.Dispose();
    }

    private async Task StartDaemonsAsync()
    {
        string socket = _folder["munge.sock"];
        File.WriteAllBytes(_folder["munge.key"], [.. Enumerable.Range(0, 1024).Select(i => (byte)(i * 37))]);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_folder["munge.key"], UnixFileMode.UserRead);
        }

        Daemon(
            "munged", "--foreground", "--force", $"--key-file={_folder["munge.key"]}", $"--socket={socket}", $"--pid-file={_folder["munge.pid"]}",
            $"--log-file={_folder["munge.log"]}", $"--seed-file={_folder["munge.seed"]}");
        await LaunchTests.UntilAsync(() => File.Exists(socket));

        Directory.CreateDirectory(_folder["state"]);
        Directory.CreateDirectory(_folder["spool"]);
        await File.WriteAllTextAsync(Configuration, $"""
            ClusterName=kinora
            SlurmctldHost=localhost(127.0.0.1)
            SlurmctldPort={FreePort()}
            SlurmdPort={FreePort()}
            SlurmUser={Environment.UserName}
            SlurmdUser={Environment.UserName}
            AuthType=auth/munge
            AuthInfo=socket={socket}
            CredType=cred/munge
            MpiDefault=none
            ProctrackType=proctrack/linuxproc
            TaskPlugin=task/none
            SelectType=select/cons_tres
            SelectTypeParameters=CR_Core
            SwitchType=switch/none
            AccountingStorageType=accounting_storage/none
            JobAcctGatherType=jobacct_gather/none
            SlurmdParameters=config_overrides
            KillWait=5
            ReturnToService=2
            StateSaveLocation={_folder["state"]}
            SlurmdSpoolDir={_folder["spool"]}
            SlurmctldPidFile={_folder["slurmctld.pid"]}
            SlurmdPidFile={_folder["slurmd.pid"]}
            SlurmctldLogFile={_folder["slurmctld.log"]}
            SlurmdLogFile={_folder["slurmd.log"]}
            NodeName=localhost NodeHostName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
            PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP

            """);
        Daemon("slurmctld", "-D", "-f", Configuration);
        Daemon("slurmd", "-D", "-N", "localhost", "-f", Configuration);
        await LaunchTests.UntilAsync(() => NodeState() == "idle" || _daemons.Any(d => d.HasExited));
        Assert.True(_daemons.TrueForAll(d => !d.HasExited), string.Join("\n", new[] { "munge.log", "slurmctld.log", "slurmd.log" }.Where(f => File.Exists(_folder[f])).Select(f => File.ReadAllText(_folder[f]))));
    }

    private string NodeState()
    {
        using Process sinfo = Start("sinfo", _folder.Path, new Dictionary<string, string>(), "--noheader", "--format=%T");
        string state = sinfo.StandardOutput.ReadToEnd().Trim();
        sinfo.WaitForExit();
        return state;
    }

    private void Daemon(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SLURM_CONF"] = Configuration;
        Process daemon = Process.Start(start)!;
        daemon.OutputDataReceived += (_, _) => { };
        daemon.ErrorDataReceived += (_, _) => { };
        daemon.BeginOutputReadLine();
        daemon.BeginErrorReadLine();
        _daemons.Add(daemon);
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Concat(["/usr/sbin", "/usr/bin", "/sbin"])
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

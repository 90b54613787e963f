using System.Diagnostics;
using System.Runtime.InteropServices;
using Kinora.Cli.Terminal;

namespace Kinora.Cli.Launching;

/// <summary>The processes of a launch, from their start until none is left.</summary>
internal sealed partial class RankProcesses : IDisposable
{
    private const int Terminate = 15;

    // A process that loses its peers needs a moment to say so and to stop by itself; all must be gone within 30 s.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TerminationTime = TimeSpan.FromSeconds(8);
    private readonly LaunchPlan _plan;
    private readonly Output _output;
    private readonly List<Process> _processes = [];
    private readonly Lock _writing = new();

    private RankProcesses(LaunchPlan plan, Output output) => (_plan, _output) = (plan, output);

    /// <summary>Starts all processes and waits for their ends.</summary>
    /// <param name="plan">What to start.</param>
    /// <param name="output">Takes what rank 0 says, and what the others say on standard error.</param>
    /// <param name="ct">Asks all processes to stop; they are waited for, because they write a checkpoint first.</param>
    /// <returns>0, or the exit code of the process that failed first.</returns>
    public static async Task<int> RunAsync(LaunchPlan plan, Output output, CancellationToken ct)
    {
        using var processes = new RankProcesses(plan, output);
        try
        {
            processes.Start();
            return await processes.WaitAsync(ct).ConfigureAwait(false);
        }
        finally
        {
            processes.Kill();
        }
    }

    public void Dispose() => _processes.ForEach(p => p.Dispose());

    private void Start()
    {
        for (int local = 0; local < _plan.Processes; local++)
        {
            bool inherit = local == 0 && _plan.Machine == 0 && _output.IsInteractive;
            ProcessStartInfo start = Self();
            start.UseShellExecute = false;
            start.RedirectStandardOutput = start.RedirectStandardError = !inherit;
            start.RedirectStandardInput = local > 0;
            foreach (string argument in _plan.Arguments)
            {
                start.ArgumentList.Add(argument);
            }

            foreach ((string name, string value) in _plan.Variables(local, Environment.ProcessorCount))
            {
                start.Environment[name] = value;
            }

            var process = new Process { StartInfo = start, EnableRaisingEvents = true };
            if (!inherit)
            {
                int rank = _plan.Rank(local);
                process.OutputDataReceived += (_, e) => Say(rank, e.Data, isError: false);
                process.ErrorDataReceived += (_, e) => Say(rank, e.Data, isError: true);
            }

            process.Start();
            _processes.Add(process);
            if (local > 0)
            {
                process.StandardInput.Close();
            }

            if (!inherit)
            {
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
            }
        }
    }

    private async Task<int> WaitAsync(CancellationToken ct)
    {
        List<Task<int>> running = [.. _processes.Select(EndAsync)];
        Task cancelled = Task.Delay(Timeout.Infinite, ct);
        Task deadline = Task.Delay(Timeout.Infinite, CancellationToken.None);
        int code = ExitCode.Success;
        bool asked = false, terminated = false;
        while (running.Count > 0)
        {
            Task first = await Task.WhenAny([.. running, .. asked ? [] : new[] { cancelled }, deadline]).ConfigureAwait(false);
            if (first == cancelled)
            {
                asked = true;
                Signal();
            }
            else if (first == deadline && !terminated)
            {
                terminated = true;
                Signal();
                deadline = Task.Delay(TerminationTime, CancellationToken.None);
            }
            else if (first == deadline)
            {
                Kill();
                deadline = Task.Delay(Timeout.Infinite, CancellationToken.None);
            }
            else if (first is Task<int> ended)
            {
                running.Remove(ended);
                int local = await ended.ConfigureAwait(false);
                int exit = _processes[local].ExitCode;
                if (exit != 0 && code == ExitCode.Success)
                {
                    code = exit;
                    if (running.Count > 0 && !asked)
                    {
                        Complain(local, exit);
                        deadline = Task.Delay(Grace, CancellationToken.None);
                    }
                    else if (!asked)
                    {
                        Complain(local, exit);
                    }
                }
            }
        }

        return code;

        async Task<int> EndAsync(Process process)
        {
            // Not before its output has arrived.
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return _processes.IndexOf(process);
        }
    }

    private void Complain(int local, int exit)
    {
        string how = exit > 128 ? $"was ended by signal {exit - 128}" : $"ended with exit code {exit}";
        lock (_writing)
        {
            _output.Error($"launch: rank {_plan.Rank(local)} (process {_processes[local].Id}) {how}; the others stop too");
        }
    }

    private void Say(int rank, string? line, bool isError)
    {
        if (line is null || (rank != 0 && !isError && !_plan.ShowAll))
        {
            return;
        }

        lock (_writing)
        {
            if (rank == 0)
            {
                (isError ? _output.Err : _output.Out).WriteLine(line);
            }
            else
            {
                _output.Err.WriteLine($"{_output.Paint($"[rank {rank}]", "2")} {line}");
            }
        }
    }

    private void Signal()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
            {
                _ = kill(process.Id, Terminate);
            }
        }
    }

    private void Kill()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    // This program once more: its own executable, or dotnet with its assembly.
    private static ProcessStartInfo Self()
    {
        string program = Environment.ProcessPath ?? "dotnet";
        if (Path.GetFileNameWithoutExtension(program) == "kinora")
        {
            return new ProcessStartInfo(program);
        }

        var start = new ProcessStartInfo("dotnet");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kinora.dll"));
        return start;
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}

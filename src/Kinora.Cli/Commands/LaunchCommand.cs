using System.CommandLine;
using Kinora.Cli.Launching;
using Kinora.Cli.Terminal;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora launch</c>: several processes of this program that share one training.</summary>
internal static class LaunchCommand
{
    private const string Name = "launch";

    public static Command Create(Output output)
    {
        Option<int> processes = new("--nproc", "-n") { Description = "Processes on this machine, one for each GPU or a few cores each.", HelpName = "number", Required = true };
        Option<int?> machines = new("--nnodes") { Description = "Machines; start the same command on each [default: 1]." };
        Option<int?> machine = new("--node-rank") { Description = "Which of the machines this is, from 0 [default: 0]." };
        Option<string?> host = new("--master-addr") { Description = "Machine 0, as the others reach it [default: this one]." };
        Option<int?> port = new("--master-port") { Description = "Port on machine 0 [default: a free one; 29500 with several machines]." };
        Option<bool> all = new("--all-output") { Description = "Show the standard output of all processes, not only of rank 0." };
        Argument<string[]> command = new("command") { Arity = ArgumentArity.OneOrMore, Description = "The command and its options, such as: train my-clips/" };

        Command launch = new ExampleCommand(
            Name,
            "Starts several processes that share a training. Batches stay what they are in the configuration times the\nnumber of processes. When one process fails, all stop.",
            "launch --nproc 2 train my-clips/",
            "launch --nproc 4 --nnodes 2 --node-rank 1 --master-addr gpu01 -- train --config recipe.yaml")
        {
            processes, machines, machine, host, port, all, command,
        };
        launch.Validators.Add(result =>
        {
            if (result.GetResult(processes) is null || result.GetResult(command) is null)
            {
                return; // said elsewhere
            }

            int count = result.GetValue(machines) ?? 1, index = result.GetValue(machine) ?? 0;
            if (result.GetValue(processes) is < 1 or > 1024)
            {
                result.AddError($"--nproc: expected 1 to 1024, found {result.GetValue(processes)}");
            }
            else if (count < 1 || index < 0 || index >= count)
            {
                result.AddError($"--node-rank: expected 0 to {count - 1} for --nnodes {count}, found {index}");
            }
            else if (count > 1 && result.GetValue(host) is null)
            {
                result.AddError("--master-addr: expected the name or address of machine 0 beside --nnodes");
            }
            else if (result.GetValue(command)?[0] is Name)
            {
                result.AddError("expected a command such as train, found launch");
            }
        });
        launch.SetAction((parsed, ct) => RankProcesses.RunAsync(
            new LaunchPlan
            {
                Processes = parsed.GetValue(processes),
                Machines = parsed.GetValue(machines) ?? 1,
                Machine = parsed.GetValue(machine) ?? 0,
                Host = parsed.GetValue(host) ?? "127.0.0.1",
                Port = parsed.GetValue(port) ?? (parsed.GetValue(machines) is > 1 ? 29500 : LaunchPlan.FreePort()),
                Arguments = parsed.GetValue(command)!,
                ShowAll = parsed.GetValue(all),
            },
            output,
            ct));
        return launch;
    }

    /// <summary>Separates the launched command's options from launch's own by "--", where the user hasn't.</summary>
    /// <param name="args">A command line.</param>
    /// <returns>The command line to parse.</returns>
    public static string[] Separate(string[] args)
    {
        if (args.Length == 0 || args[0] != Name || args.Contains("--"))
        {
            return args;
        }

        int at = 1;
        while (at < args.Length && args[at].StartsWith('-'))
        {
            // Every option but these has a value.
            bool alone = args[at].Contains('=', StringComparison.Ordinal) || args[at] is "--all-output" or "--help" or "-h" or "-?";
            at += alone ? 1 : 2;
        }

        return at >= args.Length ? args : [.. args[..at], "--", .. args[at..]];
    }
}

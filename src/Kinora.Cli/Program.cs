using System.CommandLine;
using Kinora.Cli.Commands;
using Kinora.Cli.Terminal;

namespace Kinora.Cli;

/// <summary>The command line, and the edge at which every failure becomes one line and an exit code.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => RunAsync(args, Output.System());

    /// <summary>Runs one command line.</summary>
    /// <param name="args">Arguments, without the program's name.</param>
    /// <param name="output">Where text goes.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, Output output)
    {
        RootCommand root = CreateRoot(output);
        ParseResult parsed = root.Parse(LaunchCommand.Separate(args));
        if (args.Length == 0)
        {
            await root.Parse("--help").InvokeAsync(new InvocationConfiguration { Output = output.Out }, CancellationToken.None).ConfigureAwait(false);
            return ExitCode.Usage;
        }

        string? mistake = CommandLineMistake.Describe(parsed);
        if (mistake is not null)
        {
            output.Error(mistake);
            return ExitCode.Usage;
        }

        // The default gives a cancelled command two seconds before the process is killed; writing a checkpoint takes longer.
        InvocationConfiguration invocation = new()
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = output.Out,
            Error = output.Err,
        };
        using CancellationTokenSource interrupt = new();
        using ConsoleInterrupt handler = new(interrupt, output);
        try
        {
            return await parsed.InvokeAsync(invocation, interrupt.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            output.Error("cancelled");
            return ExitCode.Failure;
        }
        catch (UsageException e)
        {
            output.Error(e.Message);
            return ExitCode.Usage;
        }
        catch (KinoraException e)
        {
            output.Error(e.Message);
            return ExitCode.Failure;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            output.Error(e.Message);
            return ExitCode.Failure;
        }
        catch (Exception e)
        {
            output.Error($"unexpected {e.GetType().Name}: {e.Message} (KINORA_TRACE=1 shows where; please report it)");
            if (Environment.GetEnvironmentVariable("KINORA_TRACE") == "1")
            {
                output.Err.WriteLine(e);
            }

            return ExitCode.Failure;
        }
    }

    private static RootCommand CreateRoot(Output output)
    {
        RootCommand root = new(
            "Kinora: labels videos, and turns labelled videos into models that do so.\n\n"
            + "  kinora classify clip.mp4      label a video with the bundled model\n"
            + "  kinora train my-clips/        train a model from a folder of class folders\n\n"
            + "Exit codes: 0 done; 1 something failed or was cancelled; 2 the command line is wrong.")
        {
            ClassifyCommand.Create(output),
            TrainCommand.Create(output),
            LaunchCommand.Create(output),
            EvaluateCommand.Create(output),
            ExportCommand.Create(output),
            ConvertCommand.Create(output),
            ModelsCommand.Create(output),
            DataCommand.Create(output),
            BenchCommand.Create(output),
            DoctorCommand.Create(output),
        };
        ExampleCommand.ShowExamples(root);
        return root;
    }
}

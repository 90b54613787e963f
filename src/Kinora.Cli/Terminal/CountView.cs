using Spectre.Console;

namespace Kinora.Cli.Terminal;

/// <summary>Shows how many of a known number of things are done: a bar for a person, a line every few seconds elsewhere.</summary>
internal static class CountView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Runs work that counts.</summary>
    /// <param name="output">The command's streams.</param>
    /// <param name="name">What is being done.</param>
    /// <param name="work">Gets a callback (done, total) that may be called on any thread.</param>
    public static void Follow(Output output, string name, Action<Action<int, int>> work)
    {
        if (output.IsInteractive)
        {
            output.Console.Progress().AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
                .Start(context =>
                {
                    ProgressTask task = context.AddTask(name);
                    work((done, total) =>
                    {
                        task.MaxValue = total;
                        task.Value = done;
                    });
                });
            return;
        }

        long last = TimeProvider.System.GetTimestamp();
        work((done, total) =>
        {
            long seen = Interlocked.Read(ref last);
            if (TimeProvider.System.GetElapsedTime(seen) >= Interval
                && Interlocked.CompareExchange(ref last, TimeProvider.System.GetTimestamp(), seen) == seen)
            {
                output.Err.WriteLine($"{name}: {done} of {total}");
            }
        });
    }
}

using Kinora.Paddle;
using Spectre.Console;

namespace Kinora.Cli.Terminal;

/// <summary>Shows how much of a file is there: a bar with speed for a person, a line every few seconds elsewhere.</summary>
internal static class ByteView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Runs a download.</summary>
    /// <param name="output">The command's streams.</param>
    /// <param name="name">What is being fetched.</param>
    /// <param name="work">The download; its progress may be reported on any thread.</param>
    /// <returns>What the download gives.</returns>
    public static async Task<DownloadedFile> FollowAsync(Output output, string name, Func<IProgress<DownloadProgress>, Task<DownloadedFile>> work)
    {
        if (output.IsInteractive)
        {
            return await output.Console.Progress().AutoClear(true)
                .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                .StartAsync(context => work(new Relay<DownloadProgress>(Live(context.AddTask(Markup.Escape(name)), output)))).ConfigureAwait(false);
        }

        long last = TimeProvider.System.GetTimestamp();
        return await work(new Relay<DownloadProgress>(progress =>
        {
            switch (progress)
            {
                case DownloadProgress.Notice notice:
                    output.Note(notice.Message);
                    break;
                case DownloadProgress.Received received when TimeProvider.System.GetElapsedTime(last) >= Interval:
                    last = TimeProvider.System.GetTimestamp();
                    output.Err.WriteLine(FormattableString.Invariant($"{name}: {received.Bytes / 1e6:0} {(received.Total is { } total ? $"of {total / 1e6:0} " : "")}MB"));
                    break;
            }
        })).ConfigureAwait(false);
    }

    private static Action<DownloadProgress> Live(ProgressTask task, Output output) => progress =>
    {
        switch (progress)
        {
            case DownloadProgress.Notice notice:
                output.Console.WriteLine(notice.Message);
                break;
            case DownloadProgress.Received received:
                task.IsIndeterminate = received.Total is null;
                task.MaxValue = received.Total ?? Math.Max(received.Bytes, 1);
                task.Value = received.Bytes;
                break;
        }
    };
}

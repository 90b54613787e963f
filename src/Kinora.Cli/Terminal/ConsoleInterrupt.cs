namespace Kinora.Cli.Terminal;

/// <summary>
/// The first Ctrl-C (or SIGTERM) asks the running command to stop cleanly; a second Ctrl-C ends the process at once.
/// </summary>
internal sealed class ConsoleInterrupt : IDisposable
{
    private readonly CancellationTokenSource _cancellation;
    private readonly Output _output;
    private readonly System.Runtime.InteropServices.PosixSignalRegistration _interrupt;
    private readonly System.Runtime.InteropServices.PosixSignalRegistration _terminate;
    private int _count;

    public ConsoleInterrupt(CancellationTokenSource cancellation, Output output)
    {
        _cancellation = cancellation;
        _output = output;
        _interrupt = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGINT, Handle);
        _terminate = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, Handle);
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void Handle(System.Runtime.InteropServices.PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _count) > 1)
        {
            return; // Not cancelled: the runtime's default ends the process.
        }

        context.Cancel = true;
        _output.Note("stopping…");
        _cancellation.Cancel();
    }
}

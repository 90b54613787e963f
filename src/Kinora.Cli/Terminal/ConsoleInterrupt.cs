using System.Runtime.InteropServices;

namespace Kinora.Cli.Terminal;

/// <summary>
/// The first Ctrl-C (or SIGTERM) asks the running command to stop cleanly; the same signal once more ends the process
/// at once. One of each doesn't: a launched process gets the terminal's Ctrl-C and its launcher's SIGTERM.
/// </summary>
internal sealed class ConsoleInterrupt : IDisposable
{
    private readonly CancellationTokenSource _cancellation;
    private readonly Output _output;
    private readonly PosixSignalRegistration[] _registrations;
    private int _interrupts;
    private int _terminations;

    public ConsoleInterrupt(CancellationTokenSource cancellation, Output output)
    {
        _cancellation = cancellation;
        _output = output;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Handle(context, ref _interrupts)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Handle(context, ref _terminations)),
        ];
    }

    public void Dispose() => Array.ForEach(_registrations, r => r.Dispose());

    private void Handle(PosixSignalContext context, ref int count)
    {
        if (Interlocked.Increment(ref count) > 1)
        {
            return; // Not cancelled: the runtime's default ends the process.
        }

        context.Cancel = true;
        if (!_cancellation.IsCancellationRequested)
        {
            _output.Note("stopping…");
            _cancellation.Cancel();
        }
    }
}

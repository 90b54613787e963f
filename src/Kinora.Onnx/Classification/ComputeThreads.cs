using System.Threading.Channels;

namespace Kinora.Onnx;

/// <summary>
/// Threads of one's own for decoding and networks: such work would starve the thread pool that completes everybody's
/// tasks. Idle threads block, they don't spin.
/// </summary>
internal sealed class ComputeThreads : IDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>();
    private readonly Thread[] _threads;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many.</param>
    public ComputeThreads(int count)
    {
        _threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            _threads[i] = new Thread(Work) { IsBackground = true, Name = $"kinora classify {i}" };
            _threads[i].Start();
        }
    }

    /// <summary>Runs a function on the first free thread, in the order of posting.</summary>
    /// <typeparam name="T">Its result.</typeparam>
    /// <param name="function">The work.</param>
    /// <param name="cancellation">Drops the work if it hasn't begun.</param>
    /// <returns>A task whose continuations never run on these threads.</returns>
    /// <exception cref="ObjectDisposedException">Disposed.</exception>
    public Task<T> Post<T>(Func<T> function, CancellationToken cancellation)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool accepted = _work.Writer.TryWrite(() => Complete(completion, function, cancellation));
        ObjectDisposedException.ThrowIf(!accepted, this);
        return completion.Task;
    }

    /// <summary>Refuses new work, finishes what was accepted and ends the threads.</summary>
    public void Dispose()
    {
        _work.Writer.TryComplete();
        foreach (Thread thread in _threads)
        {
            if (thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }
    }

    private static void Complete<T>(TaskCompletionSource<T> completion, Func<T> function, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            completion.SetCanceled(cancellation);
            return;
        }

        try
        {
            completion.SetResult(function());
        }
        catch (OperationCanceledException e)
        {
            completion.SetCanceled(e.CancellationToken);
        }
        catch (Exception e)
        {
            // The task carries it to whoever waits; nothing may end a shared thread.
            completion.SetException(e);
        }
    }

    private void Work()
    {
        ChannelReader<Action> work = _work.Reader;
        while (work.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (work.TryRead(out Action? action))
            {
                action();
            }
        }
    }
}

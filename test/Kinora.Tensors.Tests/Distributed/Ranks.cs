using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Kinora.Tensors.Tests;

/// <summary>Several ranks as threads of one process: real connections, quick to start.</summary>
internal static class Ranks
{
    /// <summary>Runs every rank to its end and collects what they give; the first failure is thrown.</summary>
    public static T[] Run<T>(int size, Func<DistributedContext, T> body, double timeoutSeconds = 60, CommunicationBackend backend = CommunicationBackend.Gloo)
    {
        (T[] results, Exception?[] failures) = Try(size, body, timeoutSeconds, backend);
        if (failures.FirstOrDefault(f => f is not null) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return results;
    }

    /// <summary>As <see cref="Run"/>, with the failure of each rank.</summary>
    public static (T[] Results, Exception?[] Failures) Try<T>(int size, Func<DistributedContext, T> body, double timeoutSeconds = 60, CommunicationBackend backend = CommunicationBackend.Gloo)
    {
        int port = FreePort();
        var results = new T[size];
        var failures = new Exception?[size];
        Thread[] threads = [.. Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            try
            {
                using IDisposable? device = backend == CommunicationBackend.Nccl ? Device.Cuda(rank).Use() : null;
                using DistributedContext context = DistributedContext.Connect(new Rendezvous(rank, size, rank, "127.0.0.1", port), backend, TimeSpan.FromSeconds(timeoutSeconds));
                using var scope = new TensorScope();
                results[rank] = body(context);
            }
            catch (Exception e)
            {
                failures[rank] = e;
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromSeconds(90)), "a rank hangs");
        }

        return (results, failures);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

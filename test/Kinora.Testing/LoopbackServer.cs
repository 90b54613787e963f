using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Kinora.Testing;

/// <summary>What a client asked a <see cref="LoopbackServer"/>.</summary>
/// <param name="Number">From 0, in the order of arrival.</param>
/// <param name="Path">Path and query.</param>
/// <param name="Headers">By name, whatever its case.</param>
public sealed record LoopbackRequest(int Number, string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The first byte asked for; null where the whole file was.</summary>
    public long? RangeStart => Headers.TryGetValue("Range", out string? range) && range.StartsWith("bytes=", StringComparison.Ordinal)
        ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture)
        : null;
}

/// <summary>What a <see cref="LoopbackServer"/> answers.</summary>
/// <param name="Status">Status line without the version, such as "200 OK".</param>
/// <param name="Body">The body.</param>
/// <param name="Headers">Header lines without their line ends.</param>
public sealed record LoopbackReply(string Status, byte[] Body, params string[] Headers)
{
    /// <summary>Bytes of the body after which the connection breaks; null sends all.</summary>
    public int? BreakAfter { get; init; }

    /// <summary>Bytes of the body after which nothing more comes, though the connection stays.</summary>
    public int? StallAfter { get; init; }

    /// <summary>Whether the length is announced; otherwise the end of the connection is the end of the body.</summary>
    public bool SaysLength { get; init; } = true;

    /// <summary>Something to wait for before the answer.</summary>
    public Task Before { get; init; } = Task.CompletedTask;

    /// <summary>A file as a good server gives it: with an ETag, and in parts where the client has the same version.</summary>
    /// <param name="request">The request.</param>
    /// <param name="content">The whole file.</param>
    /// <param name="tag">The version's ETag, with its quotes.</param>
    public static LoopbackReply File(LoopbackRequest request, byte[] content, string tag = "\"v1\"")
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(content);
        bool sameVersion = !request.Headers.TryGetValue("If-Range", out string? condition) || condition == tag;
        return request.RangeStart is not { } start || !sameVersion ? new("200 OK", content, $"ETag: {tag}", "Accept-Ranges: bytes")
            : start >= content.Length ? new("416 Range Not Satisfiable", [], $"Content-Range: bytes */{content.Length}")
            : new("206 Partial Content", content[(int)start..], $"ETag: {tag}", $"Content-Range: bytes {start}-{content.Length - 1}/{content.Length}");
    }
}

/// <summary>An HTTP server on this machine's loopback address that answers as a test says, well or badly. One request a connection.</summary>
public sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<LoopbackRequest, LoopbackReply> _answer;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<LoopbackRequest> _requests = new();
    private readonly Task _accepting;
    private int _number = -1;

    /// <summary>Starts a server on a free port.</summary>
    /// <param name="answer">Called once a request, perhaps on several threads at once.</param>
    public LoopbackServer(Func<LoopbackRequest, LoopbackReply> answer)
    {
        _answer = answer;
        _listener.Start();
        Root = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    /// <summary>Its address.</summary>
    public Uri Root { get; }

    /// <summary>What was asked so far.</summary>
    public IReadOnlyList<LoopbackRequest> Requests => [.. _requests];

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        _accepting.GetAwaiter().GetResult();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                if (await ReadAsync(stream) is { } request)
                {
                    _requests.Enqueue(request);
                    await SendAsync(client, stream, _answer(request));
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private async Task<LoopbackRequest?> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
            {
                return null;
            }

            text.Append((char)one[0]);
        }

        string[] lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var headers = lines[1..].Select(l => l.Split(": ", 2)).ToDictionary(h => h[0], h => h[1], StringComparer.OrdinalIgnoreCase);
        return new LoopbackRequest(Interlocked.Increment(ref _number), lines[0].Split(' ')[1], headers);
    }

    private async Task SendAsync(TcpClient client, NetworkStream stream, LoopbackReply reply)
    {
        await reply.Before.WaitAsync(_end.Token);
        string[] length = reply.SaysLength ? [$"Content-Length: {reply.Body.Length}"] : [];
        string head = string.Join("\r\n", [$"HTTP/1.1 {reply.Status}", "Connection: close", .. length, .. reply.Headers]) + "\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _end.Token);
        int bytes = Math.Min(reply.BreakAfter ?? reply.StallAfter ?? int.MaxValue, reply.Body.Length);
        await stream.WriteAsync(reply.Body.AsMemory(0, bytes), _end.Token);
        if (reply.StallAfter is not null)
        {
            await Task.Delay(Timeout.Infinite, _end.Token);
        }

        // A polite end: the client reads all that was sent, and then the end of the stream.
        client.Client.Shutdown(SocketShutdown.Send);
        _ = await stream.ReadAsync(new byte[1], _end.Token);
    }
}

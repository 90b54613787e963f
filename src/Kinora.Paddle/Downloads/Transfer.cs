using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Kinora.Paddle;

/// <summary>One try to fetch a file, or the rest of it, over HTTP.</summary>
/// <param name="client">Sends the request; its own timeout is off.</param>
/// <param name="options">Timeouts.</param>
/// <param name="url">Where the file lies.</param>
/// <param name="file">Receives the bytes.</param>
/// <param name="progress">Hears how far it is.</param>
internal sealed class Transfer(HttpClient client, DownloadOptions options, Uri url, PartialFile file, IProgress<DownloadProgress>? progress)
{
    private const int BufferBytes = 1 << 17;

    /// <summary>Whether any try went on from bytes that were there.</summary>
    public bool Resumed { get; private set; }

    /// <summary>Runs one try.</summary>
    /// <param name="ct">Stops it; the bytes so far stay.</param>
    /// <exception cref="PassingFailure">It may work next time.</exception>
    /// <exception cref="DownloadException">It won't.</exception>
    public async Task RunAsync(CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (file.Condition is { } condition)
        {
            request.Headers.Range = new RangeHeaderValue(file.Length, null);
            request.Headers.IfRange = condition;
        }

        using var watch = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            watch.CancelAfter(options.ResponseTimeout);
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
            if (Begin(response))
            {
                Stream body = await response.Content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
                await using (body.ConfigureAwait(false))
                {
                    await CopyAsync(body, watch, ct).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new PassingFailure($"{url.Host} doesn't answer", null, e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError)
        {
            throw new DownloadException($"download: {url.Host}: no secure connection: {Cause(e)}; check the clock and the certificates of this machine, or {options.OtherWay}", url, null, e);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.NameResolutionError)
        {
            throw new DownloadException($"download: {url.Host} isn't known here: is there a network? Without one, fetch {url} elsewhere and {options.OtherWay}", url, null, e);
        }
        catch (HttpRequestException e)
        {
            throw new PassingFailure(Cause(e), null, e);
        }
    }

    // Whether there are bytes to read; otherwise all of them are there.
    private bool Begin(HttpResponseMessage response)
    {
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        switch (response.StatusCode)
        {
            case HttpStatusCode.PartialContent when range?.From == file.Length && (range.Length is null || file.Total is null || range.Length == file.Total):
                Resumed = true;
                break;
            case HttpStatusCode.OK:
                RefuseWebPage(response);
                OnDisk(() => file.Start(url, response.Content.Headers.ContentLength, response.Headers.ETag, response.Content.Headers.LastModified));
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when file.Length > 0 && range?.Length == file.Length:
                Resumed = true;
                return false;
            case HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable:
                OnDisk(file.Clear);
                throw new PassingFailure($"{url.Host} answers with another part of the file than the one that was asked for");
            case HttpStatusCode.NotFound or HttpStatusCode.Gone:
                throw Refused("no such file", $"it may have moved: give its new address with --url, or {options.OtherWay}");
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
                throw Refused("access refused", $"give another address with --url, or {options.OtherWay}");
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                throw new PassingFailure($"{url.Host} answers {(int)response.StatusCode} {response.ReasonPhrase}", RetryAfter(response));
            default:
                throw Refused($"{response.ReasonPhrase}", $"give another address with --url, or {options.OtherWay}");
        }

        if (file.Total is { } total)
        {
            DiskFailure.RequireSpace(file.Path, total - file.Length, url);
        }

        return true;

        DownloadException Refused(string what, string advice) =>
            new($"download: expected a file at {url}, found {what} ({(int)response.StatusCode}); {advice}", url);
    }

    private async Task CopyAsync(Stream body, CancellationTokenSource watch, CancellationToken ct)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (true)
            {
                progress?.Report(new DownloadProgress.Received(file.Length, file.Total));
                int read;
                try
                {
                    watch.CancelAfter(options.StallTimeout);
                    read = await body.ReadAsync(buffer, watch.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
                {
                    throw new PassingFailure($"the connection broke after {file.Length}{(file.Total is { } all ? $" of {all}" : "")} bytes", null, e);
                }

                if (read == 0)
                {
                    break;
                }

                try
                {
                    await file.AppendAsync(buffer.AsMemory(0, read), ct).ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw DiskFailure.Describe(e, file.Path, file.Length, file.Total, url);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (file.Total is { } total && file.Length != total)
        {
            if (file.Length > total)
            {
                OnDisk(file.Clear);
            }

            throw new PassingFailure($"the connection ended after {file.Length} of {total} bytes");
        }
    }

    // What a captive portal or a proxy gives in place of the file.
    private void RefuseWebPage(HttpResponseMessage response)
    {
        if (response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml")
        {
            throw new DownloadException($"download: expected a file at {url}, found a web page; does the network ask for a login? Otherwise {options.OtherWay}", url);
        }
    }

    private void OnDisk(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DiskFailure.Describe(e, file.Path, file.Length, file.Total, url);
        }
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } when response.Headers.Date is { } now && date > now => date - now,
        _ => null,
    };

    private static string Cause(HttpRequestException e) => (e.InnerException ?? e).Message;
}

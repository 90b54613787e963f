using Polly;
using Polly.Retry;

namespace Kinora.Paddle;

/// <summary>
/// Fetches large files so that nothing is fetched twice: a broken download goes on where it ended, also in another
/// process, as long as the server still has the same version. A file appears under its name only when it is whole and its
/// SHA-256 is the one that was published, or recorded at its first download.
/// </summary>
/// <remarks>
/// Beside the file lie <c>NAME.sha256</c> (the recorded checksum), an empty lock file, and during a download
/// <c>NAME.part</c> with <c>NAME.part.json</c>. Thread-safe; several downloads of one file, also by several processes, wait
/// for each other.
/// </remarks>
public sealed class FileDownloader : IDisposable
{
    // A try that brings less than this counts as failed: a server that only ever sends a little would go on for ever.
    private const long GoodPart = 1 << 16;

    private readonly DownloadOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <summary>Creates a downloader.</summary>
    /// <param name="options">Patience; null for the defaults.</param>
    /// <param name="time">Clock of the waits; null for the system's.</param>
    public FileDownloader(DownloadOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new DownloadOptions();
        _time = time ?? TimeProvider.System;
        _client = new HttpClient(new SocketsHttpHandler { ConnectTimeout = _options.ResponseTimeout })
        {
            Timeout = Timeout.InfiniteTimeSpan, // Each step has its own.
        };
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("kinora");
    }

    /// <summary>Fetches a file, unless it is there already.</summary>
    /// <param name="url">http or https.</param>
    /// <param name="target">Where it goes; missing folders are created.</param>
    /// <param name="sha256">The published checksum, if there is one.</param>
    /// <param name="inspect">Looks at the whole file before it gets its name, and throws if it isn't what it should be.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops the download; what is there stays for the next one.</param>
    /// <returns>The file.</returns>
    /// <exception cref="DownloadException">Network, server, disk or checksum; the message says which and what to do.</exception>
    public async Task<DownloadedFile> DownloadAsync(
        Uri url, string target, string? sha256 = null, Action<string>? inspect = null, IProgress<DownloadProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
        {
            throw new DownloadException($"download: expected an address that begins with http:// or https://, found '{url}'", url);
        }

        return await UnderLockAsync(target, sha256, progress, async (path, expected) =>
        {
            if (await CachedAsync(path, expected, inspect, progress, ct).ConfigureAwait(false) is { } cached)
            {
                return cached;
            }

            PartialFile part = OpenPart(path, url);
            await using (part.ConfigureAwait(false))
            {
                var transfer = new Transfer(_client, _options, url, part, progress);
                await FetchAsync(transfer, url, part, progress, ct).ConfigureAwait(false);
                string hash = await ChecksumFile.ComputeAsync(part.Path, ct).ConfigureAwait(false);
                bool resumed = transfer.Resumed;
                if (resumed && expected is not null && hash != expected)
                {
                    // The old bytes may be to blame: once more, all of it.
                    progress?.Report(new DownloadProgress.Notice("the resumed file has another checksum than expected; fetching all of it"));
                    part.Clear();
                    resumed = false;
                    await FetchAsync(transfer, url, part, progress, ct).ConfigureAwait(false);
                    hash = await ChecksumFile.ComputeAsync(part.Path, ct).ConfigureAwait(false);
                }

                return Finish(part, path, hash, expected, inspect, resumed ? DownloadOrigin.Resumed : DownloadOrigin.Downloaded, url);
            }
        }, ct).ConfigureAwait(false);
    }

    /// <summary>Takes a file that came to this machine in another way.</summary>
    /// <param name="file">The file; it stays where it is.</param>
    /// <param name="target">Where its copy goes; missing folders are created.</param>
    /// <param name="sha256">The published checksum, if there is one.</param>
    /// <param name="inspect">Looks at the whole file before it gets its name, and throws if it isn't what it should be.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops the copying.</param>
    /// <returns>The copy.</returns>
    /// <exception cref="DownloadException">Not readable, the disk, or the checksum.</exception>
    public async Task<DownloadedFile> CopyAsync(
        string file, string target, string? sha256 = null, Action<string>? inspect = null, IProgress<DownloadProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (!File.Exists(file))
        {
            throw new DownloadException("copy: expected a file, found none", null, file);
        }

        return await UnderLockAsync(target, sha256, progress, async (path, expected) =>
        {
            PartialFile part = OpenPart(path, null);
            await using (part.ConfigureAwait(false))
            {
                await CopyAsync(file, part, progress, ct).ConfigureAwait(false);
                string hash = await ChecksumFile.ComputeAsync(part.Path, ct).ConfigureAwait(false);
                return Finish(part, path, hash, expected, inspect, DownloadOrigin.Copied, null);
            }
        }, ct).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<DownloadedFile> UnderLockAsync(
        string target, string? sha256, IProgress<DownloadProgress>? progress, Func<string, string?, Task<DownloadedFile>> work, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        string path = Path.GetFullPath(target);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileLock held = await FileLock.AcquireAsync(path, progress, _time, ct).ConfigureAwait(false);
            return await work(path, sha256?.ToLowerInvariant() ?? ChecksumFile.Read(path)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DiskFailure.Describe(e, path, 0, null, null);
        }
    }

    // The file as it lies there; null where it must be fetched.
    private static async Task<DownloadedFile?> CachedAsync(
        string path, string? expected, Action<string>? inspect, IProgress<DownloadProgress>? progress, CancellationToken ct)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        string hash = await ChecksumFile.ComputeAsync(path, ct).ConfigureAwait(false);
        if (expected is not null && hash != expected)
        {
            progress?.Report(new DownloadProgress.Notice($"{path} has another checksum than it had; fetching it again"));
            return null;
        }

        if (expected is null)
        {
            inspect?.Invoke(path);
            ChecksumFile.Write(path, hash);
        }

        return new DownloadedFile(path, new FileInfo(path).Length, hash, DownloadOrigin.Cached, expected is not null);
    }

    private async Task FetchAsync(Transfer transfer, Uri url, PartialFile part, IProgress<DownloadProgress>? progress, CancellationToken ct)
    {
        ResiliencePipeline retries = Retries(progress);
        try
        {
            while (!await retries.ExecuteAsync(TryAsync, ct).ConfigureAwait(false))
            {
            }
        }
        catch (PassingFailure e)
        {
            throw new DownloadException(
                $"download: gave up after {_options.Attempts} tries: {e.Message}; try again later, which goes on from byte {part.Length}, or {_options.OtherWay}", url, null, e);
        }

        // Whether the file is whole. A try that ends early but brought a good part isn't a failure: the next begins at once.
        async ValueTask<bool> TryAsync(CancellationToken token)
        {
            long before = part.Length;
            try
            {
                await transfer.RunAsync(token).ConfigureAwait(false);
                return true;
            }
            catch (PassingFailure e) when (part.Length >= before + GoodPart)
            {
                progress?.Report(new DownloadProgress.Notice($"{e.Message}; going on"));
                return false;
            }
        }
    }

    private ResiliencePipeline Retries(IProgress<DownloadProgress>? progress) => _options.Attempts < 2 ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder { TimeProvider = _time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<PassingFailure>(),
            MaxRetryAttempts = _options.Attempts - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = _options.FirstDelay,
            MaxDelay = _options.LongestDelay,
            DelayGenerator = retry => ValueTask.FromResult<TimeSpan?>(
                (retry.Outcome.Exception as PassingFailure)?.RetryAfter is { } asked ? (asked < _options.LongestDelay ? asked : _options.LongestDelay) : null),
            OnRetry = retry =>
            {
                progress?.Report(new DownloadProgress.Notice($"{retry.Outcome.Exception?.Message}; again in {retry.RetryDelay.TotalSeconds:0.#} s"));
                return default;
            },
        })
        .Build();

    private static PartialFile OpenPart(string path, Uri? url)
    {
        try
        {
            return PartialFile.Open(path, url);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DiskFailure.Describe(e, path + ".part", 0, null, url);
        }
    }

    private static async Task CopyAsync(string file, PartialFile part, IProgress<DownloadProgress>? progress, CancellationToken ct)
    {
        FileStream source = OpenSource(file);
        await using (source.ConfigureAwait(false))
        {
            DiskFailure.RequireSpace(part.Path, source.Length, null);
            byte[] buffer = new byte[1 << 20];
            int read;
            while ((read = await source.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0)
            {
                try
                {
                    await part.AppendAsync(buffer.AsMemory(0, read), ct).ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    long written = part.Length;
                    part.Clear();
                    throw DiskFailure.Describe(e, part.Path, written, source.Length, null);
                }

                progress?.Report(new DownloadProgress.Received(part.Length, source.Length));
            }
        }
    }

    private static FileStream OpenSource(string file)
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DownloadException($"copy: cannot be read: {e.Message}", null, file, e);
        }
    }

    private static DownloadedFile Finish(
        PartialFile part, string path, string hash, string? expected, Action<string>? inspect, DownloadOrigin origin, Uri? url)
    {
        long bytes = part.Length;
        try
        {
            if (expected is not null && hash != expected)
            {
                throw new DownloadException(
                    $"download: expected the SHA-256 {expected}, found {hash}: the file was changed where it lies or on the way; "
                    + $"if you trust the new one, delete {ChecksumFile.PathOf(path)} and try again", url, path);
            }

            inspect?.Invoke(part.Path);
            part.Flush();
        }
        catch (KinoraException)
        {
            part.Clear(); // Whole but wrong: nothing to go on from.
            throw;
        }

        // The record comes first: a crash in between leaves a checksum without a file, never a file without its checksum.
        if (expected is null)
        {
            ChecksumFile.Write(path, hash);
        }

        part.Commit();
        return new DownloadedFile(path, bytes, hash, origin, expected is not null);
    }
}

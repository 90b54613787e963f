using System.Diagnostics;
using System.Security.Cryptography;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Downloads from a server on this machine that does what servers and networks do.</summary>
public sealed class FileDownloaderTests : IDisposable
{
    // Large enough to be several reads, small enough to be nothing.
    private static readonly byte[] Content = Bytes(700_001, 1), Other = Bytes(650_000, 2);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    private string Target => _folder["weights/file.bin"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Download_WholeFile_FileWithItsChecksumAndNothingElse()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal(new DownloadedFile(Target, Content.Length, Sha256(Content), DownloadOrigin.Downloaded, false), file);
        Assert.Equal($"{Sha256(Content)}  file.bin\n", await File.ReadAllTextAsync(Target + ".sha256", Ct));
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");

        Assert.Equal(file with { Origin = DownloadOrigin.Cached, WasChecked = true }, await DownloadAsync(server));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Download_BrokenConnections_GoesOnWhereItEnded()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { BreakAfter = r.Number < 3 ? 200_000 : null });
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal((DownloadOrigin.Resumed, Sha256(Content)), (file.Origin, file.Sha256));
        Assert.Equal([null, 200_000, 400_000, 600_000], server.Requests.Select(r => r.RangeStart));
        Assert.All(server.Requests.Skip(1), r => Assert.Equal("\"v1\"", r.Headers["If-Range"]));
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
    }

    [Fact]
    public async Task Download_CancelledAndBegunAgain_AnotherDownloaderFetchesTheRest()
    {
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { StallAfter = r.Number == 0 ? 300_000 : null });
        var stop = new Reported(p =>
        {
            if (p is DownloadProgress.Received { Bytes: 300_000 })
            {
                stopped.Cancel();
            }
        });
        using (var first = new FileDownloader(Quick()))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.DownloadAsync(server.Root, Target, progress: stop, ct: stopped.Token));
        }

        Assert.Equal(300_000, new FileInfo(Target + ".part").Length);
        Assert.False(File.Exists(Target));
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal((DownloadOrigin.Resumed, Sha256(Content)), (file.Origin, file.Sha256));
        Assert.Equal(300_000, server.Requests[1].RangeStart);
    }

    [Fact]
    public async Task Download_ServerWithoutRanges_BeginsAgain()
    {
        using var server = new LoopbackServer(r => new LoopbackReply("200 OK", Content, "ETag: \"v1\"") { BreakAfter = r.Number == 0 ? 200_000 : null });
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal((DownloadOrigin.Downloaded, Sha256(Content)), (file.Origin, file.Sha256));
        Assert.Equal(200_000, server.Requests[1].RangeStart);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
    }

    [Theory]
    [InlineData("W/\"v1\"")]
    [InlineData(null)]
    public async Task Download_NoStrongETag_NeverTrustsOldBytes(string? tag)
    {
        string[] headers = tag is null ? [] : [$"ETag: {tag}"];
        using var server = new LoopbackServer(r => new LoopbackReply("200 OK", Content, headers) { BreakAfter = r.Number == 0 ? 200_000 : null });
        Assert.Equal(Sha256(Content), (await DownloadAsync(server)).Sha256);
        Assert.All(server.Requests, r => Assert.Null(r.RangeStart));
    }

    [Fact]
    public async Task Download_OnlyADate_ResumesByIt()
    {
        const string date = "Tue, 01 Mar 2022 10:00:00 GMT";
        using var server = new LoopbackServer(r => r.RangeStart is { } start
            ? new LoopbackReply("206 Partial Content", Content[(int)start..], $"Content-Range: bytes {start}-{Content.Length - 1}/{Content.Length}", $"Last-Modified: {date}")
            : new LoopbackReply("200 OK", Content, $"Last-Modified: {date}") { BreakAfter = 200_000 });
        Assert.Equal(DownloadOrigin.Resumed, (await DownloadAsync(server)).Origin);
        Assert.Equal(date, server.Requests[1].Headers["If-Range"]);
    }

    [Fact]
    public async Task Download_AnotherVersionMeanwhile_OnlyTheNewOnesBytes()
    {
        using var server = new LoopbackServer(r => r.Number == 0
            ? LoopbackReply.File(r, Content) with { BreakAfter = 200_000 }
            : LoopbackReply.File(r, Other, "\"v2\""));
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal((DownloadOrigin.Downloaded, Sha256(Other)), (file.Origin, file.Sha256));
        Assert.Equal("\"v1\"", server.Requests[1].Headers["If-Range"]);
        AssertFolder(Other, ".file.bin.lock", "file.bin", "file.bin.sha256");
    }

    [Theory]
    [InlineData("bytes 100000-700000/700001")]
    [InlineData("bytes 200000-700000/800000")]
    [InlineData("bytes */700001")]
    public async Task Download_AnotherPartThanAsked_BeginsAgain(string contentRange)
    {
        using var server = new LoopbackServer(r => r.Number switch
        {
            0 => LoopbackReply.File(r, Content) with { BreakAfter = 200_000 },
            1 => new("206 Partial Content", Content[100_000..], $"Content-Range: {contentRange}"),
            _ => LoopbackReply.File(r, Content),
        });
        Assert.Equal((DownloadOrigin.Downloaded, Sha256(Content)), await DownloadAsync(server) is var file ? (file.Origin, file.Sha256) : default);
        Assert.Null(server.Requests[2].RangeStart);
    }

    [Fact]
    public async Task Download_AllBytesThereBeforeACrash_OnlyChecks()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        await DownloadAsync(server);
        LeavePart(server.Root, Content, "\"v1\"", Content.Length);
        File.Delete(Target);
        DownloadedFile file = await DownloadAsync(server);
        Assert.Equal((DownloadOrigin.Resumed, true), (file.Origin, file.WasChecked));
        Assert.Equal(Content.Length, server.Requests[1].RangeStart);
    }

    [Fact]
    public async Task Download_PartFromElsewhere_IsDropped()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        LeavePart(new Uri("http://elsewhere/"), Other, "\"v1\"", Content.Length);
        Assert.Equal(DownloadOrigin.Downloaded, (await DownloadAsync(server)).Origin);
        await File.WriteAllBytesAsync(Target + ".part", Other, Ct);
        File.Delete(Target);
        Assert.Equal(DownloadOrigin.Downloaded, (await DownloadAsync(server)).Origin);
        Assert.All(server.Requests, r => Assert.Null(r.RangeStart));
    }

    [Fact]
    public async Task Download_DamagedPart_FetchedWholeWhenTheChecksumSaysSo()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        Directory.CreateDirectory(Path.GetDirectoryName(Target)!);
        LeavePart(server.Root, Other[..200_000], "\"v1\"", Content.Length);
        DownloadedFile file = await DownloadAsync(server, Sha256(Content));
        Assert.Equal((DownloadOrigin.Downloaded, Sha256(Content), true), (file.Origin, file.Sha256, file.WasChecked));
        Assert.Equal([200_000, null], server.Requests.Select(r => r.RangeStart));
        Assert.Contains(_notices, n => n.Contains("another checksum", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Download_WrongPublishedChecksum_ErrorAndNothingLeft()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server, Sha256(Other)));
        Assert.Contains(Sha256(Other), e.Message, StringComparison.Ordinal);
        Assert.Contains(Sha256(Content), e.Message, StringComparison.Ordinal);
        Assert.Equal(server.Root, e.Url);
        Assert.Equal([".file.bin.lock"], Names());
    }

    [Fact]
    public async Task Download_ChangedAtTheSource_ErrorUntilTheRecordIsDeleted()
    {
        byte[] served = Content;
        using var server = new LoopbackServer(r => LoopbackReply.File(r, served, $"\"{served.Length}\""));
        await DownloadAsync(server);
        File.Delete(Target);
        served = Other;
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server));
        Assert.Contains($"delete {Target}.sha256", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
        File.Delete(Target + ".sha256");
        Assert.Equal((Sha256(Other), false), await DownloadAsync(server) is var file ? (file.Sha256, file.WasChecked) : default);
    }

    [Fact]
    public async Task Download_CachedFileDamaged_FetchedAgain()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        await DownloadAsync(server);
        await File.WriteAllBytesAsync(Target, Other, Ct);
        Assert.Equal((DownloadOrigin.Downloaded, true), await DownloadAsync(server) is var file ? (file.Origin, file.WasChecked) : default);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
        Assert.Contains(_notices, n => n.Contains("fetching it again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("404 Not Found", "no such file (404)")]
    [InlineData("410 Gone", "no such file (410)")]
    [InlineData("403 Forbidden", "access refused (403)")]
    [InlineData("400 Bad Request", "Bad Request (400)")]
    public async Task Download_RefusedForGood_OneTryAndAdvice(string status, string expected)
    {
        using var server = new LoopbackServer(_ => new LoopbackReply(status, []));
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Contains("--from", e.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
        Assert.Equal([".file.bin.lock"], Names());
    }

    [Theory]
    [InlineData("500 Internal Server Error")]
    [InlineData("503 Service Unavailable")]
    [InlineData("429 Too Many Requests")]
    public async Task Download_PassingRefusals_TriesAgain(string status)
    {
        using var server = new LoopbackServer(r => r.Number < 2 ? new LoopbackReply(status, [], "Retry-After: 0") : LoopbackReply.File(r, Content));
        Assert.Equal(Sha256(Content), (await DownloadAsync(server)).Sha256);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(2, _notices.Count(n => n.Contains(status[..3], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Download_NeverAnything_GivesUpAfterTheStatedTries()
    {
        using var server = new LoopbackServer(_ => new LoopbackReply("502 Bad Gateway", []));
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server));
        Assert.Contains("gave up after 4 tries", e.Message, StringComparison.Ordinal);
        Assert.Contains("502 Bad Gateway", e.Message, StringComparison.Ordinal);
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task Download_AlwaysBreakingButBringingParts_IsNoFailure()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { BreakAfter = 80_000 });
        Assert.Equal(Sha256(Content), (await DownloadAsync(server)).Sha256);
        Assert.Equal(9, server.Requests.Count);
    }

    [Fact]
    public async Task Download_AnswerStandsStill_GoesOnWithANewConnection()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { StallAfter = r.Number == 0 ? 200_000 : null });
        Assert.Equal(DownloadOrigin.Resumed, (await DownloadAsync(server, options: Quick() with { StallTimeout = TimeSpan.FromSeconds(0.5) })).Origin);
        Assert.Equal(200_000, server.Requests[1].RangeStart);
    }

    [Fact]
    public async Task Download_ServerThatNeverAnswers_TimesOut()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { Before = Task.Delay(Timeout.Infinite, Ct) });
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server, options: Quick(timeoutSeconds: 0.2)));
        Assert.Contains("doesn't answer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_NobodyListens_ErrorNamesTheFailure()
    {
        Uri url;
        using (var server = new LoopbackServer(r => LoopbackReply.File(r, Content)))
        {
            url = server.Root;
        }

        using var downloader = new FileDownloader(Quick());
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => downloader.DownloadAsync(url, Target, ct: Ct));
        Assert.Contains("gave up after 4 tries: Connection refused", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_WebPageInPlaceOfTheFile_Refused()
    {
        using var server = new LoopbackServer(_ => new LoopbackReply("200 OK", "<html>Log in</html>"u8.ToArray(), "Content-Type: text/html; charset=utf-8"));
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server));
        Assert.Contains("found a web page", e.Message, StringComparison.Ordinal);
        Assert.Equal([".file.bin.lock"], Names());
    }

    [Fact]
    public async Task Download_RefusedByInspection_NothingIsRecorded()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        using var downloader = new FileDownloader(Quick());
        await Assert.ThrowsAsync<CheckpointException>(() => downloader.DownloadAsync(
            server.Root, Target, inspect: path => throw new CheckpointException($"{new FileInfo(path).Length} bytes"), ct: Ct));
        Assert.Equal([".file.bin.lock"], Names());
    }

    [Fact]
    public async Task Download_LengthUnknown_EndsWithTheConnection()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { SaysLength = false });
        Assert.Equal(Sha256(Content), (await DownloadAsync(server)).Sha256);
    }

    [Fact]
    public async Task Download_TwoAtOnce_OneFetchesAndTheOtherWaits()
    {
        var bothAsk = new TaskCompletionSource();
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { Before = bothAsk.Task });
        using FileDownloader first = new(Quick()), second = new(Quick());
        Task<DownloadedFile> one = first.DownloadAsync(server.Root, Target, ct: Ct);
        Task<DownloadedFile> two = second.DownloadAsync(server.Root, Target, ct: Ct, progress: new Reported(p =>
        {
            if (p is DownloadProgress.Notice { Message: var message } && message.Contains("waiting", StringComparison.Ordinal))
            {
                bothAsk.TrySetResult();
            }
        }));
        Assert.Equal([DownloadOrigin.Downloaded, DownloadOrigin.Cached], (await Task.WhenAll(one, two)).Select(f => f.Origin).Order().Reverse());
        Assert.Single(server.Requests);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
    }

    [Fact]
    public async Task Download_FullDisk_RefusedBeforeItOrKeptForLater()
    {
        using TinyDisk disk = TinyDisk.MountOrSkip(_folder["disk"], kilobytes: 300);
        string target = Path.Combine(disk.Path, "file.bin");
        bool saysLength = true;
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content) with { SaysLength = saysLength });
        using var downloader = new FileDownloader(Quick());

        // Announced lengths are compared with the free space first.
        DownloadException early = await Assert.ThrowsAsync<DownloadException>(() => downloader.DownloadAsync(server.Root, target, ct: Ct));
        Assert.Contains($"expected {Content.Length} bytes of free space", early.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(target + ".part"));

        saysLength = false;
        DownloadException late = await Assert.ThrowsAsync<DownloadException>(() => downloader.DownloadAsync(server.Root, target, ct: Ct));
        Assert.Contains("the disk is full after ", late.Message, StringComparison.Ordinal);
        Assert.Contains("KINORA_CACHE", late.Message, StringComparison.Ordinal);
        long kept = new FileInfo(target + ".part").Length;
        Assert.InRange(kept, 100_000, 300 * 1024);

        DownloadException copy = await Assert.ThrowsAsync<DownloadException>(() => downloader.CopyAsync(Source(Content), Path.Combine(disk.Path, "copy.bin"), ct: Ct));
        Assert.Contains("bytes of free space", copy.Message, StringComparison.Ordinal);

        // Room is made, and the download goes on from what was kept.
        disk.Resize(kilobytes: 4000);
        DownloadedFile file = await downloader.DownloadAsync(server.Root, target, ct: Ct);
        Assert.Equal((DownloadOrigin.Resumed, Sha256(Content)), (file.Origin, file.Sha256));
        Assert.Equal(kept, server.Requests[^1].RangeStart);
    }

    [Theory]
    [InlineData("ftp://example.org/file")]
    [InlineData("file:///etc/passwd")]
    [InlineData("models/file")]
    public async Task Download_OtherThanHttp_Refused(string url)
    {
        using var downloader = new FileDownloader(Quick());
        await Assert.ThrowsAsync<DownloadException>(() => downloader.DownloadAsync(new Uri(url, UriKind.RelativeOrAbsolute), Target, ct: Ct));
    }

    [Fact]
    public async Task Copy_FileFromElsewhere_CopiedRecordedAndChecked()
    {
        using var downloader = new FileDownloader();
        DownloadedFile file = await downloader.CopyAsync(Source(Content), Target, ct: Ct);
        Assert.Equal(new DownloadedFile(Target, Content.Length, Sha256(Content), DownloadOrigin.Copied, false), file);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
        Assert.True((await downloader.CopyAsync(Target, Target, ct: Ct)).WasChecked);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");

        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => downloader.CopyAsync(Source(Other), Target, ct: Ct));
        Assert.Contains("expected the SHA-256", e.Message, StringComparison.Ordinal);
        AssertFolder(Content, ".file.bin.lock", "file.bin", "file.bin.sha256");
        await Assert.ThrowsAsync<DownloadException>(() => downloader.CopyAsync(_folder["missing"], Target, ct: Ct));
    }

    [Fact]
    public async Task Download_FolderThatIsAFile_OneLine()
    {
        await File.WriteAllTextAsync(_folder["weights"], "", Ct);
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Content));
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => DownloadAsync(server));
        Assert.Contains("cannot write", e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    private static byte[] Bytes(int count, ulong seed)
    {
        var random = new CounterRandom(seed, "bytes");
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)random.NextUInt32();
        }

        return bytes;
    }

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // Quick to try again, but patient: this machine may be busy.
    private static DownloadOptions Quick(double timeoutSeconds = 60) => new()
    {
        Attempts = 4,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        LongestDelay = TimeSpan.FromMilliseconds(20),
        ResponseTimeout = TimeSpan.FromSeconds(timeoutSeconds),
        StallTimeout = TimeSpan.FromSeconds(timeoutSeconds),
    };

    private async Task<DownloadedFile> DownloadAsync(LoopbackServer server, string? sha256 = null, DownloadOptions? options = null)
    {
        using var downloader = new FileDownloader(options ?? Quick());
        return await downloader.DownloadAsync(server.Root, Target, sha256, progress: new Reported(p =>
        {
            if (p is DownloadProgress.Notice notice)
            {
                _notices.Add(notice.Message);
            }
        }), ct: Ct);
    }

    private string Source(byte[] content)
    {
        string path = _folder[$"source-{content.Length}"];
        File.WriteAllBytes(path, content);
        return path;
    }

    // What an interrupted download leaves.
    private void LeavePart(Uri url, byte[] bytes, string tag, long total)
    {
        File.WriteAllBytes(Target + ".part", bytes);
        File.WriteAllText(Target + ".part.json", $$"""{"url":"{{url.AbsoluteUri}}","total":{{total}},"eTag":{{System.Text.Json.JsonSerializer.Serialize(tag)}},"lastModified":null}""");
    }

    private void AssertFolder(byte[] content, params string[] names)
    {
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(Target)), "another content");
        Assert.Equal(names, Names());
    }

    private string[] Names() => [.. Directory.EnumerateFiles(Path.GetDirectoryName(Target)!).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    private sealed class Reported(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }

    /// <summary>A file system of a few kilobytes; only root may mount one.</summary>
    private sealed class TinyDisk : IDisposable
    {
        private TinyDisk(string path) => Path = path;

        public string Path { get; }

        public static TinyDisk MountOrSkip(string path, int kilobytes)
        {
            Directory.CreateDirectory(path);
            bool mounted = OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "tmpfs", path);
            Assert.SkipUnless(mounted, "mounting a small file system needs root on Linux");
            return new TinyDisk(path);
        }

        public void Resize(int kilobytes) => Assert.True(Run("mount", "-o", $"remount,size={kilobytes}k", Path));

        public void Dispose() => Run("umount", Path);

        private static bool Run(string program, params string[] arguments)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}

using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Published files on their way into the cache folder.</summary>
public sealed class ModelPullTests : IDisposable
{
    private static readonly byte[] Weights = [0x80, 2, .. Enumerable.Repeat((byte)'N', 5000), (byte)'.'];

    private readonly TemporaryFolder _folder = new();
    private readonly FileDownloader _downloader = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _downloader.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Download_FromAMirror_InTheCacheUnderItsOwnName()
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, Weights));
        PublishedModel model = PublishedModels.Find("slowfast_8x8_k400");
        var pull = new ModelPull(_folder.Path, _downloader);
        DownloadedFile file = await pull.DownloadAsync(model, ModelPull.OnMirror(model.Url, server.Root.AbsoluteUri), ct: Ct);
        Assert.Equal(_folder["models/slowfast_8x8_k400.pdparams"], file.Path);
        Assert.Equal(Weights, await File.ReadAllBytesAsync(file.Path, Ct));
        Assert.Equal("/videotag.bj.bcebos.com/PaddleVideo/SlowFast/SlowFast_8*8.pdparams", server.Requests.Single().Path);
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html>not weights</html>")]
    [InlineData("PK\u0003\u0004 an archive")]
    [InlineData("")]
    public async Task Download_SomethingElse_RefusedAndNothingRecorded(string content)
    {
        using var server = new LoopbackServer(r => LoopbackReply.File(r, System.Text.Encoding.UTF8.GetBytes(content)));
        var pull = new ModelPull(_folder.Path, _downloader);
        DownloadException e = await Assert.ThrowsAsync<DownloadException>(() => pull.DownloadAsync(PublishedModels.Entries[0], server.Root, ct: Ct));
        Assert.Contains("expected a .pdparams file", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder["models"]), f => Path.GetFileName(f)[0] != '.');
    }

    [Fact]
    public async Task Copy_FileOfPaddlePaddle_IsTaken()
    {
        // A real file of PaddlePaddle's, if there is one.
        string file = SharedData.Files("golden/files/params", "*.pdparams") is [var first, ..] ? first : Written();
        DownloadedFile copied = await new ModelPull(_folder.Path, _downloader).CopyAsync(PublishedModels.Find("tsm_k400"), file, ct: Ct);
        Assert.Equal((DownloadOrigin.Copied, _folder["models/tsm_k400.pdparams"]), (copied.Origin, copied.Path));
        Assert.Equal(await File.ReadAllBytesAsync(file, Ct), await File.ReadAllBytesAsync(copied.Path, Ct));

        string Written()
        {
            File.WriteAllBytes(_folder["weights"], Weights);
            return _folder["weights"];
        }
    }

    [Theory]
    [InlineData("/own", "/xdg", "/own")]
    [InlineData(null, "/xdg", "/xdg/kinora")]
    [InlineData("", "relative", "~/.cache/kinora")]
    [InlineData(null, null, "~/.cache/kinora")]
    public void CacheFolder_Environment_OwnThenTheUsers(string? own, string? user, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such folders");
        string? ownBefore = Environment.GetEnvironmentVariable("KINORA_CACHE"), userBefore = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        try
        {
            Environment.SetEnvironmentVariable("KINORA_CACHE", own);
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", user);
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            Assert.Equal(expected.Replace("~", home, StringComparison.Ordinal), CacheFolder.Find());
        }
        finally
        {
            Environment.SetEnvironmentVariable("KINORA_CACHE", ownBefore);
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", userBefore);
        }
    }
}

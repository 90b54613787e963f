using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Data;
using Kinora.Data.Synthetic;
using Kinora.Testing;

namespace Kinora.Cli.Tests.Data;

public sealed class DataCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Doctor_VideoInTwoParts_ReportPageAndExitCodeOne()
    {
        Synth("set");
        string clip = Directory.EnumerateFiles(_folder["set/train/wave"]).First();
        File.Copy(clip, _folder["set/val/wave/again.mp4"]);

        (int code, string text, string _) = await CommandLine.RunAsync("data", "doctor", _folder["set"], "--report", _folder["page.html"]);

        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("videos in several parts: 1", text, StringComparison.Ordinal);
        Assert.Contains("again.mp4", text, StringComparison.Ordinal);
        string page = File.ReadAllText(_folder["page.html"]);
        Assert.Equal(2, page.Split("data:image/jpeg;base64,/9j/").Length - 1);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);

        (code, text, _) = await CommandLine.RunAsync("data", "doctor", _folder["set"], "--json", "--quick");
        Assert.Equal(ExitCode.Failure, code);
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.Contains(json.RootElement.GetProperty("problems").EnumerateArray(), p => p.GetProperty("kind").GetString() == "DuplicateAcrossParts");

        File.Delete(_folder["set/val/wave/again.mp4"]);
        (code, _, _) = await CommandLine.RunAsync("data", "doctor", _folder["set"]);
        Assert.Equal(ExitCode.Success, code);
    }

    [Theory]
    [InlineData("text", ".list")]
    [InlineData("csv", ".csv")]
    [InlineData("jsonl", ".jsonl")]
    public async Task List_Groups_StayTogetherAndListsLoad(string format, string extension)
    {
        for (int person = 0; person < 10; person++)
        {
            foreach (string action in new[] { "run", "sit down" })
            {
                Directory.CreateDirectory(_folder[$"set/{action}"]);
                await File.WriteAllTextAsync(_folder[$"set/{action}/{action}_person{person:00}_a.mp4"], "", TestContext.Current.CancellationToken);
                await File.WriteAllTextAsync(_folder[$"set/{action}/{action}_person{person:00}_b.mp4"], "", TestContext.Current.CancellationToken);
            }
        }

        (int code, string text, string _) = await CommandLine.RunAsync("data", "list", _folder["set"], _folder["lists"], "--val", "0.2", "--test", "0.1", "--format", format, "--seed", "3");

        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("groups: 10", text, StringComparison.Ordinal);
        string[] names = ["train", "val", "test"];
        DatasetSplits splits = DatasetList.LoadSplits(_folder[$"lists/train{extension}"], _folder[$"lists/val{extension}"], _folder[$"lists/test{extension}"], new() { LabelFile = _folder["lists/classes.txt"] });
        VideoDataset[] parts = [splits.Train, splits.Validation, splits.Test!];
        Assert.Equal([28, 8, 4], parts.Select(p => p.Samples.Count));
        Assert.All(parts, p => Assert.Equal(p.Samples.Count / 2, p.CountPerClass()[0]));
        Assert.All(parts.SelectMany(p => p.Samples), s => Assert.True(File.Exists(s.Path)));
        string[][] persons = [.. parts.Select(p => p.Samples.Select(s => s.Path[^8..^6]).Distinct().ToArray())];
        Assert.Equal(10, persons.Sum(p => p.Length));
        byte[][] written = [.. names.Select(n => File.ReadAllBytes(_folder[$"lists/{n}{extension}"]))];

        await CommandLine.RunAsync("data", "list", _folder["set"], _folder["lists"], "--val", "0.2", "--test", "0.1", "--format", format, "--seed", "3", "--group", @"person(\d+)");
        Assert.Equal(written[1].Length, File.ReadAllBytes(_folder[$"lists/val{extension}"]).Length);

        (code, text, _) = await CommandLine.RunAsync("data", "list", _folder["set"], _folder["folds"], "--folds", "5", "--format", format);
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("fold5_val", text, StringComparison.Ordinal);
        Assert.Equal(11, Directory.GetFiles(_folder["folds"]).Length);

        (code, _, string err) = await CommandLine.RunAsync("data", "list", _folder["set"], _folder["x"], "--group-by", "parent");
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("--group", Assert.Single(err.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frames_Folder_TrainsLists()
    {
        Synth("set");
        (int code, string text, string _) = await CommandLine.RunAsync("data", "frames", _folder["set"], _folder["frames"], "--short-side", "32", "--ext", "mp4");
        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("8 videos", text, StringComparison.Ordinal);
        Assert.Equal(4, DatasetList.Load(_folder["frames/train.list"], null, DatasetListFormat.Frames).Samples.Count);
        (_, text, _) = await CommandLine.RunAsync("data", "frames", _folder["set"], _folder["frames"], "--short-side", "32");
        Assert.Contains("8 of them from an earlier run", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ucf101_FromAnAddress_FetchedOnceCheckedAndUnpacked()
    {
        byte[] archive = Archive(
            ("ucfTrainTestlist/classInd.txt", "1 A\n2 B\n"),
            ("ucfTrainTestlist/trainlist01.txt", "A/v_A_g01_c01.avi 1\nB/v_B_g01_c01.avi 2\n"), ("ucfTrainTestlist/testlist01.txt", "A/v_A_g02_c01.avi\n"),
            ("ucfTrainTestlist/trainlist02.txt", "A/v_A_g01_c01.avi 1\n"), ("ucfTrainTestlist/testlist02.txt", "A/v_A_g02_c01.avi\n"),
            ("ucfTrainTestlist/trainlist03.txt", "A/v_A_g01_c01.avi 1\n"), ("ucfTrainTestlist/testlist03.txt", "A/v_A_g02_c01.avi\n"),
            ("UCF-101/A/v_A_g01_c01.avi", ""), ("UCF-101/A/v_A_g02_c01.avi", ""), ("UCF-101/B/v_B_g01_c01.avi", ""));

        // The first answer breaks off: the rest is asked for, not all of it.
        using LoopbackServer server = new(request => LoopbackReply.File(request, archive) with { BreakAfter = request.Number == 0 ? archive.Length - 100 : null });
        string[] line = ["data", "ucf101", _folder["src"], _folder["out"], "--url", new Uri(server.Root, "ucf.zip").AbsoluteUri, "--sha256", Convert.ToHexStringLower(SHA256.HashData(archive))];

        (int code, string text, string _) = await CommandLine.RunAsync(line);

        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("2 of 2 clips", text, StringComparison.Ordinal);
        Assert.NotNull(server.Requests[^1].RangeStart);
        Assert.Equal($"{_folder["src"]}/UCF-101/A/v_A_g01_c01 0\n{_folder["src"]}/UCF-101/B/v_B_g01_c01 1\n", File.ReadAllText(_folder["out/ucf101_train_split_1_videos.txt"]));
        int asked = server.Requests.Count;
        File.Delete(_folder["src/UCF-101/B/v_B_g01_c01.avi"]);

        (code, _, string err) = await CommandLine.RunAsync(line);

        Assert.Equal(asked, server.Requests.Count);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("1 clips of the official lists aren't there", err, StringComparison.Ordinal);

        line[^1] = new string('0', 64);
        (code, _, err) = await CommandLine.RunAsync(line);
        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains("SHA-256", err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_FewerParts_StaleOnesWithTheSameClipsAreRemoved()
    {
        Synth("set");
        await CommandLine.RunAsync("data", "list", _folder["set"], _folder["lists"], "--merge", "--val", "0.25", "--test", "0.25");
        Assert.True(File.Exists(_folder["lists/val.csv"]) && File.Exists(_folder["lists/test.csv"]));

        // A part that was put aside stays, when the rest is divided.
        (int code, string _, string err) = await CommandLine.RunAsync("data", "list", _folder["lists/train.csv"], _folder["lists"], "--val", "0", "--test", "0");
        Assert.Equal(ExitCode.Success, code);
        Assert.True(File.Exists(_folder["lists/val.csv"]) && File.Exists(_folder["lists/test.csv"]));

        (code, _, err) = await CommandLine.RunAsync("data", "list", _folder["set"], _folder["lists"], "--merge", "--val", "0", "--test", "0");
        Assert.Equal(ExitCode.Success, code);
        Assert.Equal(["classes.txt", "train.csv"], Directory.GetFiles(_folder["lists"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("removed " + _folder["lists/val.csv"], err, StringComparison.Ordinal);

        (code, _, err) = await CommandLine.RunAsync("data", "list", _folder["lists/train.csv"], _folder["lists"], "--folds", "3");
        Assert.Equal(ExitCode.Success, code);
        await CommandLine.RunAsync("data", "list", _folder["lists/train.csv"], _folder["lists"], "--folds", "2");
        Assert.False(File.Exists(_folder["lists/fold3_val.csv"]));
    }

    [Fact]
    public async Task Ucf101_NobodyAnswers_NamesTheAddressAndOptionsThatExist()
    {
        using LoopbackServer server = new(_ => new LoopbackReply("404 Not Found", []));
        string url = new Uri(server.Root, "x.zip").AbsoluteUri;

        (int code, string _, string err) = await CommandLine.RunAsync("data", "ucf101", _folder["src"], _folder["out"], "--url", url);

        Assert.Equal(ExitCode.Failure, code);
        Assert.Contains(url, err, StringComparison.Ordinal);
        Assert.Contains("leave out --url", err, StringComparison.Ordinal);
        Assert.DoesNotContain("--from", err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wave,sit_down")]
    [InlineData("wave", "sit_down")]
    [InlineData("wave", "--actions", "sit_down")]
    public async Task Synth_Actions_CommasBlanksAndRepeatedOptions(params string[] actions)
    {
        (int code, string text, string _) = await CommandLine.RunAsync(["data", "synth", _folder["a b"], "--train", "1", "--val", "0", "--test", "0", "--width", "64", "--height", "64", "--actions", .. actions]);

        Assert.Equal(ExitCode.Success, code);
        Assert.Contains("2 actions, 2 clips", text, StringComparison.Ordinal);
        Assert.Contains($"next: kinora train '{_folder["a b"]}'", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Synth_Help_ActionsWithCommas()
    {
        (int _, string text, string _) = await CommandLine.RunAsync("data", "synth", "--help");
        Assert.Contains("close_door,fall_down", string.Concat(text.Where(c => !char.IsWhiteSpace(c))), StringComparison.Ordinal);
        Assert.DoesNotContain("|fall_down", text, StringComparison.Ordinal);
    }

    private static byte[] Archive(params (string Name, string Text)[] files)
    {
        using MemoryStream bytes = new();
        using (ZipArchive zip = new(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, string text) in files)
            {
                using StreamWriter writer = new(zip.CreateEntry(name).Open());
                writer.Write(text);
            }
        }

        return bytes.ToArray();
    }

    private void Synth(string name) => SyntheticMotions.Generate(_folder[name], new SyntheticOptions
    {
        Actions = ["wave", "sit_down"], TrainClipsPerClass = 2, ValidationClipsPerClass = 1, TestClipsPerClass = 1, Width = 96, Height = 64, MinFrames = 16, MaxFrames = 24,
    });
}

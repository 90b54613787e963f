using System.Formats.Tar;
using System.IO.Compression;
using Kinora.Testing;

namespace Kinora.Data.Tests.Preparation;

public sealed class PreparationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Ucf101_RealLayout_PaddleVideosLists()
    {
        Write("src/ucfTrainTestlist/classInd.txt", "1 ApplyEyeMakeup\r\n2 YoYo\r\n");
        for (int split = 1; split <= 3; split++)
        {
            Write($"src/ucfTrainTestlist/trainlist0{split}.txt", "YoYo/v_YoYo_g08_c01.avi 2\r\nApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\nApplyEyeMakeup/v_ApplyEyeMakeup_g09_c01.avi 1\r\n");
            Write($"src/ucfTrainTestlist/testlist0{split}.txt", $"ApplyEyeMakeup/v_ApplyEyeMakeup_g0{split}_c01.avi\n");
        }

        Video("src/UCF-101/YoYo/v_YoYo_g08_c01.avi", "src/UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi", "src/UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "src/UCF-101/YoYo/v_YoYo_g25_c01.avi");
        Write("frames/YoYo/v_YoYo_g08_c01/img_00001.jpg", "");
        Write("frames/YoYo/v_YoYo_g08_c01/img_00002.jpg", "");

        PreparationReport report = Ucf101.Prepare(_folder["src"], _folder["out"], _folder["frames"], TestContext.Current.CancellationToken);

        string videos = _folder["src/UCF-101"];
        Assert.Equal(videos, report.Videos);
        Assert.Equal($"{videos}/YoYo/v_YoYo_g08_c01 1\n{videos}/ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01 0\n", File.ReadAllText(_folder["out/ucf101_train_split_2_videos.txt"]));
        Assert.Equal($"{videos}/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01 0\n", File.ReadAllText(_folder["out/ucf101_val_split_1_videos.txt"]));
        Assert.Equal("", File.ReadAllText(_folder["out/ucf101_val_split_3_videos.txt"]));
        Assert.Equal($"{_folder["frames"]}/YoYo/v_YoYo_g08_c01 2 1\n", File.ReadAllText(_folder["out/ucf101_train_split_3_rawframes.txt"]));
        Assert.Equal(12, report.Lists.Count);
        Assert.Equal((2, 3), (report.Lists[0].Clips, report.Lists[0].Official));
        Assert.Equal(1, report.Unlisted);
        Assert.Contains("ApplyEyeMakeup/v_ApplyEyeMakeup_g09_c01", report.Missing);
        Assert.Equal(report.Missing, File.ReadAllLines(_folder["out/missing.txt"]));

        // As PaddleVideo's recipe reads it: suffix .avi, no prefix.
        VideoDataset train = DatasetList.Load(_folder["out/ucf101_train_split_1_videos.txt"], new DatasetListOptions { Suffix = ".avi", Format = DatasetListFormat.Videos, LabelFile = _folder["out/classes.txt"] });
        Assert.All(train.Samples, s => Assert.True(File.Exists(s.Path)));
        Assert.Equal(["ApplyEyeMakeup", "YoYo"], train.Labels.Names);
        Assert.Equal(2, DatasetList.Load(_folder["out/ucf101_train_split_1_rawframes.txt"], null, DatasetListFormat.Frames).Samples[0].FrameCount);
    }

    [Theory]
    [InlineData("classInd.txt", "1 A\n3 B\n", "expected the numbers 1 to 2")]
    [InlineData("classInd.txt", "1 A\nB 2\n", "line 2")]
    [InlineData("trainlist01.txt", "A/v_A_g01_c01.avi 1\nC/v_C_g01_c01.avi 3\n", "line 2: expected CLASS/video.avi")]
    public void Ucf101_WrongSplitFiles_NameTheLine(string file, string text, string expected)
    {
        Write("src/classInd.txt", "1 A\n2 B\n");
        foreach (string list in new[] { "trainlist01.txt", "testlist01.txt", "trainlist02.txt", "testlist02.txt", "trainlist03.txt", "testlist03.txt" })
        {
            Write($"src/{list}", "A/v_A_g01_c01.avi 1\n");
        }

        Write($"src/{file}", text);
        Video("src/A/v_A_g01_c01.avi");
        Assert.Contains(expected, Assert.Throws<DatasetException>(() => Ucf101.Prepare(_folder["src"], _folder["out"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Kinetics_OfficialAnnotations_ListsAndNamesWhatIsMissing(bool json)
    {
        if (json)
        {
            Write("src/annotations/kinetics_train.json", """{"3caPS4FHFF8":{"annotations":{"label":"yoga","segment":[36.0,46.0]},"subset":"train"},"QcVuxQAgrzU":{"annotations":{"label":"abseiling","segment":[7.0,17.0]},"subset":"train"},"gone_123-45":{"annotations":{"label":"zumba","segment":[0.0,10.0]},"subset":"train"}}""");
            Write("src/annotations/kinetics_val.json", """{"-h5u3JI_OkE":{"annotations":{"label":"playing cards","segment":[22.0,32.0]},"subset":"validate"}}""");
            Write("src/annotations/kinetics_test.json", """{"abcdefghijk":{"annotations":{"segment":[1.0,11.0]},"subset":"test"}}""");
        }
        else
        {
            Write("src/annotations/train.csv", "label,youtube_id,time_start,time_end,split,is_cc\nyoga,3caPS4FHFF8,36,46,train,0\nabseiling,QcVuxQAgrzU,7,17,train,0\n\"zumba\",gone_123-45,0,10,train,0\n");
            Write("src/annotations/validate.csv", "label,youtube_id,time_start,time_end,split\nplaying cards,-h5u3JI_OkE,22,32,validate\n");
            Write("src/annotations/test.csv", "youtube_id,time_start,time_end,split\nabcdefghijk,1,11,test\n");
        }

        Video("src/videos/train/yoga/3caPS4FHFF8_000036_000046.mp4", "src/videos/train/QcVuxQAgrzU.mp4", "src/videos/val/playing cards/-h5u3JI_OkE_000022_000032.mp4", "src/videos/val/unlisted.mp4");

        PreparationReport report = Kinetics.Prepare(_folder["src"], _folder["out"], TestContext.Current.CancellationToken);

        Assert.Equal(_folder["src/videos"], report.Videos);
        Assert.Equal("train/yoga/3caPS4FHFF8_000036_000046.mp4 2\ntrain/QcVuxQAgrzU.mp4 0\n", File.ReadAllText(_folder["out/train.list"]));
        Assert.Equal("val/playing cards/-h5u3JI_OkE_000022_000032.mp4 1\n", File.ReadAllText(_folder["out/val.list"]));
        Assert.False(File.Exists(_folder["out/test.list"]));
        Assert.Equal("0 abseiling\n1 playing_cards\n2 yoga\n3 zumba\n", File.ReadAllText(_folder["out/k400_classes.txt"]));
        Assert.Equal(["train gone_123-45_000000_000010"], report.Missing);
        Assert.Equal(1, report.Unlisted);
        VideoDataset val = DatasetList.Load(_folder["out/val.list"], new DatasetListOptions { Prefix = report.Videos, LabelFile = _folder["out/k400_classes.txt"] });
        Assert.True(File.Exists(val.Samples[0].Path));
        Assert.Equal("playing_cards", val.Labels[val.Samples[0].Label]);
    }

    [Theory]
    [InlineData("train.csv", "label,id\n", "line 1")]
    [InlineData("train.csv", "label,youtube_id,time_start,time_end,split\na,b,c,d,e\n", "line 2: expected seconds")]
    [InlineData("train.json", "{\"x\":{\"annotations\":{}}}", "at 'x'")]
    [InlineData("train.json", "[", "expected {")]
    public void Kinetics_WrongAnnotations_SayWhere(string file, string text, string expected)
    {
        Write($"src/{file}", text);
        Video("src/b_000000_000010.mp4");
        Assert.Contains(expected, Assert.Throws<DatasetException>(() => Kinetics.Prepare(_folder["src"], _folder["out"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.zip")]
    [InlineData("a.tar")]
    [InlineData("a.tar.gz")]
    public void Unpack_EachKind_FilesAndAgain(string archive)
    {
        Pack(archive, ("x/clip 1.mp4", "one"), ("ü.txt", "two"));
        Assert.Equal(2, ArchiveUnpacker.Unpack(_folder[archive], _folder["out"]));
        Assert.Equal("one", File.ReadAllText(_folder["out/x/clip 1.mp4"]));
        DateTime written = File.GetLastWriteTimeUtc(_folder["out/ü.txt"]);
        File.WriteAllText(_folder["out/x/clip 1.mp4"], "cut");
        File.WriteAllText(_folder["out/x/clip 1.mp4"], "o");
        Assert.Equal(2, ArchiveUnpacker.Unpack(_folder[archive], _folder["out"]));
        Assert.Equal("one", File.ReadAllText(_folder["out/x/clip 1.mp4"]));
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder["out/ü.txt"]));
    }

    [Theory]
    [InlineData("a.zip", "../evil.txt")]
    [InlineData("a.zip", "/tmp/evil.txt")]
    [InlineData("a.zip", "x/../../out2/evil.txt")]
    [InlineData("a.zip", "..\\evil.txt")]
    [InlineData("a.tar", "../evil.txt")]
    [InlineData("a.tar.gz", "x/../../evil.txt")]
    public void Unpack_EntryThatLeadsElsewhere_NothingIsWritten(string archive, string name)
    {
        Pack(archive, ("good.txt", "good"), (name, "evil"));
        Assert.Contains("elsewhere", Assert.Throws<DatasetException>(() => ArchiveUnpacker.Unpack(_folder[archive], _folder["out"])).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.Equal([_folder[archive]], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Unpack_LinksOtherKindsAndDamage_AreRefused()
    {
        using (var tar = new TarWriter(File.Create(_folder["l.tar"])))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "x") { LinkName = "/etc" });
        }

        Assert.Contains("SymbolicLink", Assert.Throws<DatasetException>(() => ArchiveUnpacker.Unpack(_folder["l.tar"], _folder["out"])).Message, StringComparison.Ordinal);
        File.WriteAllText(_folder["UCF101.rar"], "Rar!");
        Assert.Contains("unrar x UCF101.rar", Assert.Throws<DatasetException>(() => ArchiveUnpacker.Unpack(_folder["UCF101.rar"], _folder["out"])).Message, StringComparison.Ordinal);
        Pack("a.zip", ("good.txt", new string('x', 5000)));
        File.WriteAllBytes(_folder["a.zip"], File.ReadAllBytes(_folder["a.zip"])[..40]);
        Assert.Throws<DatasetException>(() => ArchiveUnpacker.Unpack(_folder["a.zip"], _folder["out"]));
    }

    private void Pack(string archive, params (string Name, string Text)[] files)
    {
        using FileStream file = File.Create(_folder[archive]);
        if (archive.EndsWith(".zip", StringComparison.Ordinal))
        {
            using var zip = new ZipArchive(file, ZipArchiveMode.Create);
            foreach ((string name, string text) in files)
            {
                using var writer = new StreamWriter(zip.CreateEntry(name).Open());
                writer.Write(text);
            }

            return;
        }

        using Stream? packed = archive.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Fastest) : null;
        using var tar = new TarWriter(packed ?? file);
        foreach ((string name, string text) in files)
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)) });
        }
    }

    private void Video(params string[] names)
    {
        foreach (string name in names)
        {
            Write(name, "");
        }
    }

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], text);
    }
}

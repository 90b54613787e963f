using Kinora.Testing;

namespace Kinora.Data.Tests.Datasets;

public sealed class DatasetFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_ClassFolders_DividesEveryClassAndKeepsTraining()
    {
        Touch("b/1.mp4", "b/2.avi", "b/3.MOV", "b/4.mkv", "b/5.webm", "b/6.mp4", "b/7.mp4", "b/8.mp4", "b/9.mp4", "b/10.mp4", "a/only.mp4", "c/x.mp4", "c/y.mp4", "c/z.mp4");

        DatasetSplits splits = DatasetFolder.Load(_folder.Path);

        Assert.Equal(["a", "b", "c"], splits.Train.Labels.Names);
        Assert.Equal([1, 6, 1], splits.Train.CountPerClass());
        Assert.Equal([0, 2, 1], splits.Validation.CountPerClass());
        Assert.Equal([0, 2, 1], splits.Test!.CountPerClass());
        Assert.True(splits.ValidationHeldOut && splits.TestHeldOut);
        string[] all = [.. Paths(splits.Train), .. Paths(splits.Validation), .. Paths(splits.Test)];
        Assert.Equal(14, all.Distinct().Count());
        Assert.Empty(splits.Ignored);
    }

    [Fact]
    public void Load_Twice_DividesAlike_AndAnotherSeedDividesOtherwise()
    {
        Touch([.. Enumerable.Range(0, 40).Select(i => $"{(char)('a' + (i % 4))}/{i}.mp4")]);

        DatasetSplits first = DatasetFolder.Load(_folder.Path), second = DatasetFolder.Load(_folder.Path);
        DatasetSplits other = DatasetFolder.Load(_folder.Path, new DatasetFolderOptions { Seed = 1 });

        Assert.Equal(first.Train.Samples, second.Train.Samples);
        Assert.Equal(first.Validation.Samples, second.Validation.Samples);
        Assert.Equal(first.Test!.Samples, second.Test!.Samples);
        Assert.NotEqual(first.Test.Samples, other.Test!.Samples);
    }

    [Theory]
    [InlineData("val")]
    [InlineData("valid")]
    [InlineData("Validation")]
    public void Load_TrainValTest_UsesThemAsTheyAre(string validation)
    {
        Touch("train/run/1.mp4", "train/sit/2.mp4", $"{validation}/run/3.mp4", "test/fly/4.mp4", "README.md", "classes.txt", "manifest.json", "train.list");

        DatasetSplits splits = DatasetFolder.Load(_folder.Path);

        Assert.Equal(["fly", "run", "sit"], splits.Train.Labels.Names);
        Assert.Equal([0, 1, 1], splits.Train.CountPerClass());
        Assert.Equal([0, 1, 0], splits.Validation.CountPerClass());
        Assert.Equal([1, 0, 0], splits.Test!.CountPerClass());
        Assert.False(splits.ValidationHeldOut || splits.TestHeldOut);
        Assert.Equal([_folder["README.md"]], splits.Ignored);
        Assert.Same(splits.Train.Labels, splits.Test.Labels);
    }

    [Fact]
    public void Load_TrainAndTestOnly_HoldsOutValidation()
    {
        Touch([.. Enumerable.Range(0, 10).Select(i => $"train/a/{i}.mp4"), "test/a/x.mp4"]);

        DatasetSplits splits = DatasetFolder.Load(_folder.Path);

        Assert.Equal((8, 2, 1), (splits.Train.Samples.Count, splits.Validation.Samples.Count, splits.Test!.Samples.Count));
        Assert.True(splits.ValidationHeldOut);
        Assert.False(splits.TestHeldOut);
    }

    [Fact]
    public void Load_NoTestShare_HasNoTest()
    {
        Touch([.. Enumerable.Range(0, 10).Select(i => $"a/{i}.mp4")]);

        Assert.Null(DatasetFolder.Load(_folder.Path, new DatasetFolderOptions { TestShare = 0 }).Test);
    }

    [Fact]
    public void Load_FrameFoldersAndNestedFolders_AreSamples()
    {
        Touch("train/a/clip1/img_00001.jpg", "train/a/clip1/img_00002.jpg", "train/a/clip1/img_00004.jpg", "train/a/deep/er/v.mp4", "train/a/notes.txt", "train/a/.hidden.mp4", "train/empty/readme.txt");

        DatasetSplits splits = DatasetFolder.Load(_folder.Path, new DatasetFolderOptions { TestShare = 0, ValidationShare = 0 });

        Assert.Equal([new VideoSample(_folder["train/a/clip1"], 0, 4), new VideoSample(_folder["train/a/deep/er/v.mp4"], 0)], splits.Train.Samples);
        Assert.Equal(["a"], splits.Train.Labels.Names);
        Assert.Contains(_folder["train/a/notes.txt"], splits.Ignored);
        Assert.Contains(_folder["train/empty"], splits.Ignored);
    }

    [Fact]
    public void Load_UnreadableVideo_StaysASample()
    {
        Touch("a/broken.mp4", "a/b.mp4", "b/c.mp4");

        Assert.Contains(DatasetFolder.Load(_folder.Path, new DatasetFolderOptions { TestShare = 0, ValidationShare = 0 }).Train.Samples, s => s.Path.EndsWith("broken.mp4", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_Wrong_SaysWhatIsExpected()
    {
        Assert.Contains("found nothing", Message("missing"), StringComparison.Ordinal);
        Touch("empty/readme.txt", "flat/1.mp4", "flat/2.mp4", "both/train/a/1.mp4", "both/val/a/1.mp4", "both/valid/a/1.mp4", "undivided/train/1.mp4", "undivided/test/2.mp4");
        Assert.Contains("found none", Message("empty"), StringComparison.Ordinal);
        Assert.Contains("found 2 videos without a class folder", Message("flat"), StringComparison.Ordinal);
        Assert.Contains("found val and valid", Message("both"), StringComparison.Ordinal);
        Assert.Contains("directly inside", Message("undivided"), StringComparison.Ordinal);

        string Message(string name)
        {
            DatasetException e = Assert.Throws<DatasetException>(() => DatasetFolder.Load(_folder[name]));
            Assert.DoesNotContain('\n', e.Message);
            Assert.Contains(name, e.Message, StringComparison.Ordinal);
            return e.Message;
        }
    }

    [Fact]
    public void Load_Handwash_FindsTheGivenParts()
    {
        DatasetSplits splits = DatasetFolder.Load(SharedData.Require("data/handwash"));

        Assert.Equal(12, splits.Train.Labels.Count);
        Assert.NotEmpty(splits.Train.Samples);
        Assert.NotEmpty(splits.Validation.Samples);
        Assert.NotEmpty(splits.Test!.Samples);
        Assert.False(splits.ValidationHeldOut || splits.TestHeldOut);
        Assert.Contains(0, splits.Test.CountPerClass());
    }

    private static IEnumerable<string> Paths(VideoDataset set) => set.Samples.Select(s => s.Path);

    private void Touch(params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllBytes(_folder[name], []);
        }
    }
}

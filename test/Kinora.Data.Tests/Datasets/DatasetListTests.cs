using Kinora.Testing;

namespace Kinora.Data.Tests.Datasets;

public sealed class DatasetListTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_Videos_TakesTheLabelFromTheEnd()
    {
        Touch("a.mp4", "b c.mp4");
        string list = Write("train.list", "a.mp4 0\n\nb c.mp4   2\r\nsub/d.mp4\t1\n");

        VideoDataset set = DatasetList.Load(list);

        Assert.Equal([new(_folder["a.mp4"], 0), new(_folder["b c.mp4"], 2), new(_folder["sub/d.mp4"], 1)], set.Samples);
        Assert.Equal(["class 0", "class 1", "class 2"], set.Labels.Names);
        Assert.Equal("train", set.Name);
    }

    [Fact]
    public void Load_FramesWithPrefixAndSuffix_TakesBothNumbers()
    {
        Touch("data/v 1.d/img_00001.jpg");
        string list = Write("val.list", "v 1 250 7\n");

        VideoDataset set = DatasetList.Load(list, new DatasetListOptions { Format = DatasetListFormat.Frames, Prefix = _folder["data"], Suffix = ".d" });

        Assert.Equal([new VideoSample(_folder["data/v 1.d"], 7, 250)], set.Samples);
    }

    [Fact]
    public void Load_RecordedFrameList_Reads()
    {
        string list = SharedData.Require("golden/pipeline/rawframes/train.list");

        VideoDataset set = DatasetList.Load(list, null, DatasetListFormat.Frames);

        Assert.All(set.Samples, s => Assert.True(s.FrameCount > 0));
    }

    [Theory]
    [InlineData("a.mp4 0\na.mp4 x\n", "line 2", "found 'x'")]
    [InlineData("a.mp4 -1\n", "line 1", "found '-1'")]
    [InlineData("a.mp4\n", "line 1", "found 'a.mp4'")]
    [InlineData("3\n", "line 1", "found no path")]
    [InlineData("x\ny\nz\n", "line 1", "and 2 more lines")]
    [InlineData("\n\n", "found none", "path label")]
    [InlineData("elsewhere.mp4 0\n", "check prefix", "elsewhere.mp4")]
    public void Load_MalformedList_NamesTheLine(string text, string where, string what)
    {
        Touch("a.mp4");
        DatasetException e = Assert.Throws<DatasetException>(() => DatasetList.Load(Write("bad.list", text)));

        Assert.Contains(where, e.Message, StringComparison.Ordinal);
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
        Assert.Contains("bad.list", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Load_FrameListWithoutCount_NamesTheLine()
    {
        Touch("a");
        DatasetException e = Assert.Throws<DatasetException>(() => DatasetList.Load(Write("bad.list", "a 1\n"), null, DatasetListFormat.Frames));

        Assert.Contains("line 1: expected 'folder frames label'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run\nsit down\n")]
    [InlineData("1 sit down\n0 run\n")]
    public void ReadLabels_PlainOrNumbered_GivesClassOrder(string text)
    {
        Assert.Equal(["run", "sit down"], DatasetList.ReadLabels(Write("labels.txt", text)).Names);
    }

    [Fact]
    public void Load_MoreClassesThanNames_Throws()
    {
        Touch("a.mp4");
        string list = Write("l.list", "a.mp4 2\n"), labels = Write("labels.txt", "x\ny\n");

        DatasetException e = Assert.Throws<DatasetException>(() => DatasetList.Load(list, new DatasetListOptions { LabelFile = labels }));

        Assert.Contains("found label 2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadSplits_DifferentClasses_ShareOneLabelMap()
    {
        Touch("a.mp4");
        DatasetSplits splits = DatasetList.LoadSplits(Write("t.list", "a.mp4 0\n"), Write("v.list", "a.mp4 3\n"), Write("e.list", "a.mp4 1\n"));

        Assert.Equal(4, splits.Train.Labels.Count);
        Assert.Same(splits.Train.Labels, splits.Validation.Labels);
        Assert.Same(splits.Train.Labels, splits.Test!.Labels);
    }

    private void Touch(params string[] names)
    {
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllBytes(_folder[name], []);
        }
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }
}

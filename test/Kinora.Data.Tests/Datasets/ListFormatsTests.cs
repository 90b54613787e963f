using System.Text;
using Kinora.Media;
using Kinora.Testing;

namespace Kinora.Data.Tests.Datasets;

public sealed class ListFormatsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ListFormatsTests() => Touch("a.mp4");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("l.csv", "path,label\na.mp4,run\n\"b, c.mp4\",\"say \"\"hi\"\"\"\n\"two\nlines.mp4\",run\nü 手.mp4,run\n")]
    [InlineData("l.csv", "\uFEFFPath,Label\r\na.mp4,run\r\n\"b, c.mp4\",\"say \"\"hi\"\"\"\r\n\r\n\"two\nlines.mp4\",run\r\nü 手.mp4,run")]
    [InlineData("l.txt", "label,path\nrun,a.mp4\n\"say \"\"hi\"\"\",\"b, c.mp4\"\nrun,\"two\nlines.mp4\"\nrun,ü 手.mp4\n")]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":\"run\"}\n{\"path\":\"b, c.mp4\",\"label\":\"say \\\"hi\\\"\"}\n\n{\"path\":\"two\\nlines.mp4\",\"label\":[\"run\"]}\n{\"label\":\"run\",\"path\":\"ü 手.mp4\"}")]
    [InlineData("l.list", "\uFEFF{\"path\":\"a.mp4\",\"label\":\"run\"}\r\n{\"path\":\"b, c.mp4\",\"label\":\"say \\\"hi\\\"\"}\r\n{\"path\":\"two\\nlines.mp4\",\"label\":\"run\"}\r\n{\"path\":\"ü 手.mp4\",\"label\":\"run\",\"group\":null}\r\n")]
    public void Load_NamesInAnyFormat_SameSamples(string name, string text)
    {
        VideoDataset set = DatasetList.Load(Write(name, text));

        Assert.Equal(["run", "say \"hi\""], set.Labels.Names);
        Assert.Equal([new(_folder["a.mp4"], 0), new(_folder["b, c.mp4"], 1), new(_folder["two\nlines.mp4"], 0), new(_folder["ü 手.mp4"], 0)], set.Samples);
    }

    [Theory]
    [InlineData("l.list", "a.mp4 1,4,7\nb.mp4 2\n")]
    [InlineData("l.csv", "path,labels\na.mp4,1;4; 7;1\nb.mp4,2\n")]
    [InlineData("l.csv", "path,label\na.mp4,1\nb.mp4,2\nc.mp4,7\n", false)]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":[1,4,7,4]}\n{\"path\":\"b.mp4\",\"label\":2}\n")]
    public void Load_SeveralLabels_AllOfThem(string name, string text, bool several = true)
    {
        VideoDataset set = DatasetList.Load(Write(name, text));

        Assert.Equal(8, set.Labels.Count);
        Assert.Equal(several ? [1, 4, 7] : [1], set.Samples[0].Labels);
        Assert.Equal(1, set.Samples[0].Label);
        Assert.Equal([2], set.Samples[1].Labels);
        Assert.Equal(several ? [0, 1, 1, 0, 1, 0, 0, 1] : [0, 1, 1, 0, 0, 0, 0, 1], set.CountPerClass());
    }

    [Fact]
    public void Load_NegativeNumberInCsv_RefusedUnlessAClassIsCalledSo()
    {
        string list = Write("l.csv", "path,label\na.mp4,3\nb.mp4,-1\n");

        string message = Assert.Throws<DatasetException>(() => DatasetList.Load(list)).Message;
        Assert.Contains("line 3: expected a class name or an index of 0 or more, found '-1'", message, StringComparison.Ordinal);
        DatasetProblem problem = Assert.Single(DoctorInput.OfLists([("train", list)], new()).Problems);
        Assert.Contains("line 3: expected a class name or an index of 0 or more, found '-1'", problem.Message, StringComparison.Ordinal);
        Assert.Equal([1, 0], DatasetList.Load(list, new() { LabelFile = Write("labels.txt", "-1\n3\n") }).Samples.Select(s => s.Label));
    }

    [Theory]
    [InlineData("a.mp4,3\na.mp4,0\n", "class 0,class 1,class 2,class 3")]
    [InlineData("a.mp4,3\na.mp4,fist\n", "3,fist")]
    public void Load_NumbersInCsvWithoutNamesFile_IndicesUnlessThereAreNames(string rows, string classes) =>
        Assert.Equal(classes, string.Join(',', DatasetList.Load(Write("l.csv", "path,label\n" + rows)).Labels.Names));

    [Fact]
    public void Load_AllColumns_ReachTheSample()
    {
        VideoSample expected = new(_folder["a.mp4"], 1, 40) { Group = "g7", StartSeconds = 1.5, EndSeconds = 12 };
        string labels = Write("labels.txt", "run\n3\n");
        Assert.Equal([expected], DatasetList.Load(Write("l.csv", "path,label,frames,start,end,group\na.mp4,3,40,1.5,12,g7\n"), new() { LabelFile = labels }).Samples);
        Assert.Equal([expected], DatasetList.Load(Write("l.jsonl", "{\"path\":\"a.mp4\",\"label\":\"3\",\"frames\":40,\"start\":1.5,\"end\":12.0,\"group\":\"g7\"}"), new() { LabelFile = labels }).Samples);
        Assert.Equal([expected with { EndSeconds = null }], DatasetList.Load(Write("l.csv", "path,label,frames,start,end,group\na.mp4,1,40,1.5,,g7\n"), new() { LabelFile = labels }).Samples);
    }

    [Fact]
    public void Load_NumbersAfterPaths_FrameFoldersIfTheyAreThere()
    {
        Directory.CreateDirectory(_folder["v 1"]);
        Touch("v 2 30");
        Assert.Equal([new VideoSample(_folder["v 1"], 2, 30)], DatasetList.Load(Write("l.list", "v 1 30 2\n")).Samples);
        Assert.Equal([new VideoSample(_folder["v 2 30"], 2)], DatasetList.Load(Write("l.list", "v 2 30 2\n")).Samples);
    }

    [Theory]
    [InlineData("l.csv", "a.mp4,1\n", "line 1", "found 'a.mp4'")]
    [InlineData("l.csv", "path,lable\na.mp4,1\n", "line 1", "did you mean 'label'")]
    [InlineData("l.csv", "path,label,labels\na.mp4,1,1\n", "line 1", "either label or labels")]
    [InlineData("l.csv", "path,label\n\"x\ny\",1\na.mp4,1,2\n", "line 4", "expected 2 fields as in the header, found 3")]
    [InlineData("l.csv", "path,label\na \"b\".mp4,1\n", "line 2", "double those inside")]
    [InlineData("l.csv", "path,label\n\"a.mp4,1\nb.mp4,2\n", "line 2", "closing quote")]
    [InlineData("l.csv", "path,label\n\"a.mp4\"x,1\n", "line 2", "found 'x'")]
    [InlineData("l.csv", "path,label\na.mp4,\n,1\n", "line 2", "and 1 more lines")]
    [InlineData("l.csv", "path,label,start,end\na.mp4,1,5,5\n", "line 2", "start < end")]
    [InlineData("l.csv", "path,label,start\na.mp4,1,soon\n", "line 2", "expected seconds, found 'soon'")]
    [InlineData("l.csv", "path,label,frames\na.mp4,1,0\n", "line 2", "1 or more, found 0")]
    [InlineData("l.csv", "path,label\n", "found none", "path,label")]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":\"run\"}\n{\"path\":\"a.mp4\",\"label\":3}\n", "line 2", "a class name as in line 1")]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":-1}", "line 1", "found -1")]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":[]}", "line 1", "found none")]
    [InlineData("l.jsonl", "{\"path\":3,\"label\":1}", "line 1", "path: found 3")]
    [InlineData("l.jsonl", "{\"path\":\"a.mp4\",\"label\":1,\"fps\":3}", "line 1", "'fps'")]
    [InlineData("l.jsonl", "\n{\"path\":\"a.mp4\"", "line 2", "{\"path\": …")]
    [InlineData("l.jsonl", "[1]", "line 1", "found Array")]
    [InlineData("l.list", "a.mp4 1,x\n", "line 1", "found '1,x'")]
    public void Load_Malformed_NamesTheLine(string name, string text, string where, string what)
    {
        DatasetException e = Assert.Throws<DatasetException>(() => DatasetList.Load(Write(name, text)));

        Assert.Contains(where, e.Message, StringComparison.Ordinal);
        Assert.Contains(what, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Load_NameThatNoClassHas_SuggestsTheNearest()
    {
        string labels = Write("labels.txt", "run\nsit down\n");
        DatasetException e = Assert.Throws<DatasetException>(() => DatasetList.Load(Write("l.csv", "path,label\na.mp4,run\na.mp4,sit dwon\n"), new() { LabelFile = labels }));
        Assert.Contains("line 3", e.Message, StringComparison.Ordinal);
        Assert.Contains("did you mean 'sit down'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotText_IsRefused()
    {
        File.WriteAllBytes(_folder["l.list"], [0xFF, 0xFE, 0x61, 0x00]);
        Assert.Contains("UTF-8", Assert.Throws<DatasetException>(() => DatasetList.Load(_folder["l.list"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DatasetListFormat.Csv)]
    [InlineData(DatasetListFormat.JsonLines)]
    public void Write_AnyText_ReadsBack(DatasetListFormat format)
    {
        string[] parts = ["a", "é", "手", " ", ",", "\"", "'", "\n", "\r", "\\", "😀", ";", "1", "\t"];
        for (int round = 0; round < 50; round++)
        {
            var random = new CounterRandom(4, 0, round, "lists");
            string[] names = [.. Enumerable.Range(0, 5).Select(i => $"{Text().Replace(";", "", StringComparison.Ordinal).Trim()}c{i}")];
            VideoSample[] samples = [.. Enumerable.Range(0, 20).Select(_ => Sample())];
            var set = new VideoDataset(samples, new LabelMap(names.Order(StringComparer.Ordinal)), "l");
            string list = _folder["l" + (format == DatasetListFormat.Csv ? ".csv" : ".jsonl")];
            DatasetListWriter.Write(list, set, format, _folder.Path);
            DatasetListWriter.Write(_folder["all.csv"], set with { Samples = [.. samples, .. Enumerable.Range(0, 5).Select(i => new VideoSample("x", i))] }, DatasetListFormat.Csv);
            File.WriteAllBytes(samples[0].Path, []);

            // Names that no line uses are known from the other list only.
            VideoDataset read = DatasetList.LoadSplits(list, _folder["all.csv"], null, new() { Prefix = _folder.Path }).Train;

            Assert.Equal(set.Labels.Names, read.Labels.Names);
            Assert.Equal(samples, read.Samples);

            string Text() => string.Concat(Enumerable.Range(0, random.NextInt32(1, 8)).Select(_ => parts[random.NextInt32(parts.Length)]));

            VideoSample Sample()
            {
                int label = random.NextInt32(5);
                double start = random.NextInt32(100) / 8.0;
                return new VideoSample(Path.Combine(_folder.Path, $"p{Text()}"), label, random.NextBool() ? random.NextInt32(1, 500) : null)
                {
                    Labels = random.NextBool() ? [label] : [label, (label + 1) % 5],
                    Group = random.NextBool() ? $"g{Text().Trim()}" : null,
                    StartSeconds = random.NextBool() ? start : null,
                    EndSeconds = random.NextBool() ? start + 1.25 : null,
                };
            }
        }
    }

    [Fact]
    public void Load_DamagedLists_AMessageOrAList()
    {
        string[] whole =
        [
            "path,label,frames,start,end,group\na.mp4,run,3,1,2,x\n\"b\"\"\n.mp4\",sit,,,,\n",
            "{\"path\":\"a.mp4\",\"label\":[\"run\",\"sit\"],\"frames\":3,\"start\":1e0,\"group\":\"x\"}\n{\"path\":\"\\u00e4\",\"label\":\"run\"}\n",
            "a.mp4 1,2\nb c.mp4 3\n",
        ];
        string[] names = ["l.csv", "l.jsonl", "l.list"];
        int read = 0;
        for (int round = 0; round < 1500; round++)
        {
            var random = new CounterRandom(6, 0, round, "damage");
            byte[] bytes = Encoding.UTF8.GetBytes(whole[round % 3]);
            for (int i = random.NextInt32(1, 4); i > 0; i--)
            {
                int at = random.NextInt32(bytes.Length);
                bytes = random.NextInt32(3) switch
                {
                    0 => [.. bytes[..at], .. bytes[(at + 1)..], 10],
                    1 => [.. bytes[..at], (byte)random.NextInt32(256), .. bytes[(at + 1)..]],
                    _ => [.. bytes[..at], (byte)"\"\\\n,{}[]9-"[random.NextInt32(10)], .. bytes[at..]],
                };
            }

            File.WriteAllBytes(_folder[names[round % 3]], bytes);
            try
            {
                Assert.NotEmpty(DatasetList.Load(_folder[names[round % 3]]).Samples);
                read++;
            }
            catch (DatasetException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(read, 100, 1400);
    }

    [Fact]
    public void Open_Section_GivesItsFramesOnly()
    {
        string clip = SharedData.Require("data/clips/demo.mp4");
        using VideoReader whole = VideoReader.Open(clip);
        double start = whole.TimestampsSeconds[30] - whole.TimestampsSeconds[0], end = whole.TimestampsSeconds[75] - whole.TimestampsSeconds[0];
        using IFrameSource section = new VideoSample(clip, 0) { StartSeconds = start, EndSeconds = end }.Open();

        Assert.Equal(45, section.FrameCount);
        byte[] expected = new byte[whole.Width * whole.Height * 3], found = new byte[expected.Length];
        foreach (int i in new[] { 44, 0, 17 })
        {
            whole.ReadFrames([30 + i], expected);
            section.ReadFrames([i], found);
            Assert.Equal(expected, found);
        }

        using FrameSequence frames = section.Frames([3, 40]);
        Assert.True(frames.Next(found, out int index));
        Assert.Equal(3, index);
        Assert.Throws<MediaException>(() => new VideoSample(clip, 0) { StartSeconds = 1e6 }.Open());
    }

    private void Touch(string name) => File.WriteAllBytes(_folder[name], []);

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }
}

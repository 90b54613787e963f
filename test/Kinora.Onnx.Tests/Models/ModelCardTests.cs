using Kinora.Testing;

namespace Kinora.Onnx.Tests.Models;

public sealed class ModelCardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyNetwork _tiny = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_ExportedModel_GivesEverything()
    {
        ModelCard card = ModelCard.Read(_tiny.Writer().Property("other", "kept").Save(_folder["m.onnx"]));

        Assert.Equal(_tiny.Spec, card.Spec);
        Assert.Equal(_tiny.Labels.Names, card.Labels.Names);
        Assert.Equal(("model: tiny\n", """{"seed":11}""", "kept"), (card.Config, card.Provenance, card.Properties["other"]));
    }

    [Fact]
    public void Read_LabelsBeyondAscii_AreKept()
    {
        string path = _tiny.Graph().Property(ModelCard.SpecKey, _tiny.Spec.ToJson()).Property(ModelCard.LabelsKey, """["洗手","öffnen","a\"b"]""").Save(_folder["m.onnx"]);

        Assert.Equal(["洗手", "öffnen", "a\"b"], ModelCard.Read(path).Labels.Names);
    }

    [Theory]
    [InlineData("""[]""")]
    [InlineData("""["a",1]""")]
    [InlineData("""["a","a"]""")]
    [InlineData("""{"a":1}""")]
    [InlineData("""["a"] ["b"]""")]
    [InlineData("""["a" """)]
    [InlineData("")]
    public void Read_BadLabels_Throws(string labels)
    {
        string path = _tiny.Graph().Property(ModelCard.SpecKey, _tiny.Spec.ToJson()).Property(ModelCard.LabelsKey, labels).Save(_folder["m.onnx"]);

        CheckpointException e = Assert.Throws<CheckpointException>(() => ModelCard.Read(path));

        Assert.Contains("label", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoMetadata_NamesTheKeyAndTheCommand()
    {
        CheckpointException e = Assert.Throws<CheckpointException>(() => ModelCard.Read(_tiny.Graph().Save(_folder["m.onnx"])));

        Assert.Contains("'kinora.clip_spec', found no properties", e.Message, StringComparison.Ordinal);
        Assert.Contains("kinora export", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BadSpecification_Throws()
    {
        string path = _tiny.Graph().Property(ModelCard.SpecKey, """{"frames":8}""").Property(ModelCard.LabelsKey, """["a"]""").Save(_folder["m.onnx"]);

        Assert.Contains("clip specification", Assert.Throws<CheckpointException>(() => ModelCard.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EveryTruncation_IsACheckpointException()
    {
        byte[] whole = _tiny.Writer().ToArray();
        string path = _folder["m.onnx"];
        for (int length = 0; length < whole.Length; length += length < 64 ? 1 : 37)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<CheckpointException>(() => ModelCard.Read(path));
        }
    }

    [Theory]
    [InlineData("This is a text file, not a model.\n")]
    [InlineData("PK\u0003\u0004 a zip archive")]
    [InlineData("")]
    public void Read_ForeignFile_IsACheckpointException(string content)
    {
        File.WriteAllText(_folder["m.onnx"], content);

        Assert.Contains("reading model: ", Assert.Throws<CheckpointException>(() => ModelCard.Read(_folder["m.onnx"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FolderOrNothing_SaysSo()
    {
        Assert.Contains("found a folder", Assert.Throws<CheckpointException>(() => ModelCard.Read(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("found nothing", Assert.Throws<CheckpointException>(() => ModelCard.Read(_folder["none.onnx"])).Message, StringComparison.Ordinal);
    }
}

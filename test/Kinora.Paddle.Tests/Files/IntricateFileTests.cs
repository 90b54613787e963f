using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Files;

/// <summary>
/// Forms of pickles that today's PaddlePaddle doesn't write, and small files built to cost a reader much time or memory.
/// </summary>
public sealed class IntricateFileTests : IDisposable
{
    private const string Array = "cnumpy.core.multiarray\n_reconstruct\n";

    private readonly TemporaryFolder _folder = new();
    private readonly TensorScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    // pickle.dumps({"a": array, "b": array in Fortran order}, 5).
    [Fact]
    public void Open_Protocol5_ReadsArraysFromBuffers()
    {
        using PaddleWeightsFile file = Open(Convert.FromBase64String(
            "gAWVwwAAAAAAAAB9lCiMAWGUjBJudW1weS5jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWGAAAAAAAAAAAAAAAAACAPwAAAEAAAEBAAACAQAAAoECUjAVudW1weZSMBWR0eXBllJOUjAJm"
            + "NJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiSwJLA4aUjAFDlHSUUpSMAWKUaAQoQxgAAAAAAABAQAAAgD8AAIBAAAAAQAAAoECUaAtoDowBRpR0lFKUdS4="));
        Assert.Equal([0f, 1, 2, 3, 4, 5], file.Read("a").ToArray<float>());
        Assert.Equal([0f, 1, 2, 3, 4, 5], file.Read("b").ToArray<float>());
        Assert.Equal([2, 3], file.Read("b").Shape.ToArray());
    }

    // Python 2 wrote texts as bytes, and an ordered dictionary with its items as argument.
    [Fact]
    public void Open_PickleOfPython2_ReadsIt()
    {
        using PaddleWeightsFile file = Open(Convert.FromBase64String(
            "gAJjY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQBdcQFdcQIoVQF3Y251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQNjbnVtcHkKbmRhcnJheQpxBEsAhXEFVQFih3EGUnEHKEsBSwJLAYZxCGNudW1w"
            + "eQpkdHlwZQpxCVUCZjRLAEsBh3EKUnELKEsDVQE8Tk5OSv////9K/////0sAdHEMYolVCAAAwD8AAADAdHENYmVhhXEOUnEPLg=="));
        Assert.Equal([2, 1], file.Read("w").Shape.ToArray());
        Assert.Equal([1.5f, -2], file.Read("w").ToArray<float>());
    }

    [Fact]
    public void Open_RecordsOfAProgram_ByItsSortedNames()
    {
        string[][] parameters = GoldenParameters();
        using PaddleWeightsFile file = PaddleWeightsFile.Open(SharedData.Require("golden/files/pptsmv2_lta_c400/model.pdiparams"), [.. parameters.Select(p => p[0])]);
        Assert.Equal(parameters.Length, file.Tensors.Count);
        foreach (string[] parameter in parameters.Where(p => p[1] is "backbone.fc.weight" or "backbone.stem.0.bn._variance" or "backbone.global_attention.fc.bias"))
        {
            Tensor read = file.Read(parameter[0]);
            double[] expected = GoldenFormula.Weight(parameter[1], read.Shape.ToArray());
            Assert.Equal(expected.Select(v => (float)v), read.ToArray<float>());
        }

        var e = Assert.Throws<CheckpointException>(() => PaddleWeightsFile.Open(file.Path));
        Assert.Contains("tensors without names", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_InstructionsWithoutEnd_Refused() => Refuses("at most 1000000 instructions", p => p.Repeat("N", 2_000_000));

    [Fact]
    public void Open_MegabytesOfNames_Refused() => Refuses("bytes of names", p =>
    {
        for (int i = 0; i < 20_000; i++)
        {
            p.Text(new string('x', 1000));
        }
    });

    [Fact]
    public void Open_OneListCopiedOverAndOver_Refused() => Refuses("at most 1000000 instructions", p =>
    {
        p.Raw("ccollections\nOrderedDict\nq\0").Raw("](");
        for (int i = 0; i < 20_000; i++)
        {
            p.Text($"{i}").Raw("K\u0001\u0086");
        }

        p.Raw("e\u0085q\u0001").Repeat("h\0h\u0001R", 50_000);
    });

    [Fact]
    public void Open_OneArrayUnderManyNames_Refused() => Refuses("claim more bytes than the", p =>
    {
        p.Raw("}(").Text("a").Raw(Array + "cnumpy\nndarray\nK\0\u0085C\u0001b\u0087R(K\u0001M\0\u0010\u0085cnumpy\ndtype\n").Text("u1").Raw("\u0089\u0088\u0087R(K\u0003")
            .Text("|").Raw("NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\0tb\u0089B\0\u0010\0\0").Raw(new string('\0', 4096)).Raw("tbq\0");
        for (int i = 0; i < 50; i++)
        {
            p.Text($"b{i}").Raw("h\0");
        }

        p.Raw("u");
    });

    [Fact]
    public void Open_NamesThatGrowWithEachLevel_Refused() => Refuses("values and 32 levels", p =>
    {
        for (int i = 0; i < 20; i++)
        {
            p.Raw("}").Text(new string((char)('a' + i), 1000));
        }

        p.Raw("](").Repeat("K\u0001", 100_000).Raw("e").Repeat("s", 20);
    });

    [Fact]
    public void Open_OneTextEncodedOverAndOver_CountedOnce() => Refuses("expected a dictionary, list or tensor", p =>
    {
        p.Raw("c_codecs\nencode\nq\0").Text(string.Concat(Enumerable.Repeat("\u00e9", 500_000))).Raw("q\u0001").Text("latin1").Raw("q\u0002\u0086q\u0003").Repeat("h\0h\u0003R", 200_000);
    });

    [Fact]
    public void Open_RecordWithLevelsWithoutEnd_Refused()
    {
        byte[] record = new byte[1000];
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(4), ulong.MaxValue);
        Assert.Contains("more bytes", Assert.Throws<CheckpointException>(() => Open(record)).Message, StringComparison.Ordinal);
    }

    private static string[][] GoldenParameters()
    {
        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("golden/files/pptsmv2_lta_c400/golden.json")));
        return [.. document.RootElement.GetProperty("params").EnumerateArray().Select(p => new[] { p[0].GetString()!, p[1].GetString()! })];
    }

    private PaddleWeightsFile Open(byte[] content)
    {
        File.WriteAllBytes(_folder["built.pdparams"], content);
        return PaddleWeightsFile.Open(_folder["built.pdparams"]);
    }

    private void Refuses(string reason, Action<PickleBytesBuilder> build)
    {
        var pickle = new PickleBytesBuilder();
        build(pickle);
        byte[] content = pickle.Raw(".").ToArray();
        long allocated = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
        var e = Assert.Throws<CheckpointException>(() => Open(content));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 300L << 20);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10), $"took {Stopwatch.GetElapsedTime(start)}");
    }

    /// <summary>A pickle of protocol 2 in the making; a character stands for a byte.</summary>
    private sealed class PickleBytesBuilder
    {
        private readonly MemoryStream _stream = new();

        public PickleBytesBuilder() => Raw("\u0080\u0002");

        public PickleBytesBuilder Raw(string bytes)
        {
            _stream.Write(Encoding.Latin1.GetBytes(bytes));
            return this;
        }

        public PickleBytesBuilder Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Span<byte> count = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(count, bytes.Length);
            _stream.WriteByte((byte)'X');
            _stream.Write(count);
            _stream.Write(bytes);
            return this;
        }

        public PickleBytesBuilder Repeat(string bytes, int times)
        {
            byte[] once = Encoding.Latin1.GetBytes(bytes);
            for (int i = 0; i < times; i++)
            {
                _stream.Write(once);
            }

            return this;
        }

        public byte[] ToArray() => _stream.ToArray();
    }
}

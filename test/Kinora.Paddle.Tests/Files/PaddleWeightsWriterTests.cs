using System.Security.Cryptography;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Files;

/// <summary>The writer against the bytes of PaddlePaddle's own files, and of CPython's pickler.</summary>
public sealed class PaddleWeightsWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TensorScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("tiny.pdparams", 4)]
    [InlineData("tiny_protocol2.pdparams", 2)]
    [InlineData("tiny_protocol3.pdparams", 3)]
    [InlineData("tiny_protocol4.pdparams", 4)]
    [InlineData("tiny_reversed_order.pdparams", 4)]
    [InlineData("adam.pdparams", 4)]
    public void Write_ContentOfARecordedFile_SameBytes(string name, int protocol)
    {
        string recorded = SharedData.Require($"golden/files/params/{name}");
        using PaddleWeightsFile file = PaddleWeightsFile.Open(recorded);
        PaddleWeightsWriter.Write(_folder["again.pdparams"], [.. file.Tensors.Select(t => new PaddleParameter(t.Name, t.ParameterName!, () => file.Read(t.Name)))], protocol);
        Assert.Equal(File.ReadAllBytes(recorded), File.ReadAllBytes(_folder["again.pdparams"]));
    }

    // SHA-256 of what CPython's own pickler wrote for these tensors, recorded once; the bytes are the same in 3.8 and later.
    [Theory]
    [InlineData("many", 2, "dc2b0e133ec17ed2548d35b2aec2e0eadc49655a03345ed3132edee630f7150b")]
    [InlineData("many", 3, "cc65d9d00d2bae4282bcc26ab2f593f4d51ba7f1e7ec0f9cd1d848ac51ac1df0")]
    [InlineData("many", 4, "adf10bb9be0a13f1c63ec9639828bb0330ab419a9d66716180c90a3986a690bc")]
    [InlineData("thousand", 2, "4dc85279449c1477d9f554201817dde49bf6b758c76808b6cb6c3d1df8f3b4dd")]
    [InlineData("thousand", 3, "ab52c98cd360f483ba60d2e9cb45ca237d3bd56c980d1c0cf0374848f697ed4b")]
    [InlineData("thousand", 4, "7cfc32436ed274ce139281850a0ecc775e39b197bbf4e412e7cbe65bf99f35d8")]
    public void Write_BatchesFramesAndLargeArrays_BytesOfCPython(string content, int protocol, string hash)
    {
        string path = _folder["many.pdparams"];
        (string Name, string Parameter, long[] Shape, int First)[] tensors = [.. content == "many" ? Many() : Thousand()];
        PaddleWeightsWriter.Write(path, [.. tensors.Select(t => new PaddleParameter(t.Name, t.Parameter, () => Count(t.Shape, t.First)))], protocol);
        Assert.Equal(hash, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));

        using PaddleWeightsFile file = PaddleWeightsFile.Open(path);
        Assert.Equal(tensors.Select(t => (t.Name, (string?)t.Parameter)), file.Tensors.Select(t => (t.Name, t.ParameterName)));
        foreach ((string name, _, long[] shape, int first) in tensors.Where((t, i) => t.Shape.Length != 4 || i % 97 == 0))
        {
            Assert.Equal(shape, file.Read(name).Shape.ToArray());
            Assert.Equal(Count(shape, first).ToArray<float>(), file.Read(name).ToArray<float>());
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Write_EveryElementType_ReadsBack(int protocol)
    {
        (string Name, Tensor Value)[] tensors =
        [
            ("u8", Tensor.From<byte>([.. Enumerable.Range(0, 256).Select(i => (byte)i)])),
            ("half", Tensor.From<Half>([(Half)1.5f, Half.NaN])),
            ("brain", Tensor.From<ushort>([0x3F80, 0xFFFF])),
            ("i32", Tensor.From<int>([-1, int.MaxValue])),
            ("i64", Tensor.From<long>([-1, long.MaxValue])),
            ("f64", Tensor.From<double>([Math.PI, double.NegativeInfinity])),
            ("bool", Tensor.From<bool>([true, false])),
            ("transposed", Count([3, 200], 0).Transpose(0, 1)),
        ];
        PaddleWeightsWriter.Write(_folder["all.pdparams"], [.. tensors.Select(t => new PaddleParameter(t.Name, t.Name + ".w_0", () => t.Value))], protocol);
        using PaddleWeightsFile file = PaddleWeightsFile.Open(_folder["all.pdparams"]);
        foreach ((string name, Tensor value) in tensors)
        {
            Assert.Equal(value.DType, file.Read(name).DType);
            Assert.Equal(value.Shape.ToArray(), file.Read(name).Shape.ToArray());
            Assert.Equal(value.ToArray<double>(), file.Read(name).ToArray<double>());
        }
    }

    [Fact]
    public void Write_NameTwice_LeavesNoFile()
    {
        PaddleParameter one = new("a", "a.w_0", () => Tensor.Ones([1]));
        var e = Assert.Throws<CheckpointException>(() => PaddleWeightsWriter.Write(_folder["x.pdparams"], [one, one]));
        Assert.Contains("'a'", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static Tensor Count(long[] shape, int first) =>
        Tensor.From<float>([.. Enumerable.Range(first, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(v => (float)v)], shape);

    private static IEnumerable<(string Name, string Parameter, long[] Shape, int First)> Many()
    {
        yield return ("big.weight", "linear_0.w_0", [300, 100], 0);
        yield return ("big.bias", "linear_0.b_0", [100], -50);
        for (int i = 0; i < 1203; i++)
        {
            yield return ($"layers.{i}.weight", $"conv2d_{i}.w_0", [(i % 5) + 1, 1, 2, 3], i);
        }

        yield return ("edge", "create_parameter_0.w_0", [16384], 3);
        yield return ("below", "create_parameter_1.w_0", [16383], 3);
        yield return ("scalar", "create_parameter_2.w_0", [], 7);
        yield return ("empty", "create_parameter_3.w_0", [0, 300], 0);
        yield return ("long", "create_parameter_4.w_0", [1, 70000], 0);
    }

    private static IEnumerable<(string Name, string Parameter, long[] Shape, int First)> Thousand() =>
        Enumerable.Range(0, 999).Select(i => ($"p{i}", $"create_parameter_{i}.w_0", new long[] { 1 }, i));
}

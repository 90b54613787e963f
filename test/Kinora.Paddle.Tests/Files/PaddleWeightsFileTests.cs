using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Files;

/// <summary>The reader against files that PaddlePaddle wrote, and against files made to harm.</summary>
public sealed class PaddleWeightsFileTests
{
    private const string NamesKey = "StructuredToParameterName@@";
    private const string SplitKey = "UnpackBigParamInfor@@";

    public static TheoryData<string> Good() => Names("params");

    public static TheoryData<string> Bad() => Names("params_bad");

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Good))]
    public void Open_FileOfPaddle_GivesEveryArrayBitForBit(string name)
    {
        using var scope = new TensorScope();
        using PaddleWeightsFile file = PaddleWeightsFile.Open(SharedData.Require($"golden/files/params/{name}"));
        JsonElement expected = Expected("params", name);
        if (!expected.TryGetProperty("stored", out JsonElement stored))
        {
            // The binary form of tiny's convolution.
            stored = JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { ["tensor"] = Expected("params", "tiny.pdparams").GetProperty("stored").GetProperty("conv1.weight") });
        }

        var arrays = new Dictionary<string, JsonElement>();
        var values = new Dictionary<string, JsonElement>();
        var parameters = new Dictionary<string, string>();
        Collect(stored, "");

        Assert.Equal(arrays.Keys.Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (PaddleTensor tensor in file.Tensors)
        {
            JsonElement array = arrays[tensor.Name];
            Assert.Equal(array.GetProperty("shape").EnumerateArray().Select(v => v.GetInt64()), tensor.Shape);
            if (array.TryGetProperty("dtype", out JsonElement type))
            {
                Assert.Equal(type.GetString()!.Replace("uint16", "bfloat16", StringComparison.Ordinal), tensor.Type.ToString().ToLowerInvariant());
                Assert.Equal(array.GetProperty("sha256").GetString(), Hash(file.ReadBytes(tensor.Name)));
            }

            Assert.Equal(parameters.GetValueOrDefault(tensor.Name), tensor.ParameterName);
        }

        Assert.Equal(values.Keys.Order(StringComparer.Ordinal), file.Values.Keys.Order(StringComparer.Ordinal));
        foreach ((string key, JsonElement value) in values)
        {
            switch (file.Values[key])
            {
                case string text:
                    Assert.Equal(value.GetString(), text);
                    break;
                default:
                    Assert.Equal(value.GetDouble(), Convert.ToDouble(file.Values[key], System.Globalization.CultureInfo.InvariantCulture));
                    break;
            }
        }

        void Collect(JsonElement element, string path)
        {
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("shape", out _))
            {
                string? parameter = element.TryGetProperty("tuple_name", out JsonElement tuple) ? tuple.GetString() : null;
                path = path.Length == 0 ? parameter! : path;
                arrays[path] = element;
                if (parameter is not null)
                {
                    parameters[path] = parameter;
                }
            }
            else if (element.ValueKind == JsonValueKind.Object)
            {
                CollectDictionary(element, path);
            }
            else if (element.ValueKind == JsonValueKind.Array)
            {
                int i = 0;
                foreach (JsonElement item in element.EnumerateArray())
                {
                    Collect(item, Join(path, $"{i++}"));
                }
            }
            else
            {
                values[path] = element;
            }
        }

        void CollectDictionary(JsonElement element, string path)
        {
            var parts = new HashSet<string>();
            foreach (JsonProperty whole in element.TryGetProperty(SplitKey, out JsonElement split) ? split.EnumerateObject().ToArray() : [])
            {
                parts.UnionWith(whole.Value.GetProperty("slices").EnumerateArray().Select(s => s.GetString()!));
                arrays[whole.Name] = JsonSerializer.SerializeToElement(new Dictionary<string, JsonElement> { ["shape"] = whole.Value.GetProperty("OriginShape") });
            }

            foreach (JsonProperty property in element.EnumerateObject().Where(p => p.Name != SplitKey && !parts.Contains(p.Name)))
            {
                if (property.Name == NamesKey)
                {
                    foreach (JsonProperty table in property.Value.EnumerateObject())
                    {
                        parameters[table.Name] = table.Value.GetString()!;
                    }
                }
                else
                {
                    Collect(property.Value, Join(path, property.Name));
                }
            }
        }
    }

    [Theory]
    [InlineData("tiny_protocol2.pdparams")]
    [InlineData("tiny_protocol3.pdparams")]
    [InlineData("tiny_protocol4.pdparams")]
    [InlineData("tiny_reversed_order.pdparams")]
    [InlineData("tiny_numpy_values.pdparams")]
    [InlineData("split_protocol2.pdparams")]
    [InlineData("split_protocol3.pdparams")]
    public void Read_SameContentInAnyForm_SameTensors(string name)
    {
        using var scope = new TensorScope();
        using PaddleWeightsFile tiny = PaddleWeightsFile.Open(SharedData.Require("golden/files/params/tiny.pdparams"));
        using PaddleWeightsFile file = PaddleWeightsFile.Open(SharedData.Require($"golden/files/params/{name}"));
        Assert.Equal(tiny.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal), file.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        foreach (PaddleTensor tensor in tiny.Tensors)
        {
            Tensor expected = tiny.Read(tensor.Name), found = file.Read(tensor.Name);
            Assert.Equal(expected.DType, found.DType);
            Assert.Equal(expected.Shape.ToArray(), found.Shape.ToArray());
            Assert.Equal(expected.ToArray<double>(), found.ToArray<double>());
        }
    }

    [Fact]
    public void Read_EveryElementType_GivesTheRecordedValues()
    {
        using var scope = new TensorScope();
        string path = SharedData.Require("golden/files/params/dtypes.pdparams");
        using PaddleWeightsFile file = PaddleWeightsFile.Open(path);
        Assert.Equal([0, 1, -2.5, 65504, Math.Pow(2, -24)], file.Read("float16").ToArray<double>());
        Assert.Equal((DType.BFloat16, 1.0, -2.5), (file.Read("bfloat16").DType, file.Read("bfloat16").ToArray<double>()[1], file.Read("bfloat16").ToArray<double>()[2]));
        Assert.Equal([4611686018427387904, -1], file.Read("int64").ToArray<long>());
        Assert.Equal([32767, -32768], file.Read("int16").ToArray<int>());
        Assert.Equal([127, -128], file.Read("int8").ToArray<int>());
        Assert.Equal([true, false, true], file.Read("bool").ToArray<bool>());
        Assert.Equal(2.5, file.Read("scalar0d").ToDouble());
        Assert.Equal([0, 3], file.Read("empty").Shape.ToArray());
        Assert.Equal([float.NaN, float.PositiveInfinity, float.NegativeInfinity], file.Read("nan_inf").ToArray<float>());
        var e = Assert.Throws<CheckpointException>(() => file.Read("complex64"));
        Assert.Contains("'complex64': expected real numbers, found Complex64", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<CheckpointException>(() => file.Read("float17"));
        Assert.Contains("'float17'", e.Message, StringComparison.Ordinal);
        Assert.Equal(path, e.Path);
    }

    [Theory]
    [InlineData("orders_protocol2.pdparams")]
    [InlineData("orders_protocol4.pdparams")]
    public void Read_OtherOrdersInMemory_GivesCOrder(string name)
    {
        using var scope = new TensorScope();
        using PaddleWeightsFile file = PaddleWeightsFile.Open(SharedData.Require($"golden/files/params/{name}"));
        Assert.Equal([0f, 1, 2, 3, 4, 5], file.Read("f_order").ToArray<float>());
        Assert.Equal([0f, 3, 1, 4, 2, 5], file.Read("transposed_view").ToArray<float>());
        Assert.True(file.Read("transposed_view").IsContiguous);
        Assert.Equal([0f, 1, 2], file.Read("big_endian").ToArray<float>());
        Assert.Equal(1.5, file.Values["numpy_scalar"]);
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Bad))]
    public void Open_HostileFile_DoesWhatAReaderMust(string name)
    {
        string must = Expected("params_bad", name).GetProperty("reader_must").GetString()!;
        string path = SharedData.Require($"golden/files/params_bad/{name}");
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        if (must == "accept first")
        {
            using var scope = new TensorScope();
            using PaddleWeightsFile file = PaddleWeightsFile.Open(path);
            Assert.All(file.Tensors, t => file.Read(t.Name));
        }
        else
        {
            var e = Assert.Throws<CheckpointException>(() => PaddleWeightsFile.Open(path).Dispose());
            Assert.Equal(path, e.Path);
            Assert.Equal(2, e.Message.Split("read weights: ").Length);
            Assert.DoesNotContain('\n', e.Message);
            Assert.InRange(e.Message.Length, 40, 600);
            TestContext.Current.TestOutputHelper!.WriteLine(e.Message);
        }

        // The buffers of reading, and what the longest of the files (400 kB of opcodes) makes of itself.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 64L << 20);
        Assert.False(File.Exists("PWNED"), "the file's code was run");
    }

    [Theory]
    [InlineData("bad_os_system.pdparams", "posix.system")]
    [InlineData("bad_os_system_protocol2.pdparams", "posix.system")]
    [InlineData("bad_stack_global.pdparams", "posix.system")]
    [InlineData("bad_exec.pdparams", "builtins.exec")]
    [InlineData("bad_eval.pdparams", "builtins.eval")]
    [InlineData("bad_eval_like_lodtensor.pdparams", "builtins.eval")]
    [InlineData("bad_getattr_chain.pdparams", "builtins.getattr")]
    [InlineData("bad_in_name_table.pdparams", "posix.system")]
    [InlineData("bad_unused_stack_item.pdparams", "posix.system")]
    [InlineData("bad_numpy_load.pdparams", "numpy.load")]
    [InlineData("bad_numpy_memmap.pdparams", "numpy.memmap")]
    [InlineData("bad_unknown_class.pdparams", "paddle.nosuch.Thing")]
    [InlineData("bad_persistent_id.pdparams", "PERSID")]
    [InlineData("bad_extension_code.pdparams", "EXT")]
    [InlineData("bad_object_dtype.pdparams", "'O8'")]
    [InlineData("bad_void_dtype.pdparams", "'V4'")]
    [InlineData("bad_magic_zip.pdparams", "zip archive")]
    [InlineData("bad_magic_text.pdparams", "Git LFS")]
    [InlineData("bad_magic_html.pdparams", "web page")]
    [InlineData("bad_empty.pdparams", "empty file")]
    [InlineData("bad_protocol_9.pdparams", "found 9")]
    [InlineData("bad_negative_shape.pdparams", "[-1, 3]")]
    [InlineData("bad_shape_data_mismatch.pdparams", "Float32 [2, 3], found 20")]
    [InlineData("bad_duplicate_key.pdparams", "'a' occurs twice")]
    public void Open_HostileFile_SaysWhatIsWrong(string name, string reason)
    {
        var e = Assert.Throws<CheckpointException>(() => PaddleWeightsFile.Open(SharedData.Require($"golden/files/params_bad/{name}")));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoFile_SaysSo()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(folder["x.pdparams"], Assert.Throws<CheckpointException>(() => PaddleWeightsFile.Open(folder["x.pdparams"])).Path);
        Assert.Throws<CheckpointException>(() => PaddleWeightsFile.Open(folder.Path));
    }

    private static TheoryData<string> Names(string folder) =>
        [.. SharedData.Files($"golden/files/{folder}", "*.pd*").Select(path => Path.GetFileName(path)!)];

    private static JsonElement Expected(string folder, string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require($"golden/files/{folder}/expected.json")));
        return document.RootElement.GetProperty("files").GetProperty(name).Clone();
    }

    private static string Join(string outer, string inner) => outer.Length == 0 ? inner : $"{outer}.{inner}";

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

using System.Buffers.Binary;
using System.Text;
using Kinora.Testing;

namespace Kinora.Tensors.Tests.Checkpoints;

/// <summary>Round trips, and files that lie about themselves.</summary>
public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TensorScope _scope = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Save_EveryElementType_RoundTripsBitForBit()
    {
        string path = _folder["all.safetensors"];
        Tensor format = Tensor.Arange(24, DType.Float32).Reshape(2, 3, 2, 2).Contiguous(MemoryFormat.ChannelsLast);
        (string Name, Tensor Value)[] tensors =
        [
            ("u8", Tensor.From<byte>([1, 255, 3])),
            ("half", Tensor.From<Half>([(Half)1.5f, Half.NaN, (Half)3])),
            ("brain", Tensor.From<ushort>([0x3F80, 1, 2])),
            ("i32", Tensor.From<int>([-1, int.MaxValue])),
            ("i64", Tensor.From<long>([-1, long.MaxValue])),
            ("f32", Tensor.From<float>([float.NaN, 1e-45f, -0f])),
            ("f64", Tensor.From<double>([Math.PI, double.Epsilon])),
            ("bool", Tensor.From<bool>([true, false])),
            ("scalar", Tensor.Scalar(4)),
            ("empty", Tensor.Zeros([0, 5])),
            ("channels.last", format),
            ("a \"quoted\" näme\n", Tensor.Ones([1])),
        ];
        SafetensorsFile.Save(path, tensors, new Dictionary<string, string> { ["kinora"] = "{\"a\": 1}", ["ü"] = "x\ny" });

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal("{\"a\": 1}", file.Metadata["kinora"]);
        Assert.Equal("x\ny", file.Metadata["ü"]);
        Assert.Equal(tensors.Length, file.Entries.Count);
        foreach ((string name, Tensor value) in tensors)
        {
            Tensor read = file.Read(name);
            Assert.Equal(value.DType, read.DType);
            Assert.Equal(value.Shape.ToArray(), read.Shape.ToArray());
            Assert.Equal(Bits(value), Bits(read));
            SafetensorsEntry entry = file.Entries.Single(e => e.Name == name);
            Assert.Equal(0, entry.Offset % value.DType.Size());
        }

        Assert.True(file.Contains("f32"));
        Assert.False(file.Contains("f33"));
        Assert.Throws<CheckpointException>(() => file.Read("f33"));
        Assert.Equal(12, file.ReadAll().Count());
    }

    [Fact]
    public void Save_NoTensors_RoundTrips()
    {
        string path = _folder["none.safetensors"];
        SafetensorsFile.Save(path, []);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Empty(file.Entries);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void Save_TwiceOrReservedName_LeavesTheOldFile()
    {
        string path = _folder["old.safetensors"];
        SafetensorsFile.Save(path, [("a", Tensor.Ones([1]))]);
        byte[] before = File.ReadAllBytes(path);
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Save(path, [("a", Tensor.Ones([1])), ("a", Tensor.Ones([1]))]));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Save(path, [("__metadata__", Tensor.Ones([1]))]));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void Save_OverOpenFile_LeavesReadersWithTheOldOne()
    {
        string path = _folder["open.safetensors"];
        SafetensorsFile.Save(path, [("a", Tensor.Full([1000], 1))]);
        using SafetensorsFile old = SafetensorsFile.Open(path);
        SafetensorsFile.Save(path, [("a", Tensor.Full([1000], 2))]);
        Assert.Equal(1, old.Read("a").Mean().ToDouble());
        using SafetensorsFile fresh = SafetensorsFile.Open(path);
        Assert.Equal(2, fresh.Read("a").Mean().ToDouble());
    }

    [Fact]
    public void Save_SameContent_SameBytes()
    {
        var metadata = new Dictionary<string, string> { ["b"] = "1", ["a"] = "2" };
        SafetensorsFile.Save(_folder["x"], [("t", Tensor.Arange(5))], metadata);
        SafetensorsFile.Save(_folder["y"], [("t", Tensor.Arange(5))], metadata.Reverse().ToDictionary());
        Assert.Equal(File.ReadAllBytes(_folder["x"]), File.ReadAllBytes(_folder["y"]));
    }

    /// <summary>Whichever bit of a file of Kinora's turns over, on a disk or on the way: it is noticed.</summary>
    [Fact]
    public void Open_AnyBitFlipped_IsNoticed()
    {
        SafetensorsFile.Save(_folder["good"], [("weight", Tensor.Arange(6, DType.Float32).Reshape(2, 3)), ("on", Tensor.From<bool>([true, false]))], new Dictionary<string, string> { ["epoch"] = "12" });
        byte[] good = File.ReadAllBytes(_folder["good"]);
        int key = good.AsSpan().IndexOf("kinora.crc32c"u8);
        foreach (int bit in Enumerable.Range(0, 8 * good.Length))
        {
            if (bit / 8 >= key && bit / 8 < key + "kinora.crc32c".Length)
            {
                continue; // without the key there are no checksums, and nothing else has changed
            }

            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(_folder["bad"], bad);

            CheckpointException e = Assert.Throws<CheckpointException>(() =>
            {
                using SafetensorsFile file = SafetensorsFile.Open(_folder["bad"]);
                _ = file.ReadAll().Count();
                Assert.Fail($"bit {bit % 8} of byte {bit / 8} isn't noticed");
            });
            Assert.Equal(_folder["bad"], e.Path);
        }
    }

    [Fact]
    public void Save_MetadataOfAnotherFile_ReplacesItsChecksums()
    {
        SafetensorsFile.Save(_folder["a"], [("t", Tensor.Arange(5))]);
        using SafetensorsFile a = SafetensorsFile.Open(_folder["a"]);
        Assert.Empty(a.Metadata);
        SafetensorsFile.Save(_folder["b"], [("t", Tensor.Arange(7))], new Dictionary<string, string> { ["kinora.crc32c"] = "00" });
        using SafetensorsFile b = SafetensorsFile.Open(_folder["b"]);
        Assert.Equal(7, b.Read("t").Count);
    }

    [Theory]
    [InlineData("{}", 4, "expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "doesn't fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "doesn't fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""", 16, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "repeated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", 4, "unknown")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}""", 4, "element type")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4, "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}}""", 4, "doesn't fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "doesn't fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""", 0, "impossible")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}""", 4, "doesn't fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "at most 16")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "at most 2")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "lacks")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "lacks")]
    [InlineData("""{"a":5}""", 0, "expected StartObject")]
    [InlineData("""{"__metadata__":{"a":5}}""", 0, "expected String")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "twice")]
    [InlineData("""{"__metadata__":[]}""", 0, "expected StartObject")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "JSON")]
    [InlineData("""{} {}""", 0, "JSON")]
    [InlineData("""{]""", 0, "JSON")]
    [InlineData("""[]""", 0, "doesn't start")]
    [InlineData(""" {}""", 0, "doesn't start")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[[1]]]]],"data_offsets":[0,4]}}""", 4, "open safetensors")]
    public void Open_LyingHeader_IsCheckpointException(string header, int dataBytes, string reason)
    {
        string path = _folder["bad.safetensors"];
        byte[] text = Encoding.UTF8.GetBytes(header);
        Write(path, text.Length, text, dataBytes);
        var e = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.Contains(reason, e.Message);
        Assert.Contains(path, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000_001)]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    [InlineData(1000)]
    public void Open_WrongHeaderLength_IsCheckpointException(long length)
    {
        string path = _folder["length.safetensors"];
        Write(path, length, "{}"u8, 6);
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void Open_TinyMissingOrFolder_IsCheckpointException()
    {
        File.WriteAllBytes(_folder["empty"], []);
        File.WriteAllBytes(_folder["nine"], new byte[9]);
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder["empty"]));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder["nine"]));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder["missing"]));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder.Path));
    }

    [Fact]
    public void Open_InvalidUtf8InName_IsCheckpointException()
    {
        byte[] header = Encoding.Latin1.GetBytes("{\"\u00ff\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}");
        string path = _folder["utf8.safetensors"];
        Write(path, header.Length, header, 4);
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void Read_BoolBytesBeyondOne_BecomeTrue()
    {
        byte[] header = """{"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}}"""u8.ToArray();
        string path = _folder["bool.safetensors"];
        using (FileStream stream = File.Create(path))
        {
            stream.Write(BitConverter.GetBytes((long)header.Length));
            stream.Write(header);
            stream.Write([0, 1, 200]);
        }

        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal([0, 1, 1], file.Read("a").To(DType.UInt8).ToArray<byte>());
    }

    [Fact]
    public void Open_TwoThousandMutations_AnswerOrCheckpointException()
    {
        string path = _folder["good.safetensors"];
        SafetensorsFile.Save(
            path,
            [("conv.weight", Tensor.Ones([2, 3, 3, 3])), ("conv.bias", Tensor.Zeros([2], DType.Float16)), ("labels", Tensor.Arange(4))],
            new Dictionary<string, string> { ["epoch"] = "3" });
        byte[] good = File.ReadAllBytes(path);
        int headerEnd = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(good);
        string mutant = _folder["mutant.safetensors"];
        int answered = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            using var inner = new TensorScope();
            File.WriteAllBytes(mutant, Mutate(good, headerEnd, new CounterRandom((ulong)seed, "mutate")));
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(mutant);
                foreach ((_, Tensor value) in file.ReadAll())
                {
                    _ = value.ToArray<double>();
                }

                answered++;
            }
            catch (CheckpointException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }

        Assert.InRange(answered, 1, 1500);
    }

    private static byte[] Mutate(byte[] good, int headerEnd, CounterRandom random)
    {
        var bytes = good.ToList();
        int changes = 1 + random.NextInt32(3);
        for (int i = 0; i < changes; i++)
        {
            int at = random.NextInt32(random.NextBool(0.8) ? Math.Min(headerEnd, bytes.Count) : bytes.Count);
            switch (random.NextInt32(6))
            {
                case 0:
                    bytes[at] = (byte)random.NextInt32(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.NextInt32(8));
                    break;
                case 2:
                    bytes[at] = (byte)"0123456789{}[]\",:"[random.NextInt32(17)];
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - at, 1 + random.NextInt32(8)));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, 1 + random.NextInt32(40))));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }

            if (bytes.Count == 0)
            {
                break;
            }
        }

        return [.. bytes];
    }

    private static void Write(string path, long length, ReadOnlySpan<byte> header, int dataBytes)
    {
        using FileStream stream = File.Create(path);
        stream.Write(BitConverter.GetBytes(length));
        stream.Write(header);
        stream.Write(new byte[dataBytes]);
    }

    private static byte[] Bits(Tensor tensor) => tensor.DType switch
    {
        DType.UInt8 => tensor.ToArray<byte>(),
        DType.Bool => [.. tensor.ToArray<bool>().Select(v => v ? (byte)1 : (byte)0)],
        DType.Float16 => [.. tensor.ToArray<Half>().SelectMany(v => BitConverter.GetBytes(v))],
        DType.BFloat16 => [.. tensor.ToArray<ushort>().SelectMany(v => BitConverter.GetBytes(v))],
        DType.Int32 => [.. tensor.ToArray<int>().SelectMany(v => BitConverter.GetBytes(v))],
        DType.Int64 => [.. tensor.ToArray<long>().SelectMany(v => BitConverter.GetBytes(v))],
        DType.Float32 => [.. tensor.ToArray<float>().SelectMany(v => BitConverter.GetBytes(v))],
        _ => [.. tensor.ToArray<double>().SelectMany(v => BitConverter.GetBytes(v))],
    };
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Loading;

/// <summary>What PaddleVideo stores beside the weights.</summary>
public sealed class PaddleStateDictTests
{
    // The recorded hash is of all weights by formula and of the index tables as PaddleVideo computes them.
    [Fact]
    public void Of_VideoSwin_IndexTablesOfTheRecordedExport()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("golden/files/videoswin/golden.json")));
        using var scope = new TensorScope();
        using VideoNetwork network = PaddleArchitectures.Create(new PaddleModel(
            "SwinTransformer3D",
            new Dictionary<string, object?>
            {
                ["patch_size"] = new object?[] { 2L, 4L, 4L }, ["embed_dim"] = 32L, ["depths"] = new object?[] { 2L, 2L, 2L, 2L }, ["num_heads"] = new object?[] { 1L, 2L, 4L, 8L },
                ["window_size"] = new object?[] { 8L, 7L, 7L }, ["mlp_ratio"] = 4.0, ["qkv_bias"] = true, ["patch_norm"] = true,
            },
            "I3DHead",
            new Dictionary<string, object?> { ["num_classes"] = 7L }));
        Dictionary<string, PaddleParameter> state = PaddleStateDict.Of(network).ToDictionary(p => p.Name);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (JsonElement parameter in document.RootElement.GetProperty("params").EnumerateArray())
        {
            string key = parameter[1].GetString()!;
            long[] shape = [.. parameter[2].EnumerateArray().Select(v => v.GetInt64())];
            using var inner = new TensorScope();
            Tensor value = state.Remove(key, out PaddleParameter? own) && key.EndsWith("index", StringComparison.Ordinal)
                ? own.Value()
                : Tensor.From<double>(GoldenFormula.Weight(key, shape), shape).To(DType.Float32);
            Assert.Equal(shape, value.Shape.ToArray());
            hash.AppendData(RecordHead(value));
            value.CopyBytesTo(hash.AppendData);
        }

        Assert.Empty(state);
        Assert.Equal(document.RootElement.GetProperty("pdiparams_sha256").GetString(), Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static byte[] RecordHead(Tensor tensor)
    {
        List<byte> description = [1 << 3, tensor.DType == DType.Int64 ? (byte)3 : (byte)5];
        foreach (long size in tensor.Shape)
        {
            description.Add(2 << 3);
            long left = size;
            for (; left >= 0x80; left >>= 7)
            {
                description.Add((byte)(left | 0x80));
            }

            description.Add((byte)left);
        }

        byte[] head = new byte[20];
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(16), description.Count);
        return [.. head, .. description];
    }
}

using Kinora.Testing;

namespace Kinora.Onnx.Tests.Networks;

/// <summary>Damaged files: an answer or a <see cref="KinoraException"/>, never a crash and never another exception.</summary>
public sealed class DamagedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyNetwork _tiny = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LoadAndRun_MutatedModels_AnswerOrKinoraException()
    {
        byte[] whole = _tiny.Writer().ToArray();
        var refused = 0;
        for (int mutant = 0; mutant < 400; mutant++)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            refused += LoadAndRun(Mutate(whole, mutant)) ? 0 : 1;
        }

        // Most mutations meet weights, which any value fits.
        Assert.InRange(refused, 40, 399);
    }

    [Fact]
    public void LoadAndRun_EveryByteOfTheStructureDamaged_AnswerOrKinoraException()
    {
        byte[] whole = _tiny.Graph().ToArray();
        for (int position = 0; position < whole.Length; position += position < 700 ? 1 : 11)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            byte[] damaged = [.. whole];
            damaged[position] ^= 0x5A;
            LoadAndRun(damaged);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(-1)]
    public void Load_Truncated_CheckpointException(int length)
    {
        byte[] whole = _tiny.Writer().ToArray();
        File.WriteAllBytes(_folder["m.onnx"], whole[..(length < 0 ? whole.Length / 2 : length)]);

        CheckpointException e = Assert.Throws<CheckpointException>(() => OnnxNetwork.Load(_folder["m.onnx"], 1));

        Assert.Contains(_folder["m.onnx"], e.Message, StringComparison.Ordinal);
    }

    private bool LoadAndRun(byte[] model)
    {
        File.WriteAllBytes(_folder["m.onnx"], model);
        try
        {
            using OnnxNetwork network = OnnxNetwork.Load(_folder["m.onnx"], 1);
            if (network.FloatsPerView > 1 << 20)
            {
                return false; // another input size: whoever compares it with the clip specification refuses it
            }

            using NetworkBatch batch = network.Rent(1);
            batch.Clips.Fill(0.5f);
            batch.Run(TestContext.Current.CancellationToken);
            return true;
        }
        catch (KinoraException e)
        {
            Assert.DoesNotContain('\n', e.Message);
            return false;
        }
    }

    private static byte[] Mutate(byte[] whole, int mutant)
    {
        var random = new CounterRandom(77, 0, mutant, "mutate");
        List<byte> bytes = [.. whole];
        for (int change = random.NextInt32(1, 6); change > 0; change--)
        {
            int at = random.NextInt32(bytes.Count);
            switch (random.NextInt32(5))
            {
                case 0:
                    bytes[at] = (byte)random.NextInt32(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.NextInt32(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.NextInt32(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes[..Math.Min(random.NextInt32(1, 20), bytes.Count)]);
                    break;
                default:
                    bytes[at] = (byte)(random.NextBool() ? 0xFF : 0);
                    break;
            }

            if (bytes.Count == 0)
            {
                bytes.Add(0);
            }
        }

        return [.. bytes];
    }
}

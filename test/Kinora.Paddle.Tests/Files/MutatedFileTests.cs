using System.Diagnostics;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Files;

/// <summary>Good files, damaged at random: whatever happens to them, the reader reads or says what is wrong.</summary>
public sealed class MutatedFileTests
{
    private const int Mutations = 2000;

    // Working set of one small file: buffers, values and the exception; a claim believed unchecked would be gigabytes.
    private const long MostBytes = 8 << 20;

    [Fact]
    public void Open_TwoThousandMutatedFiles_ReadsOrRefuses()
    {
        string[] originals = [.. SharedData.Files("golden/files/params", "*.pd*")];
        Assert.SkipWhen(originals.Length == 0, "no reference material: golden/files/params");
        byte[][] contents = [.. originals.Select(File.ReadAllBytes)];
        using var folder = new TemporaryFolder();
        string path = folder["mutated.pdparams"];
        int read = 0;
        var slowest = TimeSpan.Zero;
        for (int i = 0; i < Mutations; i++)
        {
            var random = new CounterRandom(20240305, $"mutation {i}");
            byte[] mutated = Mutate(random, contents);
            File.WriteAllBytes(path, mutated);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            try
            {
                using PaddleWeightsFile file = PaddleWeightsFile.Open(path);
                long bytes = file.Tensors.Sum(tensor => (long)file.ReadBytes(tensor.Name).Length);
                Assert.InRange(bytes, 0, mutated.Length);
                read++;
            }
            catch (CheckpointException e)
            {
                Assert.True(e.Path == path && !e.Message.Contains('\n', StringComparison.Ordinal), $"mutation {i}: {e.Message}");
            }
            catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
            {
                Assert.Fail($"mutation {i}: {e}");
            }

            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < MostBytes, $"mutation {i}: allocated {GC.GetAllocatedBytesForCurrentThread() - allocated} bytes");
        }

        // Many mutations hit array data and names, which nothing can notice; if all or none were refused, the test would be testing nothing.
        Assert.InRange(read, Mutations / 40, Mutations * 39 / 40);
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"slowest file: {slowest}");
        TestContext.Current.TestOutputHelper!.WriteLine($"{read} of {Mutations} could be read; slowest {slowest.TotalMilliseconds:0} ms");
    }

    // One to three changes, each of the kind that transfers, disks and forgers make.
    private static byte[] Mutate(CounterRandom random, byte[][] contents)
    {
        List<byte> bytes = [.. contents[random.NextInt32(contents.Length)]];
        int changes = 1 + random.NextInt32(3);
        for (int i = 0; i < changes && bytes.Count > 1; i++)
        {
            int at = random.NextInt32(bytes.Count);
            switch (random.NextInt32(8))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.NextInt32(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.NextInt32(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(1 + random.NextInt32(8), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, Enumerable.Range(0, 1 + random.NextInt32(8)).Select(_ => (byte)random.NextInt32(256)));
                    break;
                case 5: // A huge number where a length may be.
                    for (int k = at; k < Math.Min(at + 4, bytes.Count); k++)
                    {
                        bytes[k] = 0xFF;
                    }

                    break;
                case 6: // A piece of another file.
                    byte[] other = contents[random.NextInt32(contents.Length)];
                    int from = random.NextInt32(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(1 + random.NextInt32(64), other.Length - from)).ToArray());
                    break;
                default: // A piece twice.
                    bytes.InsertRange(at, [.. bytes.GetRange(at, Math.Min(1 + random.NextInt32(64), bytes.Count - at))]);
                    break;
            }
        }

        return [.. bytes];
    }
}

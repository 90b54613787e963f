using Google.Protobuf;
using Kinora.Paddle.Programs.Format;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Damaged files give a message or a model, never a crash, a hang, or memory out of proportion.</summary>
public sealed class MutationTests
{
    private const int Side = 8;
    private const int Frames = 4;

    // Far above what an intact program of this size needs (a few megabytes).
    private const long MaximumAllocated = 512L << 20;

    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Convert_DamagedBytesOfTheProgram_MessageOrModel()
    {
        using var folder = new TemporaryFolder();
        ConverterTests.Tiny().Read(folder.Path);
        byte[] intact = await File.ReadAllBytesAsync(folder["model.pdmodel"], TestContext.Current.CancellationToken);
        await Run(folder, 300, seed => File.WriteAllBytes(folder["model.pdmodel"], Damaged(intact, seed)), Specs.Of(Frames, Side));
    }

    [Fact]
    public async Task Convert_DamagedParameters_MessageOrModel()
    {
        using var folder = new TemporaryFolder();
        ConverterTests.Tiny().Read(folder.Path);
        byte[] intact = await File.ReadAllBytesAsync(folder["model.pdiparams"], TestContext.Current.CancellationToken);
        await Run(folder, 200, seed => File.WriteAllBytes(folder["model.pdiparams"], Damaged(intact, seed)), Specs.Of(Frames, Side));
    }

    [Fact]
    public async Task Convert_WrongNumbersAndNames_MessageOrModel()
    {
        using var folder = new TemporaryFolder();
        ProgramBuilder builder = ConverterTests.Tiny();
        builder.Read(folder.Path);
        await Run(folder, 300, seed => File.WriteAllBytes(folder["model.pdmodel"], Twisted(builder.Program, seed)), Specs.Of(Frames, Side));
    }

    [Theory]
    [InlineData("timesformer", 50)]
    [InlineData("videoswin", 12)]
    public async Task Convert_WrongNumbersInARecordedProgram_MessageOrModel(string name, int mutants)
    {
        GoldenProgram golden = GoldenProgram.Read(name);
        using var folder = new TemporaryFolder();
        golden.WriteParameters(folder["model.pdiparams"]);
        ProgramDesc program = ProgramDesc.Parser.ParseFrom(await File.ReadAllBytesAsync(golden.ModelPath, TestContext.Current.CancellationToken));
        await Run(folder, mutants, seed => File.WriteAllBytes(folder["model.pdmodel"], Twisted(program, seed)), Specs.Of(golden.Clip[1], golden.Clip[2]));
    }

    private static async Task Run(TemporaryFolder folder, int mutants, Action<ulong> damage, ClipSpec spec)
    {
        int refused = 0;
        for (int i = 0; i < mutants; i++)
        {
            damage((ulong)i);
            Task<(bool Refused, long Allocated)> trial = Task.Run(() => Try(folder, spec), TestContext.Current.CancellationToken);
            Assert.True(await Task.WhenAny(trial, Task.Delay(Hang, TestContext.Current.CancellationToken)) == trial, $"mutant {i} hangs");
            (bool wasRefused, long allocated) = await trial;
            Assert.True(allocated < MaximumAllocated, $"mutant {i} allocated {allocated >> 20} MB");
            refused += wasRefused ? 1 : 0;
        }

        // A mutator that breaks everything or nothing would prove little.
        Assert.InRange(refused, mutants / 10, mutants - 1);
    }

    private static (bool Refused, long Allocated) Try(TemporaryFolder folder, ClipSpec spec)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool refused = false;
        try
        {
            ProgramConverter.Convert(PaddleProgram.Read(folder["model.pdmodel"]), new ProgramOptions { Spec = spec }, folder["model.onnx"]);
        }
        catch (KinoraException e) when (e is CheckpointException or ConfigException)
        {
            Assert.DoesNotContain('\n', e.Message);
            Assert.NotNull(e.Path);
            refused = true;
        }

        return (refused, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    // Flipped bits, overwritten, cut out or missing ends.
    private static byte[] Damaged(byte[] intact, ulong seed)
    {
        var random = new CounterRandom(seed, "damage");
        byte[] file = [.. intact];
        int start = random.NextInt32(file.Length);
        int length = Math.Min(file.Length - start, 1 + random.NextInt32(32));
        switch (random.NextInt32(5))
        {
            case 0:
                return file[..start];
            case 1:
                return [.. file[..start], .. file[(start + length)..]];
            case 2:
                file.AsSpan(start, length).Fill((byte)random.NextInt32(256));
                return file;
            default:
                for (int n = 1 + random.NextInt32(4); n > 0; n--)
                {
                    file[random.NextInt32(file.Length)] ^= (byte)(1 << random.NextInt32(8));
                }

                return file;
        }
    }

    // A program that is well formed and wrong.
    private static byte[] Twisted(ProgramDesc original, ulong seed)
    {
        var random = new CounterRandom(seed, "twist");
        ProgramDesc program = original.Clone();
        for (int n = 1 + random.NextInt32(3); n > 0; n--)
        {
            BlockDesc block = program.Blocks[random.NextInt32(program.Blocks.Count)];
            OpDesc op = block.Ops[random.NextInt32(block.Ops.Count)];
            switch (random.NextInt32(8))
            {
                case 0 or 1 or 2 when op.Attrs.Count > 0:
                    Twist(op.Attrs[random.NextInt32(op.Attrs.Count)], random);
                    break;
                case 3 when op.Inputs.Any(input => input.Arguments.Count > 0):
                    op.Inputs.First(input => input.Arguments.Count > 0).Arguments[0] = Other(block, random);
                    break;
                case 4:
                    op.Type = block.Ops[random.NextInt32(block.Ops.Count)].Type;
                    break;
                case 5:
                    block.Ops.Remove(op);
                    break;
                case 6 when op.Outputs.Any(output => output.Arguments.Count > 0):
                    op.Outputs.First(output => output.Arguments.Count > 0).Arguments[0] = Other(block, random);
                    break;
                default:
                {
                    VarDesc variable = program.Blocks[0].Vars[random.NextInt32(program.Blocks[0].Vars.Count)];
                    if (variable.Type?.LodTensor?.Tensor is { Dims.Count: > 0 } tensor)
                    {
                        tensor.Dims[random.NextInt32(tensor.Dims.Count)] = Number(random);
                    }

                    break;
                }
            }
        }

        return program.ToByteArray();
    }

    private static string Other(BlockDesc block, CounterRandom random) =>
        block.Vars.Count > 0 && random.NextBool() ? block.Vars[random.NextInt32(block.Vars.Count)].Name
        : block.Ops[random.NextInt32(block.Ops.Count)].Outputs.SelectMany(output => output.Arguments).LastOrDefault("nothing");

    private static void Twist(AttrDesc attribute, CounterRandom random)
    {
        long number = Number(random);
        switch (random.NextInt32(4))
        {
            case 0 when attribute.Ints.Count > 0:
                attribute.Ints[random.NextInt32(attribute.Ints.Count)] = (int)number;
                break;
            case 1 when attribute.Longs.Count > 0:
                attribute.Longs[random.NextInt32(attribute.Longs.Count)] = number;
                break;
            case 2 when attribute.Ints.Count > 0:
                attribute.Ints.RemoveAt(0);
                break;
            default:
                (attribute.I, attribute.L, attribute.BlockIdx) = ((int)number, number, (int)number);
                attribute.F = random.NextInt32(4) switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => 0, _ => number };
                attribute.B = !attribute.B;
                attribute.S = random.NextBool() ? "NHWC" : "";
                break;
        }
    }

    private static long Number(CounterRandom random) => random.NextInt32(8) switch
    {
        0 => 0,
        1 => -1,
        2 => int.MaxValue,
        3 => int.MinValue,
        4 => long.MaxValue,
        5 => 1 + random.NextInt32(8),
        6 => 1L << random.NextInt32(31),
        _ => random.NextInt32(100_000),
    };
}

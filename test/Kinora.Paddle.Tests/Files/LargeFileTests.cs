using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests.Files;

/// <summary>A file of hundreds of megabytes goes into its network without a second copy in memory.</summary>
[Collection(Alone)]
public sealed class LargeFileTests
{
    private const string Alone = "the process's memory";

    private const int Tensors = 10;
    private const int Megabytes = 32;

    // What the runtime and the reader's buffers may need.
    private const long Slack = 16 << 20;

    [Theory]
    [InlineData(4, false)]
    [InlineData(2, false)]
    [InlineData(4, true)]
    public void Load_FileOf320Megabytes_NeedsTheNetworkAndAtMostOneTensor(int protocol, bool transposed)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/proc/self/clear_refs"), "asks the Linux kernel for the peak of memory");
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        using var network = new WideNetwork();
        string path = folder["large.pdparams"];
        PaddleWeightsWriter.Write(
            path, [.. Enumerable.Range(0, Tensors).Select(i => new PaddleParameter($"layers.{i}.weight", $"linear_{i}.w_0", () => Tensor.Full([WideNetwork.Width, WideNetwork.Width], i + 1.5)))], protocol);
        long size = new FileInfo(path).Length;
        Assert.InRange(size, (long)Tensors * WideNetwork.Width * WideNetwork.Width * sizeof(float), long.MaxValue);

        // What the allocator kept would hide what is needed.
        long kept = Kinora.Tensors.Torch.CacheLimitBytes;
        Kinora.Tensors.Torch.CacheLimitBytes = 0;
        long before = ResetPeak(), extra;
        try
        {
            using PaddleWeights weights = PaddleWeights.Open(path);
            WeightLoader.Load(network, weights, (n, _) => [transposed ? Transposed(WeightNaming.Kinora(n)) : WeightNaming.Kinora(n)], LoadRules.Strict);
            extra = Peak() - before;
        }
        finally
        {
            Kinora.Tensors.Torch.CacheLimitBytes = kept;
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"file {size >> 20} MiB, protocol {protocol}, {(transposed ? "transposed" : "as it is")}: {extra / 1048576.0:0.0} MiB beside the network");
        Assert.True(extra < ((transposed ? Megabytes : 0L) << 20) + Slack, $"{extra >> 20} MiB beside the network");
        Assert.Equal(10.5, network.NamedParameters().Last().Value.Max().ToDouble());
        Assert.Equal(10.5, -(-network.NamedParameters().Last().Value).Max().ToDouble());
    }

    private static WeightNaming Transposed(WeightNaming naming) =>
        naming with { Tensors = [.. naming.Tensors.Select(t => t with { Convert = static value => value.Transpose(0, 1) })] };

    private static long ResetPeak()
    {
        File.WriteAllText("/proc/self/clear_refs", "5");
        return Status("VmRSS:");
    }

    private static long Peak() => Status("VmHWM:");

    private static long Status(string key) =>
        1024 * long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith(key, StringComparison.Ordinal))[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whatever else runs meanwhile would be measured too.</summary>
    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class Nothing;

    /// <summary>Ten square layers of 32 MiB each; it isn't there to compute anything.</summary>
    private sealed class WideNetwork : VideoNetwork
    {
        public const int Width = 2896;

        public WideNetwork()
            : base("wide", Complete(new ModelOptions(2), 1, 32, 0))
        {
            var layers = Add("layers", new Sequential());
            for (int i = 0; i < Tensors; i++)
            {
                layers.Append(new Linear(Width, Width, bias: false));
            }
        }

        public override ClipSpec EvaluationSpec => throw new NotSupportedException();

        public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

        protected override Tensor Score(Tensor clips) => throw new NotSupportedException();
    }
}

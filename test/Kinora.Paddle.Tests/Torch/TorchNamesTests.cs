using System.Text.RegularExpressions;
using Kinora.Models;
using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Paddle.Tests;

/// <summary>Names of PyTorch files against lists written down from each project's code, and loading of generated files.</summary>
public sealed class TorchNamesTests
{
    private const int Classes = 7;
    private static readonly int[] Blocks50 = [3, 4, 6, 3];

    // A quarter of SlowFast's channels: names don't depend on them.
    private static readonly SlowFastOptions Narrow = SlowFastOptions.EightByEight with { Beta = 4, Width = 16 };

    /// <summary>Source, whether convolutions are shifted, wrapper.</summary>
    public static TheoryData<TorchSource, bool, string> ResNets => new()
    {
        { TorchSource.MmAction, false, "" },
        { TorchSource.MmAction, true, "" },
        { TorchSource.MmAction, false, "module." },
        { TorchSource.Torchvision, false, "" },
        { TorchSource.Torchvision, false, "model." },
        { TorchSource.TemporalShiftModule, true, "module." },
        { TorchSource.TemporalShiftModule, false, "" },
    };

    [Theory]
    [MemberData(nameof(ResNets))]
    public void For_ResNet50_KnowsEveryTensor(TorchSource source, bool shifted, string wrapper)
    {
        using VideoNetwork network = new Tsn(new ModelOptions(Classes));
        Dictionary<string, long[]> file = ResNet50(source, shifted).ToDictionary(t => wrapper + t.Name, t => t.Shape);

        TorchNames names = TorchNames.For(network, file.Keys);

        Assert.Equal(source, names.Source);
        AssertSame(file, network, names);
    }

    [Fact]
    public void For_PySlowFast_KnowsEveryTensor()
    {
        // PaddleVideo took over PySlowFast's names but for underscores and the prefix.
        using VideoNetwork network = new SlowFast(new ModelOptions(400), SlowFastOptions.FourBySixteen);
        Dictionary<string, long[]> file = WithBatchCounts(File.ReadLines(SharedData.Require("reference/keys/SlowFast_4x16.tsv"))
            .Select(line => line.Split('\t'))
            .Select(fields => (
                Name: fields[0].Replace("backbone.", "", StringComparison.Ordinal)
                    .Replace("._mean", ".running_mean", StringComparison.Ordinal)
                    .Replace("._variance", ".running_var", StringComparison.Ordinal)
                    .Replace("._", ".", StringComparison.Ordinal),
                Shape: Array.ConvertAll(fields[1].Split('x'), long.Parse)))
            .Select(t => t.Name == "head.projection.weight" ? (t.Name, [t.Shape[1], t.Shape[0]]) : t))
            .ToDictionary(t => t.Name, t => t.Shape);

        TorchNames names = TorchNames.For(network, file.Keys);

        Assert.Equal(TorchSource.PySlowFast, names.Source);
        AssertSame(file, network, names);
    }

    [Theory]
    [InlineData(SlowFastForm.Original, TorchSource.PyTorchVideo)]
    [InlineData(SlowFastForm.MmAction, TorchSource.MmAction)]
    public void For_SlowFast_KnowsEveryTensor(SlowFastForm form, TorchSource source)
    {
        SlowFastOptions shape = Narrow with { Form = form };
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes), shape);
        Dictionary<string, long[]> file = SlowFast(source, shape).ToDictionary(t => t.Name, t => t.Shape);

        TorchNames names = TorchNames.For(network, file.Keys);

        Assert.Equal(source, names.Source);
        AssertSame(file, network, names);
    }

    [Theory]
    [InlineData(CsnBlock.InteractionReduced)]
    [InlineData(CsnBlock.InteractionPreserved)]
    public void For_Csn50_KnowsEveryTensor(CsnBlock block)
    {
        using VideoNetwork network = new Csn(new ModelOptions(Classes), 50, block);
        Dictionary<string, long[]> file = Csn50(block).ToDictionary(t => t.Name, t => t.Shape);

        TorchNames names = TorchNames.For(network, file.Keys);

        Assert.Equal(TorchSource.MmAction, names.Source);
        AssertSame(file, network, names);
    }

    // Formula weights under the file's names: each tensor must arrive in its place, and nothing may be transposed.
    [Theory]
    [InlineData(SlowFastForm.Original)]
    [InlineData(SlowFastForm.MmAction)]
    public void Load_GeneratedFile_FillsTheNetwork(SlowFastForm form)
    {
        using var folder = new TemporaryFolder();
        using var scope = new TensorScope();
        SlowFastOptions shape = Narrow with { Form = form };
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes, 8, 32), shape);
        (string Name, long[] Shape)[] listed = [.. SlowFast(form == SlowFastForm.Original ? TorchSource.PyTorchVideo : TorchSource.MmAction, shape)];
        SafetensorsFile.Save(folder["torch.safetensors"], listed.Select(t => (t.Name, Made(t.Name, t.Shape))), new Dictionary<string, string>());

        using SafetensorsFile file = SafetensorsFile.Open(folder["torch.safetensors"]);
        TorchNames names = TorchNames.For(network, [.. file.Entries.Select(e => e.Name)], file.Path);
        names.Load(network, file.Entries.ToDictionary(e => e.Name, e => file.Read(e.Name)), file.Path);

        var state = network.StateDict().ToDictionary(t => t.Name, t => t.Value);
        Assert.All(names.Tensors, name => Assert.Equal(Made(name.File, [.. name.Shape]).ToArray<float>(), state[name.Kinora].ToArray<float>()));
    }

    [Fact]
    public void Load_MissingAndSuperfluousTensors_AreCountedAndNamed()
    {
        using var scope = new TensorScope();
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes, 8, 32), Narrow);
        var tensors = SlowFast(TorchSource.PyTorchVideo, Narrow).Where(t => !t.Name.StartsWith("blocks.6", StringComparison.Ordinal))
            .ToDictionary(t => t.Name, t => Made(t.Name, t.Shape));
        tensors["optimizer.lr"] = Tensor.Zeros([1]);

        TorchNames names = TorchNames.For(network, tensors.Keys);
        var e = Assert.Throws<CheckpointException>(() => names.Load(network, tensors, "x.safetensors"));

        Assert.Contains("2 tensors missing (such as blocks.6.proj.weight), 1 without a place (such as optimizer.lr)", e.Message, StringComparison.Ordinal);
        Assert.Contains("x.safetensors", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OtherClassCount_NamesTheTensor()
    {
        using var scope = new TensorScope();
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes + 1, 8, 32), Narrow);
        var tensors = SlowFast(TorchSource.PyTorchVideo, Narrow).ToDictionary(t => t.Name, t => Made(t.Name, t.Shape));
        var e = Assert.Throws<CheckpointException>(() => TorchNames.For(network, tensors.Keys).Load(network, tensors));
        Assert.Contains($"blocks.6.proj.weight: expected [{Classes + 1}, 640], found [{Classes}, 640]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void For_MmActionFileAndOriginalForm_SaysWhichNetworkToBuild()
    {
        using VideoNetwork network = new SlowFast(new ModelOptions(Classes), SlowFastOptions.FourBySixteen);
        string[] keys = [.. SlowFast(TorchSource.MmAction, SlowFastOptions.FourBySixteen).Select(t => t.Name)];
        var e = Assert.Throws<CheckpointException>(() => TorchNames.For(network, keys));
        Assert.Contains("build slowfast_4x16_r50_mm", e.Message, StringComparison.Ordinal);
        Assert.Contains("s1.pathway0_stem.conv.weight (PySlowFast)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void For_NetworkThatPyTorchFilesDoNotExistOf_IsRefused()
    {
        using VideoNetwork network = ModelCatalog.Create("pptsmv2", new ModelOptions(Classes));
        Assert.False(TorchNames.Supports(network));
        Assert.Throws<ConfigException>(() => TorchNames.For(network, ["conv1.weight"]));
    }

    // Every tensor of the file has a place, every place a tensor of its shape.
    private static void AssertSame(Dictionary<string, long[]> file, VideoNetwork network, TorchNames names)
    {
        static string Line(string name, IEnumerable<long> shape) => $"{name} {string.Join('x', shape)}";
        Assert.Equal(
            file.Where(t => !t.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).Select(t => Line(t.Key, t.Value)).Order(StringComparer.Ordinal),
            names.Tensors.Select(t => Line(t.File, t.Shape)).Order(StringComparer.Ordinal));
        Assert.Equal(file.Keys.Where(k => k.EndsWith("num_batches_tracked", StringComparison.Ordinal)), names.Ignorable);
        Assert.Equal(network.StateDict().Select(t => Line(t.Name, t.Value.Shape.ToArray())), names.Tensors.Select(t => Line(t.Kinora, t.Shape)));
    }

    private static Tensor Made(string name, long[] shape) => name.EndsWith("num_batches_tracked", StringComparison.Ordinal)
        ? Tensor.From<long>([1000], [])
        : Tensor.From<float>(Array.ConvertAll(GoldenFormula.Weight(name, shape), v => (float)v), shape);

    private static IEnumerable<(string Name, long[] Shape)> ResNet50(TorchSource source, bool shifted)
    {
        bool mm = source == TorchSource.MmAction;
        string backbone = source switch { TorchSource.MmAction => "backbone.", TorchSource.Torchvision => "", _ => "base_model." };
        var layers = new List<(string Conv, string Norm, long[] Weight)> { (mm ? "conv1.conv" : "conv1", mm ? "conv1.bn" : "bn1", [64, 3, 7, 7]) };
        long inputs = 64;
        for (int stage = 1; stage <= 4; stage++)
        {
            long width = 32L << stage;
            for (int block = 0; block < Blocks50[stage - 1]; block++)
            {
                string at = $"layer{stage}.{block}";
                long[][] weights = [[width, inputs, 1, 1], [width, width, 3, 3], [4 * width, width, 1, 1]];
                for (int i = 1; i <= 3; i++)
                {
                    string conv = $"{at}.conv{i}{(mm ? ".conv" : "")}{(shifted && i == 1 ? ".net" : "")}";
                    layers.Add((conv, mm ? $"{at}.conv{i}.bn" : $"{at}.bn{i}", weights[i - 1]));
                }

                if (block == 0)
                {
                    layers.Add(($"{at}.downsample.{(mm ? "conv" : "0")}", $"{at}.downsample.{(mm ? "bn" : "1")}", [4 * width, inputs, 1, 1]));
                }

                inputs = 4 * width;
            }
        }

        string head = source switch { TorchSource.MmAction => "cls_head.fc_cls", TorchSource.Torchvision => "fc", _ => "new_fc" };
        return [.. layers.SelectMany(l => Layer(backbone + l.Conv, backbone + l.Norm, l.Weight)), ($"{head}.weight", [Classes, 2048]), ($"{head}.bias", [Classes])];
    }

    private static IEnumerable<(string Name, long[] Shape)> SlowFast(TorchSource source, SlowFastOptions o)
    {
        bool mm = source == TorchSource.MmAction;
        var tensors = new List<(string, long[])>();
        (string Path, long Width, long StemKernel, int[] Kernels)[] paths =
            [("slow", o.Width, 1, [1, 1, 3, 3]), ("fast", o.Width / o.Beta, 5, [3, 3, 3, 3])];
        for (int p = 0; p < 2; p++)
        {
            (string path, long width, long stemKernel, int[] kernels) = paths[p];
            string stem = mm ? $"backbone.{path}_path.conv1" : $"blocks.0.multipathway_blocks.{p}";
            tensors.AddRange(Layer($"{stem}.conv", mm ? $"{stem}.bn" : $"{stem}.norm", [width, 3, stemKernel, 7, 7]));
            long outputs = width;
            for (int stage = 1; stage <= 4; stage++)
            {
                // The slow path reads what came over from the fast one as well.
                long inputs = p == 0 ? outputs + (o.FusionRatio * outputs / o.Beta) : outputs;
                long inner = width << (stage - 1);
                for (int block = 0; block < Blocks50[stage - 1]; block++)
                {
                    string at = mm ? $"backbone.{path}_path.layer{stage}.{block}" : $"blocks.{stage}.multipathway_blocks.{p}.res_blocks.{block}";
                    long[][] weights = [[inner, inputs, kernels[stage - 1], 1, 1], [inner, inner, 1, 3, 3], [4 * inner, inner, 1, 1, 1]];
                    for (int i = 0; i < 3; i++)
                    {
                        tensors.AddRange(mm
                            ? Layer($"{at}.conv{i + 1}.conv", $"{at}.conv{i + 1}.bn", weights[i])
                            : Layer($"{at}.branch2.conv_{"abc"[i]}", $"{at}.branch2.norm_{"abc"[i]}", weights[i]));
                    }

                    if (block == 0)
                    {
                        tensors.AddRange(mm
                            ? Layer($"{at}.downsample.conv", $"{at}.downsample.bn", [4 * inner, inputs, 1, 1, 1])
                            : Layer($"{at}.branch1_conv", $"{at}.branch1_norm", [4 * inner, inputs, 1, 1, 1]));
                    }

                    inputs = 4 * inner;
                }

                outputs = 4 * inner;
            }
        }

        for (int stage = 0; stage <= 3; stage++)
        {
            long channels = (stage == 0 ? o.Width : 4L * o.Width << (stage - 1)) / o.Beta;
            long[] weight = [o.FusionRatio * channels, channels, o.FusionKernel, 1, 1];
            if (mm)
            {
                tensors.Add(($"backbone.slow_path.{(stage == 0 ? "conv1" : $"layer{stage}")}_lateral.conv.weight", weight));
            }
            else
            {
                tensors.AddRange(Layer($"blocks.{stage}.multipathway_fusion.conv_fast_to_slow", $"blocks.{stage}.multipathway_fusion.norm", weight));
            }
        }

        string head = mm ? "cls_head.fc_cls" : "blocks.6.proj";
        return [.. tensors, ($"{head}.weight", [Classes, 32L * o.Width * (o.Beta + 1) / o.Beta]), ($"{head}.bias", [Classes])];
    }

    private static IEnumerable<(string Name, long[] Shape)> Csn50(CsnBlock block)
    {
        var tensors = new List<(string, long[])>(Layer("backbone.conv1.conv", "backbone.conv1.bn", [64, 3, 3, 7, 7]));
        void Module(string at, params long[] weight) => tensors.AddRange(Layer($"backbone.{at}.conv", $"backbone.{at}.bn", weight));
        long inputs = 64;
        for (int stage = 1; stage <= 4; stage++)
        {
            long width = 32L << stage;
            for (int i = 0; i < Blocks50[stage - 1]; i++)
            {
                string at = $"layer{stage}.{i}";
                Module($"{at}.conv1", width, inputs, 1, 1, 1);
                if (block == CsnBlock.InteractionPreserved)
                {
                    Module($"{at}.conv2.0", width, width, 1, 1, 1);
                    Module($"{at}.conv2.1", width, 1, 3, 3, 3);
                }
                else
                {
                    Module($"{at}.conv2.0", width, 1, 3, 3, 3);
                }

                Module($"{at}.conv3", 4 * width, width, 1, 1, 1);
                if (i == 0)
                {
                    Module($"{at}.downsample", 4 * width, inputs, 1, 1, 1);
                }

                inputs = 4 * width;
            }
        }

        return [.. tensors, ("cls_head.fc_cls.weight", [Classes, 2048]), ("cls_head.fc_cls.bias", [Classes])];
    }

    private static IEnumerable<(string Name, long[] Shape)> Layer(string conv, string norm, long[] weight) =>
    [
        ($"{conv}.weight", weight),
        ($"{norm}.weight", [weight[0]]),
        ($"{norm}.bias", [weight[0]]),
        ($"{norm}.running_mean", [weight[0]]),
        ($"{norm}.running_var", [weight[0]]),
        ($"{norm}.num_batches_tracked", []),
    ];

    private static IEnumerable<(string Name, long[] Shape)> WithBatchCounts(IEnumerable<(string Name, long[] Shape)> tensors) => tensors.SelectMany(t =>
        Regex.IsMatch(t.Name, @"\.running_var$") ? [t, (t.Name.Replace("running_var", "num_batches_tracked", StringComparison.Ordinal), [])] : new[] { t });
}

using Kinora.Tensors;
using Kinora.Testing;

namespace Kinora.Models.Tests;

public sealed class VideoSwinTests
{
    private static readonly VideoSwinOptions Small = new(8, [2, 2, 2], [1, 2, 4]);

    [Theory]
    [InlineData(1, 32)]
    [InlineData(4, 100)]
    [InlineData(6, 75)]
    [InlineData(16, 64)]
    [InlineData(20, 33)]
    public void Forward_AnyFramesAndSize_AnswersEachClipByItself(int frames, int size)
    {
        using var scope = new TensorScope();
        using VideoSwin network = Filled(new ModelOptions(101));
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clip(2, frames, size, size + 3);

        double[] together = network.Forward(clips).ToArray<double>();

        Assert.Equal(202, together.Length);
        for (int i = 0; i < 2; i++)
        {
            Near(network.Forward(clips.Slice(0, i, i + 1)).ToArray<double>(), together[(101 * i)..(101 * (i + 1))]);
        }
    }

    [Fact]
    public void Forward_SeveralViews_AveragesProbabilities()
    {
        using var scope = new TensorScope();
        using VideoSwin network = Filled(new ModelOptions(5, 4));
        using IDisposable noGrad = Grad.Disable();
        Tensor clips = Clip(2, 12, 40, 32);

        double[] together = network.Forward(clips).Softmax(1).ToArray<double>();

        double[][] views = [.. Enumerable.Range(0, 3).Select(v => network.Forward(clips.Slice(1, 4 * v, 4 * (v + 1))).Softmax(1).ToArray<double>())];
        Near([.. together.Select((_, i) => views.Average(view => view[i]))], together);
        Assert.Throws<ShapeException>(() => network.Forward(Clip(1, 6, 32, 32)));
    }

    // In one stage of one shifted block, what a token sees is found by moving its input and watching the others: a token
    // sees exactly those of its window after the roll that lie in its part of the grid before it.
    [Fact]
    public void Forward_ShiftedWindows_SeeOnlyTrueNeighbours()
    {
        using var scope = new TensorScope();
        var shape = new VideoSwinOptions(8, [2], [2], Patch: (1, 4, 4), Window: (2, 3, 3), DropPath: 0);
        using VideoSwin network = Filled(new ModelOptions(3, 4, 32), shape);
        using IDisposable noGrad = Grad.Disable();
        Silence(network, "stages.0.blocks.0.");
        Tensor still = Clip(1, 4, 32, 32);
        double[][] before = Tokens(network, still);
        (int Time, int Row, int Column)[] moved = [(0, 0, 0), (1, 2, 7), (2, 4, 4), (3, 7, 7), (0, 6, 1), (3, 1, 5)];
        foreach ((int Time, int Row, int Column) token in moved)
        {
            double[] clip = still.ToArray<double>();
            for (int pixel = 0; pixel < 3 * 4 * 4; pixel++)
            {
                clip[(((((token.Time * 3) + (pixel / 16)) * 32) + (4 * token.Row) + (pixel / 4 % 4)) * 32) + (4 * token.Column) + (pixel % 4)] += 1 + pixel;
            }

            double[][] after = Tokens(network, Tensor.From<double>(clip, [1, 4, 3, 32, 32]));
            var seers = new List<(int, int, int)>();
            var expected = new List<(int, int, int)>();
            for (int i = 0; i < 4 * 8 * 8; i++)
            {
                (int Time, int Row, int Column) other = (i / 64, i / 8 % 8, i % 8);
                if (before[i].Zip(after[i], (a, b) => Math.Abs(a - b)).Max() > 1e-9)
                {
                    seers.Add(other);
                }

                if (Cell(other.Time, 4, 2, 1) == Cell(token.Time, 4, 2, 1) && Cell(other.Row, 9, 3, 1) == Cell(token.Row, 9, 3, 1) && Cell(other.Column, 9, 3, 1) == Cell(token.Column, 9, 3, 1))
                {
                    expected.Add(other);
                }
            }

            Assert.Equal(expected, seers);
        }

        // Cuts at shift, shift + window and so on: the first cell is what the roll takes to the end.
        static int Cell(int place, int size, int window, int shift) => place < shift ? -1 : Math.Min((place - shift) / window, (size - 1) / window);
    }

    [Fact]
    public void RuleFor_NormsAndBiasTables_AreNotDecayed()
    {
        using VideoSwin network = Filled(new ModelOptions(5));
        Assert.Equal(new ParameterRule(10), network.RuleFor("fc.bias"));
        Assert.Equal(ParameterRule.Default, network.RuleFor("stages.0.blocks.0.mlp.expand.bias"));
        Assert.All(
            network.NamedParameters().Where(p => p.Name.Contains("norm", StringComparison.Ordinal) || p.Name.EndsWith("position_bias", StringComparison.Ordinal)),
            p => Assert.Equal(ParameterRule.NoDecay, network.RuleFor(p.Name)));
    }

    [Fact]
    public void Create_ShapeOutOfRange_NamesIt()
    {
        Refused("heads", Small with { Heads = [1, 2] });
        Refused("width", Small with { Heads = [3, 2, 4] });
        Refused("depths", Small with { Depths = [2, 0, 2] });
        Refused("window", Small with { Window = (8, 0, 7) });

        static void Refused(string key, VideoSwinOptions shape)
        {
            var e = Assert.Throws<ConfigException>(() => new VideoSwin("videoswin_t", new ModelOptions(5), shape));
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
        }
    }

    private static VideoSwin Filled(ModelOptions options, VideoSwinOptions? shape = null)
    {
        var network = new VideoSwin("videoswin_t", options, shape ?? Small);
        network.To(DType.Float64);
        network.Eval();
        using IDisposable noGrad = Grad.Disable();
        foreach ((string name, Tensor value) in network.NamedParameters())
        {
            value.CopyFrom<double>(GoldenFormula.Weight(name, [.. value.Shape]));
        }

        return network;
    }

    // Makes a block the identity.
    private static void Silence(VideoSwin network, string block)
    {
        foreach ((_, Tensor value) in network.NamedParameters().Where(p => p.Name.StartsWith(block, StringComparison.Ordinal) && p.Name.Contains(".project.", StringComparison.Ordinal)))
        {
            value.FillInPlace(0);
        }
    }

    // The features of each token behind the only stage.
    private static double[][] Tokens(VideoSwin network, Tensor clip)
    {
        using var watch = new LayerWatch(network, name => name == "stages.0");
        network.Forward(clip);
        return [.. watch.Outputs["stages.0"].Permute(0, 2, 3, 4, 1).Contiguous().ToArray<double>().Chunk(8)];
    }

    private static Tensor Clip(int count, int frames, int height, int width) =>
        Tensor.From<double>(GoldenFormula.Clip(count, frames, 3, height, width), [count, frames, 3, height, width]);

    private static void Near(double[] expected, double[] found) => Tolerance.Close(expected, found, 1e-12, "scores");
}

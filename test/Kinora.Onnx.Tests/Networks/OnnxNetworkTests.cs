using Kinora.Testing;

namespace Kinora.Onnx.Tests.Networks;

public sealed class OnnxNetworkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyNetwork _tiny = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    [InlineData(9, 2)] // more than one part
    public void Run_AnyBatch_EqualsHandComputedLogits(int views, int threads)
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), threads);
        using NetworkBatch batch = network.Rent(views);
        TinyNetwork.Values("clip", batch.Clips.Length, 1).CopyTo(batch.Clips);

        batch.Run(TestContext.Current.CancellationToken);

        for (int v = 0; v < views; v++)
        {
            AssertLogits(_tiny.Logits(batch.Clips.Slice(v * network.FloatsPerView, network.FloatsPerView)), batch.Logits.Slice(v * _tiny.Classes, _tiny.Classes));
        }
    }

    [Fact]
    public void Load_Model_TellsShapes()
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), 1);

        Assert.Equal([4, 3, 8, 8], network.ViewShape);
        Assert.Equal((_tiny.FloatsPerView, _tiny.Classes, 1), (network.FloatsPerView, network.Classes, network.Threads));
    }

    [Fact]
    public void Run_FixedBatchOfTwo_CutsAndRefusesTheRest()
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer(batch: 2).Save(_folder["m.onnx"]), 1);
        using NetworkBatch batch = network.Rent(6);
        TinyNetwork.Values("clip", batch.Clips.Length, 1).CopyTo(batch.Clips);
        batch.Run(TestContext.Current.CancellationToken);

        AssertLogits(_tiny.Logits(batch.Clips[(5 * network.FloatsPerView)..]), batch.Logits[(5 * _tiny.Classes)..]);
        Assert.Contains("multiple of 2 views", Assert.Throws<ShapeException>(() => network.Rent(3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_SteadyState_AllocatesNothing()
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), 2);
        for (int i = 0; i < 3; i++)
        {
            Cycle(network);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            Cycle(network);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Cycle(OnnxNetwork network)
        {
            using NetworkBatch batch = network.Rent(2);
            batch.Clips.Fill(0.25f);
            batch.Run(default);
        }
    }

    [Fact]
    public void Run_EightThreads_SameBitsAsOne()
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), 2);
        float[][] inputs = [.. Enumerable.Range(0, 8).Select(i => TinyNetwork.Values($"clip {i}", network.FloatsPerView, 1))];
        float[][] expected = [.. inputs.Select(Run)];
        var differing = 0;

        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                int which = (t + i) % 8;
                if (!Run(inputs[which]).AsSpan().SequenceEqual(expected[which]))
                {
                    Interlocked.Increment(ref differing);
                }
            }
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());

        Assert.Equal(0, differing);

        float[] Run(float[] input)
        {
            using NetworkBatch batch = network.Rent(1);
            input.CopyTo(batch.Clips);
            batch.Run(default);
            return batch.Logits.ToArray();
        }
    }

    [Fact]
    public void Run_Cancelled_Throws()
    {
        using OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), 1);
        using NetworkBatch batch = network.Rent(1);

        Assert.Throws<OperationCanceledException>(() => batch.Run(new CancellationToken(canceled: true)));
    }

    [Fact]
    public void Dispose_BatchStillOut_BatchStillRuns()
    {
        OnnxNetwork network = OnnxNetwork.Load(_tiny.Writer().Save(_folder["m.onnx"]), 1);
        using (NetworkBatch batch = network.Rent(1))
        {
            batch.Clips.Clear();
            network.Dispose();
            batch.Run(TestContext.Current.CancellationToken);
            AssertLogits(_tiny.Logits(batch.Clips), batch.Logits);
        }

        Assert.Throws<ObjectDisposedException>(() => network.Rent(1));
    }

    public static TheoryData<string, string> WrongGraphs => new()
    {
        { "two inputs", "expected one input, found 2" },
        { "integer input", "expected input 'clips' to be a float32 tensor, found Int64" },
        { "open sizes", "fixed sizes behind N, found [N, 4, 3, ?, ?]" },
        { "three axes", "expected output 'logits' to be [N, classes], found [N, 3, 4]" },
        { "unknown operator", "ONNX Runtime refuses it" },
    };

    [Theory]
    [MemberData(nameof(WrongGraphs))]
    public void Load_WrongGraph_SaysWhatIsExpected(string what, string expected)
    {
        OnnxModelWriter writer = what switch
        {
            "two inputs" => new OnnxModelWriter().Input("a", -1, 3).Input("b", -1, 3).Node("Add", ["a", "b"], "logits").Output("logits", -1, 3),
            "integer input" => new OnnxModelWriter().Input("clips", 7, [-1, 3]).Node("Cast", ["clips"], "logits", ("to", 1L)).Output("logits", -1, 3),
            "open sizes" => new OnnxModelWriter().Input("clips", -1, 4, 3, -1, -1).Node("GlobalMaxPool", ["clips"], "g").Node("Flatten", ["g"], "logits").Output("logits", -1, 4),
            "three axes" => new OnnxModelWriter().Input("clips", -1, 3, 4).Node("Relu", ["clips"], "logits").Output("logits", -1, 3, 4),
            _ => new OnnxModelWriter().Input("clips", -1, 3).Node("NoSuchOperator", ["clips"], "logits").Output("logits", -1, 3),
        };

        CheckpointException e = Assert.Throws<CheckpointException>(() => OnnxNetwork.Load(writer.Save(_folder["m.onnx"]), 1));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.EndsWith($"[{_folder["m.onnx"]}]", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void AssertLogits(double[] expected, ReadOnlySpan<float> actual)
    {
        for (int k = 0; k < expected.Length; k++)
        {
            Assert.Equal(expected[k], actual[k], 1e-5);
        }
    }
}

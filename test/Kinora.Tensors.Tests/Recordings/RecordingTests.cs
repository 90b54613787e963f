namespace Kinora.Tensors.Tests.Recordings;

/// <summary>A recorded forward pass can be played back to the same bits.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly TensorScope _scope = new();

    private sealed class Net : Module
    {
        private readonly Conv2d _conv;
        private readonly BatchNorm _norm;
        private readonly Linear _head;

        public Net()
        {
            _conv = Add("conv", new Conv2d(3, 8, 3, stride: 2, padding: 1));
            _norm = Add("norm", new BatchNorm(8));
            _head = Add("head", new Linear(8, 5));
            Initializers.KaimingNormal(_conv.Weight, new CounterRandom(1, "c"));
            Initializers.KaimingNormal(_head.Weight, new CounterRandom(1, "h"));
        }

        public Tensor Forward(Tensor x)
        {
            x = _norm.Forward(_conv.Forward(x)).Relu6();
            Tensor first = x.Slice(1, 0, 4).Roll(1, 0);
            x = Tensor.Concat([first, x.Slice(1, 4)], 1).AddInPlace(x).Hardswish();
            x = F.MaxPool2d(x, [2, 2], [2, 2]);
            return _head.Forward(F.AdaptiveAvgPool2d(x).Flatten(1)).Softmax(1);
        }
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Start_ForwardPass_KnowsEveryTensorAndReplays()
    {
        using var net = new Net();
        net.Eval();
        Tensor x = Tensor.Zeros([2, 3, 16, 16]);
        Initializers.Normal(x, new CounterRandom(1, "x"), 1);
        using var recording = Recording.Start();
        int input = recording.Bind(x);
        var known = net.StateDict().Select(item => recording.Bind(item.Value)).Append(input).ToHashSet();
        Tensor y;
        using (new TensorScope())
        {
            y = net.Forward(x).EscapeScope();
        }

        recording.Stop();
        _ = y + 1;
        float[] expected = y.ToArray<float>();

        // Every argument is the input, part of the state, or the output of an earlier call.
        foreach (RecordedCall call in recording.Calls)
        {
            Assert.All(TensorsOf(call), id => Assert.Contains(id, known));
            known.UnionWith(call.Outputs);
        }

        Assert.Equal(recording.IdOf(y), recording.Calls[^1].Outputs[0]);
        Assert.Null(recording.IdOf(Tensor.Zeros([1])));
        Assert.Equal(["aten::conv2d", "aten::batch_norm", "aten::hardtanh", "aten::slice", "aten::roll", "aten::slice", "aten::cat", "aten::add_", "aten::hardswish", "aten::max_pool2d", "aten::adaptive_avg_pool2d", "aten::flatten", "aten::linear", "aten::softmax"], recording.Calls.Select(call => call.Operator));

        var values = new Dictionary<int, Tensor>();
        foreach (RecordedCall call in recording.Calls)
        {
            Argument[] arguments = [.. call.Arguments.Select(argument => Replayed(argument, values, recording))];
            string name = call.Overload.Length == 0 ? call.Operator : $"{call.Operator}.{call.Overload}";
            values[call.Outputs[0]] = Torch.Call(name, arguments);
        }

        Assert.Equal(expected, values[recording.Calls[^1].Outputs[0]].ToArray<float>());
        y.Dispose();
    }

    [Fact]
    public void Calls_DefaultsAndScalars_AreFilledIn()
    {
        Tensor x = Tensor.Ones([1, 2, 8, 8]), w = Tensor.Ones([4, 1, 3, 3]);
        using var recording = Recording.Start();
        Torch.Call("conv2d", x, w, Argument.None, 2, Argument.Default, 1, 2);
        RecordedCall call = recording.Calls.Single();

        Assert.Equal(["input", "weight", "bias", "stride", "padding", "dilation", "groups"], call.Arguments.Select(a => a.Name));
        Assert.Equal([2L, 2], call["stride"].Ints);
        Assert.Equal([0L, 0], call["padding"].Ints);
        Assert.Equal([1L, 1], call["dilation"].Ints);
        Assert.Equal(2, call["groups"].Int);
        Assert.True(call["bias"].IsNone);
        Assert.Equal("[4, 1, 3, 3]", recording.Tensor(call["weight"].TensorId).ToString());
        Assert.Throws<KeyNotFoundException>(() => call["strides"]);
    }

    [Fact]
    public void Calls_EachKindOfArgument_IsKept()
    {
        Tensor x = Tensor.Ones([2, 3]);
        using var recording = Recording.Start();
        x.Clamp(-1, null);
        x.Mean([0, 1], true);
        x.To(DType.Float64);
        x.LeakyRelu(0.25);
        Torch.Call("add.Tensor", x, 3);
        Torch.CallAll("split_with_sizes", x, new long[] { 1, 2 }, 1);
        Torch.Call("gelu", x);

        Assert.Equal(-1, recording.Calls[0]["min"].Number);
        Assert.True(recording.Calls[0]["max"].IsNone);
        Assert.Equal([0L, 1], recording.Calls[1]["dim"].Ints);
        Assert.True(recording.Calls[1]["keepdim"].Bool);
        Assert.Equal((long)DType.Float64, recording.Calls[2]["dtype"].Int);
        Assert.False(recording.Calls[2]["copy"].Bool);
        Assert.Equal(0.25, recording.Calls[3]["negative_slope"].Double);
        Assert.Equal(3, recording.Calls[4]["other"].Int);
        Assert.Equal(1, recording.Calls[4]["alpha"].Number);
        Assert.Equal(2, recording.Calls[5].Outputs.Count);
        Assert.Equal("none", recording.Calls[6]["approximate"].String);
    }

    [Fact]
    public void Outputs_InPlace_KeepTheId()
    {
        Tensor x = Tensor.Ones([2]);
        using var recording = Recording.Start();
        x.AddInPlace(x);
        Assert.Equal(recording.Calls[0]["self"].TensorId, recording.Calls[0].Outputs[0]);
    }

    [Fact]
    public void Dispose_Recording_GivesTensorsBack()
    {
        long before = Torch.LiveTensors;
        using (var recording = Recording.Start())
        {
            using var scope = new TensorScope();
            Tensor x = Tensor.Ones([2]);
            for (int i = 0; i < 10; i++)
            {
                x = x + 1;
            }
        }

        Assert.Equal(before, Torch.LiveTensors);
        using var again = Recording.Start();
        Assert.Throws<InvalidOperationException>(() => Recording.Start());
    }

    private static IEnumerable<int> TensorsOf(RecordedCall call) =>
        call.Arguments.Where(a => a.Kind == RecordedKind.Tensor).Select(a => a.TensorId)
            .Concat(call.Arguments.SelectMany(a => a.TensorIds));

    private static Argument Replayed(RecordedArgument argument, Dictionary<int, Tensor> values, Recording recording)
    {
        return argument.Kind switch
        {
            RecordedKind.Tensor => Find(argument.TensorId),
            RecordedKind.Tensors => argument.TensorIds.Select(Find).ToArray(),
            RecordedKind.Int => argument.Int,
            RecordedKind.Double => argument.Double,
            RecordedKind.Bool => argument.Bool,
            RecordedKind.String => argument.String,
            RecordedKind.Ints => argument.Ints.ToArray(),
            RecordedKind.Doubles => argument.Doubles.ToArray(),
            _ => Argument.None,
        };

        // In-place operators must not touch what the recording holds.
        Tensor Find(int id) => values.TryGetValue(id, out Tensor? value) ? value : recording.Tensor(id);
    }
}

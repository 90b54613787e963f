namespace Kinora.Tensors.Tests.Modules;

/// <summary>Registration, names, state and conversion of modules.</summary>
public sealed class ModuleTests : IDisposable
{
    private readonly TensorScope _scope = new();

    private sealed class Block : UnaryModule
    {
        public Block(bool second)
        {
            Conv = Add("conv", new Conv2d(2, 4, 3, padding: 1, bias: true));
            Norm = Add("norm", new BatchNorm(4));
            Scale = AddParameter("scale", Tensor.Ones([1]));
            Tail = second ? Add("tail", new Sequential(new Conv2d(4, 4, 1), Activation.Relu(), new Dropout(0.5))) : null;
        }

        public Conv2d Conv { get; }

        public BatchNorm Norm { get; }

        public Tensor Scale { get; }

        public Sequential? Tail { get; private set; }

        public void DropTail()
        {
            Remove("tail");
            Tail = null;
        }

        public void Twice() => Add("conv", new Conv2d(1, 1, 1));

        public void Dotted() => AddParameter("a.b", Tensor.Ones([1]));

        protected override Tensor Compute(Tensor x)
        {
            x = Norm.Forward(Conv.Forward(x)) * Scale;
            return Tail is null ? x : Tail.Forward(x);
        }
    }

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void StateDict_NestedModules_NamesInOrderOfRegistration()
    {
        using var block = new Block(second: true);
        Assert.Equal(
            ["scale", "conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "tail.0.weight"],
            block.StateDict().Select(item => item.Name));
        Assert.Equal(
            ["scale", "conv.weight", "conv.bias", "norm.weight", "norm.bias", "tail.0.weight"],
            block.NamedParameters().Select(item => item.Name));
        Assert.Equal(["norm.running_mean", "norm.running_var"], block.NamedBuffers().Select(item => item.Name));
        Assert.Equal(["", "conv", "norm", "tail", "tail.0", "tail.1", "tail.2"], block.NamedModules().Select(item => item.Name));
        Assert.Equal(1 + 72 + 4 + 8 + 16, block.CountParameters());
        Assert.All(block.NamedParameters(), item => Assert.True(item.Value.RequiresGrad));
    }

    [Fact]
    public void Add_TakenOrDottedName_Throws()
    {
        using var block = new Block(second: false);
        Assert.Throws<ArgumentException>(block.Twice);
        Assert.Throws<ArgumentException>(block.Dotted);
    }

    [Fact]
    public void Train_Module_ReachesChildren()
    {
        using var block = new Block(second: true);
        block.Eval();
        Assert.All(block.NamedModules(), item => Assert.False(item.Module.IsTraining));
        block.Train();
        Assert.All(block.NamedModules(), item => Assert.True(item.Module.IsTraining));
    }

    [Fact]
    public void LoadStateDict_OwnState_CopiesValuesAndConverts()
    {
        using var a = new Block(second: true);
        using var b = new Block(second: true);
        Initializers.Normal(a.Conv.Weight, new CounterRandom(1, "w"), 1);
        b.LoadStateDict(a.StateDict().Select(item => (item.Name, item.Value.To(DType.Float64))));
        Assert.Equal(a.Conv.Weight.ToArray<float>(), b.Conv.Weight.ToArray<float>());
        Assert.True(b.Conv.Weight.RequiresGrad);
    }

    [Fact]
    public void LoadStateDict_Misfits_ListsAllAndChangesNothing()
    {
        using var block = new Block(second: false);
        (string, Tensor)[] state =
        [
            ("scale", Tensor.Full([1], 5)),
            ("conv.weight", Tensor.Ones([4, 2, 5, 5])),
            ("extra", Tensor.Ones([1])),
        ];
        var e = Assert.Throws<CheckpointException>(() => block.LoadStateDict(state));
        Assert.Contains("missing 5: conv.bias, norm.weight", e.Message);
        Assert.Contains("unknown 1: extra", e.Message);
        Assert.Contains("conv.weight (expected [4, 2, 3, 3], found [4, 2, 5, 5])", e.Message);
        Assert.Equal(1, block.Scale.ToDouble());

        block.LoadStateDict([state[0], state[2]], strict: false);
        Assert.Equal(5, block.Scale.ToDouble());
        Assert.Throws<CheckpointException>(() => block.LoadStateDict([state[1]], strict: false));
    }

    [Fact]
    public void To_Float64_KeepsObjectsAndWorks()
    {
        using var block = new Block(second: false);
        Tensor weight = block.Conv.Weight, mean = block.Norm.RunningMean;
        block.To(DType.Float64);
        Assert.Same(weight, block.Conv.Weight);
        Assert.Equal(DType.Float64, weight.DType);
        Assert.Equal(DType.Float64, mean.DType);
        Assert.True(weight.RequiresGrad);
        Assert.False(mean.RequiresGrad);
        Assert.Equal(DType.Float64, block.Forward(Tensor.Ones([1, 2, 4, 4], DType.Float64)).DType);
        Assert.Throws<ArgumentException>(() => block.To(DType.Int64));
    }

    [Fact]
    public void ToMemoryFormat_ChannelsLast_GivesTheSameNumbers()
    {
        using var block = new Block(second: true);
        block.Eval();
        Initializers.Normal(block.Conv.Weight, new CounterRandom(1, "w"), 1);
        Tensor x = Tensor.Zeros([2, 2, 5, 5]);
        Initializers.Normal(x, new CounterRandom(1, "x"), 1);
        float[] before = block.Forward(x).ToArray<float>();
        block.ToMemoryFormat(MemoryFormat.ChannelsLast);
        Assert.True(block.Conv.Weight.IsChannelsLast);
        Assert.True(block.Conv.Weight.RequiresGrad);
        Tensor y = block.Forward(x.Contiguous(MemoryFormat.ChannelsLast));
        Assert.True(y.IsChannelsLast);
        Assert.All(before.Zip(y.ToArray<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Remove_Child_DisposesItAndItsNames()
    {
        using var block = new Block(second: true);
        Tensor weight = ((Conv2d)block.Tail![0]).Weight;
        block.DropTail();
        Assert.True(weight.IsDisposed);
        Assert.DoesNotContain(block.StateDict(), item => item.Name.StartsWith("tail", StringComparison.Ordinal));
    }

    [Fact]
    public void Constructor_InsideScope_ParametersOutliveIt()
    {
        Block block;
        using (new TensorScope())
        {
            block = new Block(second: true);
        }

        Assert.All(block.StateDict(), item => Assert.False(item.Value.IsDisposed));
        Tensor scale = block.Scale;
        block.Dispose();
        Assert.True(scale.IsDisposed);
    }

    [Fact]
    public void OutputObserver_Child_SeesItsOutput()
    {
        using var block = new Block(second: false);
        var shapes = new List<string>();
        block.Conv.OutputObserver = output => shapes.Add(output.ToString());
        block.Forward(Tensor.Ones([1, 2, 4, 4]));
        Assert.Equal(["[1, 4, 4, 4]"], shapes);
    }
}

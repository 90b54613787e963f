using System.Globalization;
using Kinora;
using Kinora.Tensors;

// One rank of a small float64 training, as a process of its own: tests start several, and one alone to compare.
//   Kinora.Ranks STEPS JOINT-BATCH
// Prints the loss of every step, the same in all ranks, then "weights" and a checksum.
int steps = int.Parse(args[0], CultureInfo.InvariantCulture), joint = int.Parse(args[1], CultureInfo.InvariantCulture);
Torch.Threads = 1;
try
{
    using DistributedContext context = DistributedContext.Connect(Rendezvous.FromEnvironment());
    using var net = new Net();
    net.To(DType.Float64);
    context.Synchronize(net);
    using GradientReducer? reducer = context.ReduceGradients(net.NamedParameters(), bucketBytes: 2048);
    using var optimizer = new Sgd([new ParameterGroup([.. net.NamedParameters()], 1, 1e-4)], 0.9, nesterov: true);
    int count = joint / context.Size, first = context.Rank * count;
    for (int step = 0; step < steps; step++)
    {
        using var scope = new TensorScope();
        var random = new CounterRandom(11, 0, step, "pixels");
        double[] pixels = [.. Enumerable.Range(0, joint * 3 * 64).Select(_ => random.NextNormal())];
        Tensor x = Tensor.From<double>(pixels.AsSpan(first * 192, count * 192), [count, 3, 8, 8]);
        Tensor labels = Tensor.From<long>([.. Enumerable.Range(first, count).Select(i => ((i * 5L) + step) % 4)]);
        net.SetRandomKey(2, 0, step, new BatchPart(first, count));
        Tensor loss = F.CrossEntropy(net.Forward(x), labels, 0.1) / context.Size;
        double whole = context.Sum(loss.ToDouble())[0];
        reducer?.Begin();
        loss.Backward();
        reducer?.Finish();
        optimizer.Step(0.05);
        optimizer.ZeroGrad();
        Console.WriteLine(whole.ToString("R", CultureInfo.InvariantCulture));
    }

    double checksum = net.StateDict().Sum(t => t.Value.ToArray<double>().Select((v, i) => v * ((i % 7) + 1)).Sum());
    Console.WriteLine($"weights {checksum.ToString("R", CultureInfo.InvariantCulture)}");
    context.Barrier();
    return 0;
}
catch (KinoraException e)
{
    await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
    return 1;
}

internal sealed class Net : Module
{
    private readonly Conv2d _stem;
    private readonly BatchNorm _norm;
    private readonly Dropout _dropout;
    private readonly Linear _head;

    public Net()
    {
        _stem = Add("stem", new Conv2d(3, 16, 3, stride: 2, padding: 1));
        _norm = Add("norm", new BatchNorm(16));
        _dropout = Add("dropout", new Dropout(0.1));
        _head = Add("head", new Linear(16, 4));
        foreach ((string name, Tensor value) in NamedParameters())
        {
            if (value.Rank > 1)
            {
                Initializers.KaimingNormal(value, new CounterRandom(7, name));
            }
        }
    }

    public Tensor Forward(Tensor x) => _head.Forward(_dropout.Forward(_norm.Forward(_stem.Forward(x), Rectifier.Relu).Mean([2, 3])));
}

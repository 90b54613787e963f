using System.Diagnostics;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Bench.TrainStep;

/// <summary>
/// One training step (forward, loss, backward, optimiser) in float32 and in bfloat16, by turns on the same clips, and in
/// float32 with the contiguous layout. The first losses of the three must agree.
/// </summary>
internal static class TrainStepBench
{
    private const int Classes = 400;

    public static int Run(BenchArguments arguments)
    {
        int batch = arguments.Number("batch", 4), frames = arguments.Number("frames", 8), size = arguments.Number("size", 224);
        int rounds = arguments.Number("rounds", 5);
        string name = arguments.Text("model", "pptsmv2");
        Torch.Threads = arguments.Number("threads", 2);
        Console.WriteLine($"{name}, batch {batch} × {frames} × {size}², {Torch.Threads} threads, native bfloat16: {(Autocast.IsSupported ? "yes" : "no")}, median of {rounds} rounds");
        using var baseline = new Step("float32, contiguous", name, batch, frames, size, channelsLast: false, bfloat16: false);
        using var single = new Step("float32, channels last", name, batch, frames, size, channelsLast: true, bfloat16: false);
        using var half = new Step("bfloat16, channels last", name, batch, frames, size, channelsLast: true, bfloat16: true);
        Step[] steps = [baseline, single, half];

        // The first step allocates and plans.
        double[] losses = [.. steps.Select(step => step.Once())];
        var times = steps.ToDictionary(step => step, _ => new List<double>());
        for (int i = 0; i < rounds; i++)
        {
            foreach (Step step in steps)
            {
                long start = Stopwatch.GetTimestamp();
                step.Once();
                times[step].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        double reference = Median(times[single]);
        foreach ((Step step, double loss) in steps.Zip(losses))
        {
            double median = Median(times[step]);
            Console.WriteLine($"{step.Name,-24} {median,8:F1} ms   {batch * 1000 / median,6:F1} clips/s   {reference / median,5:F2}x   first loss {loss:F4}");
        }

        // bfloat16 has eight bits of mantissa.
        bool agree = Math.Abs(losses[1] - losses[0]) <= 1e-3 * losses[0] && Math.Abs(losses[2] - losses[0]) <= 3e-2 * losses[0];
        Console.WriteLine(agree ? "first losses agree" : "first losses DIFFER");
        return agree ? 0 : 1;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class Step : IDisposable
    {
        private readonly VideoNetwork _network;
        private readonly Sgd _optimizer;
        private readonly Tensor _clips;
        private readonly Tensor _labels;
        private readonly bool _bfloat16;

        public Step(string name, string model, int batch, int frames, int size, bool channelsLast, bool bfloat16)
        {
            (Name, _bfloat16) = (name, bfloat16);
            _network = ModelCatalog.Create(model, new ModelOptions(Classes, frames, size, Seed: 1, Dropout: 0));
            if (channelsLast)
            {
                _network.ToMemoryFormat(MemoryFormat.ChannelsLast);
            }

            _optimizer = new Sgd(_network.ParameterGroups(1e-4), 0.9, nesterov: true);
            var random = new CounterRandom(1, "bench clip");
            var values = new float[batch * frames * 3 * size * size];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (float)random.NextDouble(-2, 2);
            }

            // Channels last inside each frame, as the loader delivers it.
            Tensor images = Tensor.From<float>(values, [batch * frames, 3, size, size]);
            _clips = images.Contiguous(channelsLast ? MemoryFormat.ChannelsLast : MemoryFormat.Contiguous).Reshape(batch, frames, 3, size, size).EscapeScope();
            _labels = Tensor.From<long>([.. Enumerable.Range(0, batch).Select(i => (long)i * 7 % Classes)], [batch]).EscapeScope();
        }

        public string Name { get; }

        /// <summary>Takes one step and gives the loss before it.</summary>
        public double Once()
        {
            using var scope = new TensorScope();
            _network.ZeroGrad();
            Tensor loss;
            using (_bfloat16 ? Autocast.BFloat16() : null)
            {
                loss = F.CrossEntropy(_network.Forward(_clips).To(DType.Float32), _labels);
            }

            loss.Backward();
            _optimizer.Step(0.001);
            return loss.ToDouble();
        }

        public void Dispose()
        {
            _network.Dispose();
            _optimizer.Dispose();
            _clips.Dispose();
            _labels.Dispose();
        }
    }
}

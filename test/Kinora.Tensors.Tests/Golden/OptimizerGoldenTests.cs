using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Tensors.Tests.Golden;

/// <summary>Training steps of a tiny network, recorded from Paddle.</summary>
public sealed class OptimizerGoldenTests
{
    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach ((string file, JsonElement root) in GoldenJson.Files("cases"))
        {
            foreach (JsonProperty item in root.GetProperty("cases").EnumerateObject().Where(c => c.Value.Optional("optimizer") is not null))
            {
                data.Add(file, item.Name);
            }
        }

        return data;
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Steps_RecordedCase_MatchLossesNormsParametersAndVelocities(string file, string name)
    {
        JsonElement root = GoldenJson.Load(file);
        JsonElement item = root.GetProperty("cases").GetProperty(name);
        JsonElement settings = item.GetProperty("optimizer");
        string kind = settings.GetProperty("name").GetString()!;
        Assert.SkipWhen(item.Optional("build") is not null, $"{file} {name}: the original fails too");
        Assert.SkipUnless(kind is "Momentum" or "SGD", $"{file} {name}: the optimiser {kind} isn't supported yet");
        Assert.SkipWhen(settings.Optional("weight_decay")?.Optional("name")?.GetString() == "L1", $"{file} {name}: L1 decay isn't supported");
        Assert.SkipUnless(root.GetProperty("dtype").GetString() == "float64", $"{file}: only float64 is compared");

        int steps = root.GetProperty("steps").GetInt32();
        using var scope = new TensorScope();
        using var net = new TinyNet();
        Tensor clips = Tensor.From<double>(GoldenFormula.Clip(4, steps, 3, 8, 8), [4, steps, 3, 8, 8]);
        using Sgd optimizer = CreateOptimizer(item, settings, kind, net);
        double? clip = settings.Optional("grad_clip")?.GetProperty("value").GetDouble();
        JsonElement? accumulation = item.Optional("accumulate");
        int each = accumulation?.GetProperty("num_iters").GetInt32() ?? 1;
        int perEpoch = accumulation?.GetProperty("iterations_per_epoch").GetInt32() ?? int.MaxValue;
        double[] rates = GoldenJson.Numbers(item.GetProperty("lr"));
        double[] losses = GoldenJson.Numbers(item.GetProperty("loss"));
        double[] norms = GoldenJson.Numbers(item.GetProperty("grad_norm_before_clip"));

        for (int step = 0; step < rates.Length; step++)
        {
            using var stepScope = new TensorScope();
            int inEpoch = step % perEpoch;
            if (inEpoch == 0)
            {
                optimizer.ZeroGrad();
            }

            Tensor labels = Tensor.From<long>([.. Enumerable.Range(0, 4).Select(i => (long)((i + step) % 3))]);
            Tensor loss = F.CrossEntropy(net.Forward(clips.Select(1, step % steps)), labels);
            (loss / each).Backward();
            GoldenJson.Close([losses[step]], [loss.ToDouble()], 1e-11, $"loss of step {step}");
            if (step == 0 && item.Optional("first_gradient") is JsonElement gradients)
            {
                foreach ((string parameter, Tensor value) in net.NamedParameters())
                {
                    Tensor gradient = value.Grad!;
                    GoldenJson.Close(gradients.GetProperty(parameter), parameter == "fc.weight" ? gradient.Transpose(0, 1) : gradient, 1e-11, $"gradient of {parameter}");
                }
            }

            bool moves = (inEpoch + 1) % each == 0;
            double norm = optimizer.ClipGradientNorm(moves && clip is not null ? clip.Value : double.PositiveInfinity);
            GoldenJson.Close([norms[step]], [norm], 1e-11, $"gradient norm of step {step}");
            if (moves)
            {
                optimizer.Step(rates[step]);
                optimizer.ZeroGrad();
            }
        }

        foreach ((string parameter, Tensor value) in net.StateDict())
        {
            GoldenJson.Close(item.GetProperty("params").GetProperty(TinyNet.PaddleName(parameter)), parameter == "fc.weight" ? value.Transpose(0, 1) : value, 1e-11, parameter);
        }

        if (item.GetProperty("state").Optional("velocity_0") is JsonElement velocities)
        {
            var state = optimizer.StateDict().ToDictionary(v => v.Name, v => v.Value);
            foreach (JsonProperty velocity in velocities.EnumerateObject())
            {
                Tensor value = state["velocity." + velocity.Name];
                GoldenJson.Close(velocity.Value, velocity.Name == "fc.weight" ? value.Transpose(0, 1) : value, 1e-10, "velocity of " + velocity.Name);
            }
        }
    }

    private static Sgd CreateOptimizer(JsonElement item, JsonElement settings, string kind, TinyNet net)
    {
        double decay = settings.Optional("weight_decay") is JsonElement given
            ? given.ValueKind == JsonValueKind.Number ? given.GetDouble() : given.GetProperty("value").GetDouble()
            : 0;
        bool attributes = item.GetProperty("param_attrs").GetBoolean();
        var groups = net.NamedParameters()
            .GroupBy(p => !attributes ? (1.0, decay) : p.Name switch
            {
                "bn.weight" or "bn.bias" => (1.0, 0.0),
                "fc.weight" => (5.0, 1e-4),
                "fc.bias" => (10.0, 0.0),
                _ => (1.0, decay),
            })
            .Select(group => new ParameterGroup([.. group], group.Key.Item1, group.Key.Item2));
        double momentum = kind == "SGD" ? 0 : settings.Optional("momentum")?.GetDouble() ?? 0.9;
        return new Sgd([.. groups], momentum, settings.Optional("use_nesterov")?.GetBoolean() ?? false);
    }

    /// <summary>The network of the recording: convolution, batch norm, relu, convolution, relu, mean, linear.</summary>
    private sealed class TinyNet : Module
    {
        private readonly Conv2d _first;
        private readonly BatchNorm _norm;
        private readonly Conv2d _second;
        private readonly Linear _head;

        public TinyNet()
        {
            _first = Add("conv1", new Conv2d(3, 4, 3, stride: 2, padding: 1));
            _norm = Add("bn", new BatchNorm(4));
            _second = Add("conv2", new Conv2d(4, 5, 3, padding: 1, bias: true));
            _head = Add("fc", new Linear(5, 3));
            To(DType.Float64);
            foreach ((string name, Tensor value) in StateDict())
            {
                bool transposed = name == "fc.weight";
                long[] shape = transposed ? [value.Shape[1], value.Shape[0]] : value.Shape.ToArray();
                using var scope = new TensorScope();
                using IDisposable mode = Grad.Disable();
                Tensor formula = Tensor.From<double>(GoldenFormula.Weight(PaddleName(name), shape), shape);
                value.CopyFrom(transposed ? formula.Transpose(0, 1) : formula);
            }
        }

        public static string PaddleName(string name) => name.Replace("running_mean", "_mean").Replace("running_var", "_variance");

        public Tensor Forward(Tensor x)
        {
            x = _norm.Forward(_first.Forward(x)).Relu();
            x = _second.Forward(x).Relu().Mean([2, 3]); // [N, 5]
            return _head.Forward(x);
        }
    }
}

using System.Text.Json;
using Kinora.Tensors;
using Kinora.Tensors.Tests.Golden;

namespace Kinora.Training.Tests;

/// <summary>Training steps of a tiny network with every optimiser, clipping and accumulation, recorded from Paddle.</summary>
[Collection(ComputeTests.Name)]
public sealed class OptimizerGoldenTests
{
    private const double Tolerance = 1e-12;

    // Recorded name of the state, and Kinora's.
    private static readonly Dictionary<string, string> States = new()
    {
        ["velocity_0"] = "velocity",
        ["momentum_0"] = "momentum",
        ["mean_square_0"] = "mean_square",
        ["mean_grad_0"] = "mean_gradient",
        ["moment1_0"] = "moment1",
        ["moment2_0"] = "moment2",
    };

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
    public void Steps_RecordedCase_MatchLossesNormsParametersAndState(string file, string name)
    {
        JsonElement root = GoldenJson.Load(file);
        JsonElement item = root.GetProperty("cases").GetProperty(name);
        JsonElement settings = item.GetProperty("optimizer");
        Assert.SkipWhen(item.Optional("build") is not null, $"{file} {name}: the original fails too");
        Assert.SkipUnless(root.GetProperty("dtype").GetString() == "float64", $"{file}: only float64 is compared");

        int steps = root.GetProperty("steps").GetInt32();
        using var scope = new TensorScope();
        using var net = new GoldenNet();
        using Optimizer optimizer = Create(item, settings, net);
        double clip = settings.Optional("grad_clip")?.GetProperty("value").GetDouble() ?? double.PositiveInfinity;
        JsonElement? recorded = item.Optional("accumulate");
        var accumulation = new GradientAccumulation(optimizer, recorded?.GetProperty("num_iters").GetInt32() ?? 1, LeftoverBatches.Drop);
        int perEpoch = recorded?.GetProperty("iterations_per_epoch").GetInt32() ?? int.MaxValue;
        double[] rates = GoldenJson.Numbers(item.GetProperty("lr"));
        double[] losses = GoldenJson.Numbers(item.GetProperty("loss"));
        double[] norms = GoldenJson.Numbers(item.GetProperty("grad_norm_before_clip"));
        Assert.NotEmpty(rates);

        var crossEntropy = new CrossEntropyLoss();
        for (int step = 0; step < rates.Length; step++)
        {
            using var stepScope = new TensorScope();
            (Tensor images, Tensor labels) = GoldenNet.Batch(step, steps);
            Tensor loss = crossEntropy.Compute(net.Forward(images), new Targets.Hard(labels));
            accumulation.Divide(loss).Backward();
            GoldenJson.Close([losses[step]], [loss.ToDouble()], Tolerance, $"loss of step {step}");
            if (step == 0 && item.Optional("first_gradient") is JsonElement gradients)
            {
                foreach ((string parameter, Tensor value) in net.NamedParameters())
                {
                    GoldenJson.Close(gradients.GetProperty(parameter), InPaddle(parameter, value.Grad!), Tolerance, $"gradient of {parameter}");
                }
            }

            bool moves = accumulation.Add();
            GoldenJson.Close([norms[step]], [optimizer.ClipGradientNorm(moves ? clip : double.PositiveInfinity)], Tolerance, $"gradient norm of step {step}");
            if (moves)
            {
                optimizer.Step(rates[step]);
                accumulation.Clear();
            }

            if ((step + 1) % perEpoch == 0)
            {
                Assert.False(accumulation.EndEpoch());
                Assert.All(net.NamedParameters(), p => Assert.Null(p.Value.Grad));
            }
        }

        foreach ((string parameter, Tensor value) in net.StateDict())
        {
            GoldenJson.Close(item.GetProperty("params").GetProperty(GoldenNet.PaddleName(parameter)), InPaddle(parameter, value), Tolerance, parameter);
        }

        CheckState(item.GetProperty("state"), settings, optimizer.StateDict().ToDictionary(v => v.Name, v => v.Value));
    }

    private static void CheckState(JsonElement recorded, JsonElement settings, Dictionary<string, Tensor> state)
    {
        foreach (JsonProperty kind in recorded.EnumerateObject())
        {
            foreach (JsonProperty parameter in kind.Value.EnumerateObject())
            {
                switch (kind.Name)
                {
                    case "beta1_pow_acc_0" or "beta2_pow_acc_0":
                        // Paddle keeps the power of the coming step, Kinora the number of those done.
                        double beta = kind.Name[4] == '1' ? settings.Optional("beta1")?.GetDouble() ?? 0.9 : settings.Optional("beta2")?.GetDouble() ?? 0.999;
                        double power = Math.Pow(beta, state["steps." + parameter.Name].ToDouble() + 1);
                        GoldenJson.Close(GoldenJson.Numbers(parameter.Value), [power], Tolerance, $"{kind.Name} of {parameter.Name}");
                        break;
                    case "mean_grad_0" when !state.ContainsKey("mean_gradient." + parameter.Name):
                        Assert.All(GoldenJson.Numbers(parameter.Value), v => Assert.Equal(0, v)); // isn't kept where it isn't used
                        break;
                    default:
                        GoldenJson.Close(parameter.Value, InPaddle(parameter.Name, state[$"{States[kind.Name]}.{parameter.Name}"]), Tolerance, $"{kind.Name} of {parameter.Name}");
                        break;
                }
            }
        }
    }

    private static Optimizer Create(JsonElement item, JsonElement settings, GoldenNet net)
    {
        string kind = settings.GetProperty("name").GetString()!;
        JsonElement? given = settings.Optional("weight_decay");
        double decay = given is not JsonElement d ? 0 : d.ValueKind == JsonValueKind.Number ? d.GetDouble() : d.GetProperty("value").GetDouble();
        bool l1 = given?.Optional("name")?.GetString() == "L1";
        bool decoupled = kind == "AdamW";
        bool attributes = item.GetProperty("param_attrs").GetBoolean();
        string[] tokens = settings.Optional("no_weight_decay_name")?.GetString()!.Split(' ') ?? [];
        ParameterGroup[] groups =
        [
            .. net.NamedParameters().Select(p =>
            {
                double common = decoupled ? 0 : decay;
                (double factor, double? own) = !attributes ? (1.0, null) : p.Name switch
                {
                    "bn.weight" or "bn.bias" => (1.0, 0.0),
                    "fc.weight" => (5.0, 1e-4),
                    "fc.bias" => (10.0, 0.0),
                    _ => (1.0, (double?)null),
                };
                bool excluded = tokens.Any(p.Name.Contains);
                return new ParameterGroup([p], factor, own ?? (l1 ? 0 : common), l1 && own is null ? common : 0, decoupled && !excluded ? decay : 0);
            }),
        ];
        double Number(string name, double otherwise) => settings.Optional(name)?.GetDouble() ?? otherwise;
        bool Flag(string name) => settings.Optional(name)?.GetBoolean() ?? false;
        switch (kind)
        {
            case "SGD":
                return new Sgd(groups, 0);
            case "Momentum":
                return new Sgd(groups, Number("momentum", 0.9), Flag("use_nesterov"));
            case "RMSProp":
                return new RmsProp(groups, Number("rho", 0.95), Number("epsilon", 1e-6), Number("momentum", 0), Flag("centered"));
            case "Adam" or "AdamW":
                return new Adam(groups, Number("beta1", 0.9), Number("beta2", 0.999), Number("epsilon", 1e-8));
            default:
                Assert.Skip($"the optimiser {kind} isn't supported");
                throw new InvalidOperationException();
        }
    }

    private static Tensor InPaddle(string name, Tensor value) => name == "fc.weight" ? value.Transpose(0, 1) : value;
}

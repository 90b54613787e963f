using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training.Tests;

/// <summary>One convolution, batch norm, dropout and a classifier: everything that a run's state can hang on, in milliseconds.</summary>
internal sealed class TinyNetwork : VideoNetwork
{
    private const int Channels = 8;
    private readonly Conv2d _conv;
    private readonly BatchNorm _bn;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    public TinyNetwork(ModelOptions options)
        : base("tiny", Complete(options, frames: 2, size: 32, dropout: 0.2))
    {
        _conv = Add("conv", new Conv2d(3, Channels, 5, stride: 4, padding: 2));
        _bn = Add("bn", new BatchNorm(Channels));
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(Channels, Classes));
        Initialize((name, value, random) =>
        {
            if (value.Rank > 1)
            {
                Initializers.Normal(value, random, name == "fc.weight" ? 0.01 : 0.1);
            }
        });
    }

    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.Uniform, Frames), new ResizeSpec(ResizeRule.KeepAspectRound, Size), new CropSpec(CropMethod.Center, Size), Normalization.ImageNet);

    public static VideoNetwork Create(string name, ModelOptions options) => new TinyNetwork(options);

    public override ParameterRule RuleFor(string parameterName) => parameterName switch
    {
        "fc.weight" => new ParameterRule(5),
        "bn.weight" or "bn.bias" or "fc.bias" => ParameterRule.NoDecay,
        _ => ParameterRule.Default,
    };

    protected override Tensor Score(Tensor clips)
    {
        (Tensor images, int frames) = Images(clips);
        Tensor features = _bn.Forward(_conv.Forward(images)).Relu().Mean([2, 3]); // [N·T, C]
        features = features.Reshape(-1, frames, Channels).Mean([1]);
        return _fc.Forward(_dropout.Forward(features));
    }
}

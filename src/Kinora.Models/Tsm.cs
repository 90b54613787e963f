// Temporal shift module on ResNet.
//   Papers: Lin, Gan, Han, "TSM: Temporal Shift Module for Efficient Video Understanding", arXiv:1811.08383; He et al.,
//   "Deep Residual Learning", arXiv:1512.03385.
//   References: PaddleVideo ed245e9 (Apache-2.0), recipes tsm/tsm_{k400,ucf101}_*; for ShiftConvention.Original
//   mit-han-lab/temporal-shift-module 1f6a834 (BSD-2-Clause). Tensor names are Kinora's own, Kinora.Paddle translates.
//   Differences: depths 18 and 34 follow the paper, PaddleVideo can't build them.
//   Input: [N, V·T, 3, H, W] with the T the network was built for; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// TSM: a ResNet whose every residual branch sees part of the channels of the frame before and of the frame after, so
/// that 2-D convolutions see motion at no arithmetic cost. Frames are scored one by one, scores are averaged.
/// </summary>
public sealed class Tsm : VideoNetwork, IShiftedNetwork
{
    private readonly ConvBn _stem;
    private readonly MaxPool2d _stemPool;
    private readonly Sequential _stages;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, dropout 0.5, <see cref="ShiftConvention.PaddleVideo"/>.</param>
    /// <param name="depth">18, 34, 50, 101 or 152; the catalogue lists all but the last.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public Tsm(ModelOptions options, int depth = 50)
        : base($"tsm_r{depth}", Complete(options, frames: 8, size: 224, dropout: 0.5, ShiftConvention.PaddleVideo))
    {
        int thirdStage = ResNetStages.Blocks(depth)[2];
        _stem = Add("stem", new ConvBn(3, 64, 7, stride: 2));
        _stemPool = Add("stem_pool", new MaxPool2d(3, 2, 1));
        _stages = Add("stages", ResNetStages.Create(depth, place => new ResNetBlock(
            place, ResNetStyle.Plain, Frames, Options.Shift!.Includes(place.Index, thirdStage) ? Fold(place.Inputs) : default)));
        _pool = Add("pool", new GlobalAvgPool2d());
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(ResNetStages.Features(depth), Classes));
        Initialize((name, value, random) =>
        {
            switch (name)
            {
                case "fc.weight":
                    Initializers.Normal(value, random, 0.001);
                    break;
                case var _ when value.Rank == 4:
                    Initializers.KaimingNormal(value, random);
                    break;
            }
        });
    }

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => new(
        new SamplingSpec(SamplingMethod.SelectLeft, Frames),
        new ResizeSpec(ResizeRule.KeepAspectTruncate, Size * 8 / 7),
        new CropSpec(CropMethod.Center, Size),
        Normalization.ImageNet);

    /// <inheritdoc/>
    IEnumerable<ShiftedMap> IShiftedNetwork.ShiftedMaps => ResNetStages.ShiftedMaps(_stages, "stem");

    /// <summary>The network of the published recipe, ResNet-50.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static Tsm ResNet50(int classes, int frames = 8) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        return parameterName switch
        {
            "fc.weight" => new ParameterRule(5, 1e-4),
            "fc.bias" => new ParameterRule(10, 0),
            _ when parameterName.Contains(".bn.", StringComparison.Ordinal) => ParameterRule.NoDecay,
            _ => ParameterRule.Default,
        };
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                     // [N·T, 3, H, W]
        x = _stemPool.Forward(_stem.Forward(x));                    // [N·T, 64, H/4, W/4]
        x = _pool.Forward(_stages.Forward(x)).Flatten(1);           // [N·T, C]
        x = _fc.Forward(_dropout.Forward(x));                       // [N·T, classes]
        return x.Reshape(-1, frames, Classes).Mean([1]);            // [N, classes]
    }
}

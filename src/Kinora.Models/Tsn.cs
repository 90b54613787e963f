// Temporal segment network on ResNet.
//   Paper: Wang et al., "Temporal Segment Networks", arXiv:1608.00859; He et al., "Deep Residual Learning", arXiv:1512.03385.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipe tsn/tsn_k400_frames; tensor names are Kinora's own, Kinora.Paddle translates.
//   Differences: depths 18 and 34 follow the paper, the reference can't build them.
//   Input: [N, T, 3, H, W], any T; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// Temporal segment network: a ResNet looks at each frame, the features are averaged over time, one linear layer scores
/// the average. Blind to the order of frames.
/// </summary>
public sealed class Tsn : VideoNetwork
{
    private readonly ConvBn _stem;
    private readonly MaxPool2d _stemPool;
    private readonly Sequential _stages;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 3 frames, 224 pixels, dropout 0.4.</param>
    /// <param name="depth">18, 34, 50, 101 or 152; the catalogue lists all but the last.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public Tsn(ModelOptions options, int depth = 50)
        : base($"tsn_r{depth}", Complete(options, frames: 3, size: 224, dropout: 0.4))
    {
        _stem = Add("stem", new ConvBn(3, 64, 7, stride: 2));
        _stemPool = Add("stem_pool", new MaxPool2d(3, 2, 1));
        _stages = Add("stages", ResNetStages.Create(depth, place => new ResNetBlock(place, ResNetStyle.Plain)));
        _pool = Add("pool", new GlobalAvgPool2d());
        _dropout = Add("dropout", new Dropout(Options.Dropout!.Value));
        _fc = Add("fc", new Linear(ResNetStages.Features(depth), Classes));
        Initialize((name, value, random) =>
        {
            switch (name)
            {
                case "fc.weight":
                    Initializers.Normal(value, random, 0.01);
                    break;
                case var _ when value.Rank == 4:
                    Initializers.KaimingNormal(value, random);
                    break;
            }
        });
    }

    /// <inheritdoc/>
    protected override bool AcceptsAnyFrames => true;

    /// <inheritdoc/>
    public override ClipSpec EvaluationSpec => Spec(Frames, CropMethod.Center, Size);

    /// <summary>The thorough evaluation of the recipe: 25 segments, each cropped and mirrored to ten views.</summary>
    public ClipSpec TenCropSpec => Spec(25, CropMethod.Ten, Size);

    /// <summary>The network of the published recipe, ResNet-50.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static Tsn ResNet50(int classes, int frames = 3) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                     // [N·T, 3, H, W]
        x = _stemPool.Forward(_stem.Forward(x));                    // [N·T, 64, H/4, W/4]
        x = _pool.Forward(_stages.Forward(x));                      // [N·T, C, 1, 1]
        x = x.Reshape(-1, frames, x.Shape[1]).Mean([1]);            // [N, C]
        return _fc.Forward(_dropout.Forward(x));                    // [N, classes]
    }

    private static ClipSpec Spec(int frames, CropMethod crop, int size) => new(
        new SamplingSpec(SamplingMethod.SelectLeft, frames),
        new ResizeSpec(ResizeRule.KeepAspectRound, size * 8 / 7, ResizeEngine.OpenCv),
        new CropSpec(crop, size, CropRounding.Floor),
        Normalization.ImageNet);
}

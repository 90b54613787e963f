// PP-TSN: temporal segment network on ResNet-D.
//   Papers: Wang et al., "Temporal Segment Networks", arXiv:1608.00859; He et al., "Bag of Tricks for Image
//   Classification", arXiv:1812.01187.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes pptsn/pptsn_k400_*; tensor names are Kinora's own, Kinora.Paddle
//   translates.
//   Differences: none; the reference's depth 200 isn't offered.
//   Input: [N, T, 3, H, W], any T; RGB, ImageNet statistics.
using System.Globalization;
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// PP-TSN: a ResNet-D looks at each frame, the features are averaged over time, one linear layer scores the average.
/// Blind to the order of frames.
/// </summary>
public sealed class PpTsn : VideoNetwork
{
    private readonly Sequential _stem;
    private readonly MaxPool2d _stemPool;
    private readonly Sequential _stages;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;
    private readonly double[] _factors;
    private readonly bool _fastClassifier;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 3 frames, 224 pixels, dropout 0.4.</param>
    /// <param name="depth">18, 34, 50, 101 or 152; the catalogue lists 50.</param>
    /// <param name="learningRateFactors">
    /// Factors of the learning rate of the stem and of each of the four stages; none for 1. They matter to training only.
    /// </param>
    /// <param name="fastClassifier">Whether the classifier's weight learns five times and its bias ten times as fast.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public PpTsn(ModelOptions options, int depth = 50, IReadOnlyList<double>? learningRateFactors = null, bool fastClassifier = true)
        : base($"pptsn_r{depth}", Complete(options, frames: 3, size: 224, dropout: 0.4))
    {
        _factors = [.. learningRateFactors ?? [1, 1, 1, 1, 1]];
        if (_factors.Length != 5 || !_factors.All(f => f >= 0 && double.IsFinite(f)))
        {
            throw new ConfigException(
                $"{Name}: learning-rate factors: expected five numbers of at least 0, for the stem and four stages; found [{string.Join(", ", _factors.Select(f => f.ToString(CultureInfo.InvariantCulture)))}]");
        }

        _fastClassifier = fastClassifier;
        _stem = Add("stem", new Sequential(new ConvBn(3, 32, 3, stride: 2), new ConvBn(32, 32, 3), new ConvBn(32, 64, 3)));
        _stemPool = Add("stem_pool", new MaxPool2d(3, 2, 1));
        _stages = Add("stages", ResNetStages.Create(depth, place => new ResNetBlock(place, ResNetStyle.Averaged)));
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
    public override ClipSpec EvaluationSpec => Spec(Frames, CropMethod.Center);

    /// <summary>The thorough evaluation of the recipe: 25 segments, each cropped and mirrored to ten views.</summary>
    public ClipSpec TenCropSpec => Spec(25, CropMethod.Ten);

    /// <summary>The network of the published recipe, ResNet-50-D.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static PpTsn ResNet50(int classes, int frames = 3) => new(new ModelOptions(classes, frames));

    /// <inheritdoc/>
    public override ParameterRule RuleFor(string parameterName)
    {
        ArgumentNullException.ThrowIfNull(parameterName);
        string[] parts = parameterName.Split('.');
        return parts switch
        {
            ["fc", "weight"] => new ParameterRule(_fastClassifier ? 5 : 1, 1e-4),
            ["fc", "bias"] => new ParameterRule(_fastClassifier ? 10 : 1, 0),
            _ => new ParameterRule(
                parts is ["stages", var stage, ..] ? _factors[1 + int.Parse(stage, CultureInfo.InvariantCulture)] : _factors[0],
                parts[^2] == "bn" ? 0 : null),
        };
    }

    /// <inheritdoc/>
    protected override Tensor Score(Tensor clips)
    {
        (Tensor x, int frames) = Images(clips);                     // [N·T, 3, H, W]
        x = _stemPool.Forward(_stem.Forward(x));                    // [N·T, 64, H/4, W/4]
        x = _pool.Forward(_stages.Forward(x));                      // [N·T, C, 1, 1]
        x = x.Reshape(-1, frames, x.Shape[1]).Mean([1]);            // [N, C]
        return _fc.Forward(_dropout.Forward(x));                    // [N, classes]
    }

    private ClipSpec Spec(int frames, CropMethod crop) => new(
        new SamplingSpec(SamplingMethod.SelectLeft, frames),
        new ResizeSpec(ResizeRule.KeepAspectRound, Size * 8 / 7, ResizeEngine.OpenCv),
        new CropSpec(crop, Size, CropRounding.Floor),
        Normalization.ImageNet);
}

// PP-TSM: the temporal shift module on ResNet-D with leaky rectifiers.
//   Papers: Lin, Gan, Han, "TSM", arXiv:1811.08383; He et al., "Bag of Tricks for Image Classification", arXiv:1812.01187.
//   Reference: PaddleVideo ed245e9 (Apache-2.0), recipes pptsm/pptsm_k400_*; tensor names are Kinora's own, Kinora.Paddle
//   translates.
//   Differences: none; at depths 18 and 34 shortcuts are strided without averaging, as in the reference.
//   Input: [N, V·T, 3, H, W] with the T the network was built for; RGB, ImageNet statistics.
using Kinora.Models.Layers;
using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>
/// PP-TSM: ResNet-D with leaky rectifiers whose every residual branch sees part of the channels of the neighbour frames.
/// Features are averaged over time and scored once.
/// </summary>
public sealed class PpTsm : VideoNetwork, IShiftedNetwork
{
    // 0.01 as the reference keeps it: in single precision.
    private const double Slope = 0.01f;

    private static readonly ResNetStyle Style = new(
        layer => new LeakyConvBn(layer.Inputs, layer.Outputs, layer.Kernel, layer.Stride, layer.Activated),
        place => place.IsBottleneck ? ResNetStyle.AveragedProjection(place) : ResNetStyle.Plain.Projection(place),
        x => x.LeakyRelu(Slope));

    private readonly Sequential _stem;
    private readonly MaxPool2d _stemPool;
    private readonly Sequential _stages;
    private readonly GlobalAvgPool2d _pool;
    private readonly Dropout _dropout;
    private readonly Linear _fc;

    /// <summary>Builds the network with initial weights.</summary>
    /// <param name="options">Defaults: 8 frames, 224 pixels, dropout 0.5, <see cref="ShiftConvention.PaddleVideo"/>.</param>
    /// <param name="depth">18, 34, 50, 101 or 152.</param>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    public PpTsm(ModelOptions options, int depth = 50)
        : base($"pptsm_r{depth}", Complete(options, frames: 8, size: 224, dropout: 0.5, ShiftConvention.PaddleVideo))
    {
        int thirdStage = ResNetStages.Blocks(depth)[2];
        _stem = Add("stem", new Sequential(
            new LeakyConvBn(3, 32, 3, 2, true), new LeakyConvBn(32, 32, 3, 1, true), new LeakyConvBn(32, 64, 3, 1, true)));
        _stemPool = Add("stem_pool", new MaxPool2d(3, 2, 1));
        _stages = Add("stages", ResNetStages.Create(depth, place => new ResNetBlock(
            place, Style, Frames, Options.Shift!.Includes(place.Index, thirdStage) ? Fold(place.Inputs) : default)));
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
    public override ClipSpec EvaluationSpec => Spec(SamplingMethod.Uniform, CropMethod.Center);

    /// <summary>The evaluation of the dense recipes: ten windows of neighbouring frames, each cropped to three views.</summary>
    public ClipSpec DenseSpec => Spec(SamplingMethod.Dense, CropMethod.FullResolution);

    /// <inheritdoc/>
    IEnumerable<ShiftedMap> IShiftedNetwork.ShiftedMaps => ResNetStages.ShiftedMaps(_stages, "stem.2");

    /// <summary>The network of the published recipe, ResNet-50-D.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="frames">T.</param>
    /// <returns>The network; the caller disposes it.</returns>
    public static PpTsm ResNet50(int classes, int frames = 8) => new(new ModelOptions(classes, frames));

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
        x = _dropout.Forward(_pool.Forward(_stages.Forward(x)));    // [N·T, C, 1, 1]
        x = x.Reshape(-1, frames, x.Shape[1]).Mean([1]);            // [N, C]
        return _fc.Forward(x);                                      // [N, classes]
    }

    private ClipSpec Spec(SamplingMethod sampling, CropMethod crop) => new(
        new SamplingSpec(sampling, Frames),
        new ResizeSpec(ResizeRule.FixedRatio, Size * 8 / 7),
        new CropSpec(crop, Size),
        Normalization.ImageNet);

    /// <summary>Convolution without bias, batch norm, leaky rectifier.</summary>
    private sealed class LeakyConvBn : UnaryModule
    {
        private readonly Conv2d _convolution;
        private readonly BatchNorm _norm;
        private readonly bool _activated;

        public LeakyConvBn(int inputs, int outputs, int kernel, int stride, bool activated)
        {
            _convolution = Add("conv", new Conv2d(inputs, outputs, kernel, stride, (kernel - 1) / 2));
            _norm = Add("bn", new BatchNorm(outputs));
            _activated = activated;
        }

        protected override Tensor Compute(Tensor x)
        {
            x = _norm.Forward(_convolution.Forward(x));
            return _activated ? x.LeakyRelu(Slope) : x;
        }
    }
}

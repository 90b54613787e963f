using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training.Tests;

/// <summary>A network whose scores become NaN after a while.</summary>
internal sealed class ExplodingNetwork : VideoNetwork
{
    private readonly TinyNetwork _inner;
    private readonly int _fromStep;
    private int _steps;

    public ExplodingNetwork(ModelOptions options, int fromStep)
        : base("exploding", options with { Frames = options.Frames ?? 2, Size = options.Size ?? 32, Dropout = 0 })
    {
        _inner = Add("inner", new TinyNetwork(options));
        _fromStep = fromStep;
    }

    public override ClipSpec EvaluationSpec => _inner.EvaluationSpec;

    public override ParameterRule RuleFor(string parameterName) => ParameterRule.Default;

    protected override Tensor Score(Tensor clips)
    {
        Tensor logits = _inner.Forward(clips);
        _steps += IsTraining ? 1 : 0;
        return IsTraining && _steps > _fromStep ? logits * double.NaN : logits;
    }
}

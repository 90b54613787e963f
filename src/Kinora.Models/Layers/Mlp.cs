using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>The two linear layers of a transformer block: widen, GELU, narrow; each followed by dropout.</summary>
internal sealed class Mlp : UnaryModule
{
    private readonly Linear _expand;
    private readonly Linear _project;
    private readonly Dropout _dropout;

    /// <summary>Creates the layers.</summary>
    /// <param name="features">C, in and out.</param>
    /// <param name="hidden">Features between the layers.</param>
    /// <param name="dropout">Probability of dropping an output of either layer.</param>
    public Mlp(int features, int hidden, double dropout)
    {
        _expand = Add("expand", new Linear(features, hidden));
        _project = Add("project", new Linear(hidden, features));
        _dropout = Add("dropout", new Dropout(dropout));
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        using var scope = new TensorScope();
        Tensor hidden = _dropout.Forward(_expand.Forward(x).Gelu());         // […, hidden]
        return _dropout.Forward(_project.Forward(hidden)).MoveToOuterScope();   // […, C]
    }
}

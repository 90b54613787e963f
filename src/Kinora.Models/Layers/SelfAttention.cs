using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>Multi-head self-attention: every token of a sequence becomes a mean of all of them, weighed by likeness.</summary>
/// <remarks>Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 3.2.</remarks>
internal sealed class SelfAttention : Module
{
    private readonly int _features;
    private readonly int _heads;
    private readonly double _scale;
    private readonly Linear _qkv;
    private readonly Linear _project;
    private readonly Dropout _weightDropout;
    private readonly Dropout _dropout;

    /// <summary>Creates the layer.</summary>
    /// <param name="features">C.</param>
    /// <param name="heads">Heads; they divide C.</param>
    /// <param name="bias">Whether queries, keys and values have a bias; the projection always has one.</param>
    /// <param name="weightDropout">Probability of dropping one weight of a mean.</param>
    /// <param name="dropout">Probability of dropping an output.</param>
    public SelfAttention(int features, int heads, bool bias, double weightDropout, double dropout)
    {
        (_features, _heads) = (features, heads);
        _scale = 1 / Math.Sqrt(features / heads);
        _qkv = Add("qkv", new Linear(features, 3 * features, bias));
        _project = Add("project", new Linear(features, features));
        _weightDropout = Add("weight_dropout", new Dropout(weightDropout));
        _dropout = Add("dropout", new Dropout(dropout));
    }

    /// <summary>Attends.</summary>
    /// <param name="x">Sequences, [B, L, C].</param>
    /// <param name="adjust">Changes the scores, [B, heads, L, L], before their softmax: adds a bias or a mask. Null for nothing.</param>
    /// <returns>New tensor, [B, L, C], in the caller's scope.</returns>
    public Tensor Forward(Tensor x, Func<Tensor, Tensor>? adjust = null)
    {
        using var scope = new TensorScope();
        long length = x.Shape[1];
        int width = _features / _heads;
        Tensor[] parts = _qkv.Forward(x).Split([_features, _features, _features], 2);       // 3 × [B, L, C]
        Tensor query = Heads(parts[0]).Permute(0, 2, 1, 3) * _scale;                        // [B, heads, L, width]
        Tensor key = Heads(parts[1]).Permute(0, 2, 3, 1);                                   // [B, heads, width, L]
        Tensor value = Heads(parts[2]).Permute(0, 2, 1, 3);                                 // [B, heads, L, width]
        Tensor scores = query.MatMul(key);                                                  // [B, heads, L, L]

        // Scores are by far the largest tensors: each goes as soon as the next one is there.
        if (adjust is not null)
        {
            using Tensor raw = scores;
            scores = adjust(raw);
        }

        Tensor weights = _weightDropout.Forward(scores.Softmax(3));                         // [B, heads, L, L]
        scores.Dispose();
        Tensor mixed = weights.MatMul(value).Permute(0, 2, 1, 3).Reshape(-1, length, _features);   // [B, L, C]
        return Observed(_dropout.Forward(_project.Forward(mixed)).MoveToOuterScope());      // [B, L, C]

        Tensor Heads(Tensor part) => part.Reshape(-1, length, _heads, width);               // [B, L, heads, width]
    }
}

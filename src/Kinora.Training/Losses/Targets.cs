using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What a batch of clips should be scored as. The tensors stay the caller's.</summary>
public abstract record Targets
{
    /// <summary>A label that no class has: its clip adds nothing to a loss.</summary>
    public const long Ignored = -100;

    private Targets()
    {
    }

    /// <summary>One class a clip.</summary>
    /// <param name="labels">Class indices, or <see cref="Ignored"/>.</param>
    /// <returns>Targets whose tensor belongs to the current scope.</returns>
    public static Hard Classes(ReadOnlySpan<long> labels) => new(Tensor.From(labels));

    /// <summary>One class a clip.</summary>
    /// <param name="Labels">Class indices, [N], Int64; <see cref="Ignored"/> for clips that don't count.</param>
    public sealed record Hard(Tensor Labels) : Targets;

    /// <summary>Two classes a clip, as mixing two clips gives: the loss is λ·L(first) + (1 − λ)·L(second).</summary>
    /// <param name="First">Class indices, [N], Int64.</param>
    /// <param name="Second">Class indices, [N], Int64.</param>
    /// <param name="Share">λ in [0, 1]: [N], or [] for one that holds for all.</param>
    public sealed record Mixed(Tensor First, Tensor Second, Tensor Share) : Targets
    {
        /// <summary>
        /// The same with the mean of all λ for each clip, as PaddleVideo's distillation loss takes them. Where a batch has
        /// one λ, nothing changes.
        /// </summary>
        /// <returns>Targets whose λ belongs to the current scope.</returns>
        public Mixed Averaged() => this with { Share = Share.Mean() };
    }

    /// <summary>A number for each class: probabilities, or 1 for each class that a clip has.</summary>
    /// <param name="Values">[N, classes], each in [0, 1].</param>
    public sealed record Dense(Tensor Values) : Targets;
}

using Kinora.Models;

namespace Kinora.Training;

/// <summary>Which network, and where its weights come from.</summary>
public sealed record ModelConfig
{
    /// <summary>A name of the model catalogue.</summary>
    public string Name { get; init; } = "tsm_efficientnet_lite0";

    /// <summary>Start from the ImageNet weights that come with the network, where there are any.</summary>
    public bool Pretrained { get; init; } = true;

    /// <summary>A checkpoint to start from in place of the ImageNet weights; its classifier is dropped if the classes differ.</summary>
    [None]
    public string? Weights { get; init; }

    /// <summary>Frames of a clip: T. Null: the network's default.</summary>
    public int? Frames { get; init; }

    /// <summary>Side of the square input, in pixels. Null: 112 for networks that fine-tune well there, else their default.</summary>
    public int? Size { get; init; }

    /// <summary>Dropout before the classifier. Null: the network's default.</summary>
    public double? Dropout { get; init; }

    /// <summary>Exchange of channels between neighbouring frames, where the network has it.</summary>
    public bool TemporalShift { get; init; } = true;

    /// <summary>What the temporal shifts move. Null: the network's own convention.</summary>
    public ShiftConvention? Shift { get; init; }

    /// <summary>
    /// Parameters that stay as they are: patterns of names with <c>*</c>, such as <c>stem.*</c>. Batch norms with frozen
    /// parameters keep their statistics too.
    /// </summary>
    public IReadOnlyList<string> Freeze { get; init; } = [];

    /// <summary>Freeze all batch norms but the first.</summary>
    /// <remarks>"Partial BN" of temporal segment networks, arXiv:1608.00859, section 3.3.</remarks>
    public bool PartialBatchNorm { get; init; }

    /// <summary>Compute activations again in the backward pass instead of keeping them: less memory, a third more time.</summary>
    public bool CheckpointGradients { get; init; }

    internal void Validate(ConfigCheck check)
    {
        check.Require(!string.IsNullOrWhiteSpace(Name), "name", "a model of `kinora models list`", Name);
        check.Require(Frames is null or (> 0 and <= 512), "frames", "1 to 512", Frames);
        check.Require(Size is null or (>= 32 and <= 2048), "size", "32 to 2048 pixels", Size);
        check.Require(Dropout is null or (>= 0 and < 1), "dropout", "0 to below 1", Dropout);
        check.Require(Freeze.All(f => !string.IsNullOrWhiteSpace(f)), "freeze", "patterns of parameter names", string.Join(", ", Freeze));
    }
}

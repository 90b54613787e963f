namespace Kinora.Paddle;

/// <summary>Whose PyTorch code wrote a file, which decides how its tensors are called.</summary>
public enum TorchSource
{
    /// <summary>mmaction2 (Recognizer2D or Recognizer3D).</summary>
    MmAction,

    /// <summary>torchvision's plain ResNet.</summary>
    Torchvision,

    /// <summary>The original TSM and TSN code of MIT HAN lab, built around torchvision's ResNet.</summary>
    TemporalShiftModule,

    /// <summary>PySlowFast.</summary>
    PySlowFast,

    /// <summary>pytorchvideo.</summary>
    PyTorchVideo,
}

/// <summary>One way of naming the tensors of a network.</summary>
/// <param name="Source">Whose way.</param>
/// <param name="Candidates">Names that a tensor of Kinora's may have, the usual one first.</param>
internal sealed record TorchDialect(TorchSource Source, Func<string, IReadOnlyList<string>> Candidates);

namespace Kinora.Models;

/// <summary>One line of the catalogue.</summary>
/// <param name="Name">What the user types, such as "pptsmv2".</param>
/// <param name="Title">What reports print, such as "PP-TSMv2".</param>
/// <param name="Summary">One sentence: what it is and when to choose it.</param>
/// <param name="Frames">Default T, frames of one clip.</param>
/// <param name="Size">Default side of the square input, in pixels.</param>
/// <param name="HasPretrainedWeights">Whether ImageNet weights for it travel with Kinora.</param>
/// <param name="Factory">Builds the network.</param>
public sealed record ModelEntry(
    string Name,
    string Title,
    string Summary,
    int Frames,
    int Size,
    bool HasPretrainedWeights,
    Func<ModelOptions, VideoNetwork> Factory);

using Kinora.Models;

namespace Kinora.Cli.Conversion;

/// <summary>What the user asked of a conversion.</summary>
internal sealed record ConversionRequest
{
    /// <summary>The file to read, or a run folder.</summary>
    public required string Input { get; init; }

    /// <summary>The file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Catalogue name of the network; null finds it out.</summary>
    public string? Model { get; init; }

    /// <summary>T; null reads it off the weights where it shows, else takes the network's own.</summary>
    public int? Frames { get; init; }

    /// <summary>Number of classes; null reads it off the classifier.</summary>
    public int? Classes { get; init; }

    /// <summary>A PaddleVideo recipe that says which network it is and how clips become its input; null where the names tell.</summary>
    public string? Recipe { get; init; }

    /// <summary>A file of class names; null numbers them.</summary>
    public string? Labels { get; init; }

    /// <summary>What the file may lack or have too much.</summary>
    public LoadRules Rules { get; init; } = LoadRules.Strict;
}

namespace Kinora.Data;

/// <summary>How the clips of a training batch are mixed with each other.</summary>
public enum MixKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Weighted sums of two clips (arXiv:1710.09412).</summary>
    Mixup,

    /// <summary>A part of one clip replaced by the same part of another (arXiv:1905.04899).</summary>
    CutMix,

    /// <summary>One of the two, drawn for each batch.</summary>
    VideoMix,
}

/// <summary>Which part of a clip <see cref="MixKind.CutMix"/> replaces (arXiv:2012.03457).</summary>
public enum MixRegion
{
    /// <summary>A box of the picture, the same in all frames.</summary>
    Spatial,

    /// <summary>Whole frames that follow each other.</summary>
    Temporal,

    /// <summary>A box of the picture in frames that follow each other.</summary>
    SpatioTemporal,
}

/// <summary>How training batches are mixed; plain values. Each batch has one share λ for all its clips.</summary>
public sealed record BatchMix
{
    /// <summary>What is done.</summary>
    public MixKind Kind { get; init; }

    /// <summary>Mixup draws λ from Beta(α, α); above 0.</summary>
    public double MixupAlpha { get; init; } = 0.2;

    /// <summary>CutMix draws λ from Beta(α, α); above 0.</summary>
    public double CutMixAlpha { get; init; } = 1;

    /// <summary>VideoMix: probability of CutMix, 0 to 1.</summary>
    public double CutMixProbability { get; init; } = 0.5;

    /// <summary>What CutMix replaces.</summary>
    public MixRegion Region { get; init; }

    /// <summary>
    /// CutMix as PaddleVideo does it, with <see cref="MixRegion.Spatial"/> only: the box lies in axes 2 and 3 of the
    /// five-dimensional batch, whatever they are (channels and rows of [N, T, C, H, W]), and λ is not the real share.
    /// </summary>
    public bool Legacy { get; init; }

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <exception cref="ConfigException">A value is out of range; the message names it.</exception>
    public void Validate(string? path = null)
    {
        Require(MixupAlpha is > 0 and <= 1000, "mixupAlpha", "above 0, at most 1000", MixupAlpha);
        Require(CutMixAlpha is > 0 and <= 1000, "cutMixAlpha", "above 0, at most 1000", CutMixAlpha);
        Require(CutMixProbability is >= 0 and <= 1, "cutMixProbability", "0 to 1", CutMixProbability);
        Require(!Legacy || Region == MixRegion.Spatial, "region", $"{MixRegion.Spatial} beside legacy", Region);

        void Require(bool holds, string key, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"batch mixing: {key}: expected {expected}, found {found}", path);
            }
        }
    }
}

namespace Kinora.Paddle.Programs.Tests;

/// <summary>Clip specifications and what becomes of logits.</summary>
internal static class Specs
{
    /// <summary>Any way to clips of this many frames and pixels; what happens to the pixels doesn't matter here.</summary>
    public static ClipSpec Of(int frames, int size, ClipLayout layout = ClipLayout.Ntchw) => new(
        new SamplingSpec(SamplingMethod.Linspace, frames),
        new ResizeSpec(ResizeRule.KeepAspectTruncate, size),
        new CropSpec(CropMethod.Center, size),
        Normalization.ImageNet,
        Layout: layout);

    /// <summary>Probabilities from rows of logits.</summary>
    public static double[] Softmax(IReadOnlyList<double> logits, int classes) =>
    [
        .. Enumerable.Range(0, logits.Count / classes).SelectMany(row =>
        {
            double[] values = [.. logits.Skip(row * classes).Take(classes)];
            double[] powers = [.. values.Select(v => Math.Exp(v - values.Max()))];
            return powers.Select(p => p / powers.Sum());
        }),
    ];
}

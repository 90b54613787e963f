using System.Globalization;
using System.Text.RegularExpressions;

namespace Kinora.Cli.Terminal;

/// <summary>A <see cref="ClipSpec"/> in words.</summary>
internal static partial class ClipSpecText
{
    /// <summary>Describes the way from a video to a network's input.</summary>
    /// <param name="spec">The specification.</param>
    /// <returns>Steps in order, each with its name.</returns>
    public static IReadOnlyList<(string Step, string Text)> Describe(ClipSpec spec) =>
    [
        ("frames", Sampling(spec.Sampling)),
        ("resize", Resize(spec.Resize)),
        ("crop", Crop(spec.Crop)),
        ("pixels", Pixels(spec)),
    ];

    private static string Sampling(SamplingSpec sampling)
    {
        (int segments, int each) = (sampling.Segments, sampling.FramesPerSegment);
        return sampling.Method switch
        {
            SamplingMethod.Uniform when each == 1 => $"the middle one of each of {segments} equal segments of whole frames",
            SamplingMethod.Uniform => $"{each} in the middle of each of {segments} equal segments of whole frames",
            SamplingMethod.SelectLeft => $"the middle one of each of {segments} equal segments",
            SamplingMethod.Dense => $"ten windows of 64 frames, {segments} frames of each",
            SamplingMethod.Linspace => $"{segments} spread evenly from the first to the last",
            SamplingMethod.FrameInterval => $"{Clips(segments)} of {each} frames, {Every(sampling.Interval)}",
            SamplingMethod.Timed => string.Create(
                CultureInfo.InvariantCulture, $"{Clips(segments)} of {each * sampling.Interval / (double)sampling.Rate:0.0#} seconds, {each} frames spread over it"),
            _ => $"{Words(sampling.Method)}: {Clips(segments)} of {sampling.FramesPerClip} frames, {Every(sampling.Interval)}",
        };

        static string Clips(int count) => count == 1 ? "one clip" : $"{count} clips";

        static string Every(int interval) => interval == 1 ? "one after the other" : $"one frame in every {interval}";
    }

    private static string Resize(ResizeSpec resize)
    {
        string engine = resize.Engine switch
        {
            ResizeEngine.Pillow => "bilinear as Pillow's",
            ResizeEngine.OpenCv => "bilinear as OpenCV's",
            ResizeEngine.Interpolate => "bilinear, after the pixels are normalised",
            _ => Words(resize.Engine),
        };
        return resize.Rule switch
        {
            ResizeRule.None => "none",
            ResizeRule.FixedRatio => $"short side to {resize.ShortSide}, long side to {resize.ShortSide * 4 / 3} whatever it was, {engine}",
            ResizeRule.Square => $"to {resize.ShortSide} × {resize.ShortSide}, {engine}",
            _ => $"short side to {resize.ShortSide}, shape kept, {engine}",
        };
    }

    private static string Crop(CropSpec crop)
    {
        string size = $"{crop.Size} × {crop.Size}";
        return crop.Method switch
        {
            CropMethod.Center => $"{size} in the middle",
            CropMethod.Ten => $"ten views of {size}: corners and middle, each mirrored too",
            CropMethod.Three => $"three views of {size} along the long side",
            CropMethod.Spread => $"three views of {size}: start, middle and end of the long side",
            CropMethod.FullResolution => $"three views of {size}: left, right and middle",
            _ => $"{size}, {Words(crop.Method)}",
        };
    }

    private static string Pixels(ClipSpec spec)
    {
        Normalization n = spec.Normalization;
        string scaled = n.Scale == 1 ? "x" : string.Create(CultureInfo.InvariantCulture, $"x / {n.Scale}");
        string differences = spec.Input == ClipInput.Difference ? "; each frame minus the one before, the first is zeros" : "";
        return $"red, green, blue; ({scaled} − {Values(n.Mean)}) / {Values(n.Std)}{differences}";

        static string Values(Rgb rgb) => rgb.R == rgb.G && rgb.G == rgb.B
            ? rgb.R.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"({rgb.R}, {rgb.G}, {rgb.B})");
    }

    // "KeepAspect" is "keep aspect".
    private static string Words<T>(T value)
        where T : struct, Enum => Capital().Replace(value.ToString(), m => (m.Index == 0 ? "" : " ") + m.Value.ToLowerInvariant());

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();
}

using System.Text.Json;

namespace Kinora;

/// <summary>How frame indices are chosen from a video. <c>reference</c> names are PaddleVideo's.</summary>
public enum SamplingMethod
{
    /// <summary>Equal segments of floor(L/S) frames; evaluation takes the middle of each.</summary>
    Uniform,

    /// <summary>Equal segments of L/S frames (real division); evaluation takes floor(L/S/2 + i·L/S).</summary>
    SelectLeft,

    /// <summary>A window of 64 frames with stride 64/S; evaluation takes ten windows.</summary>
    Dense,

    /// <summary>S points spread from the first to the last frame.</summary>
    Linspace,

    /// <summary>S clips of K frames, every f-th frame.</summary>
    FrameInterval,

    /// <summary>S clips of a fixed duration, K·f frames at a nominal rate, of each of which K points are taken. SlowFast, TimeSformer.</summary>
    Timed,
}

/// <summary>Which frames make up a clip.</summary>
/// <param name="Method">The rule.</param>
/// <param name="Segments">S: segments (or clips, for <see cref="SamplingMethod.FrameInterval"/> and <see cref="SamplingMethod.Timed"/>).</param>
/// <param name="FramesPerSegment">K: frames taken from each segment.</param>
/// <param name="Interval">f: distance of neighbouring frames, in frames.</param>
/// <param name="Rate">
/// The frames per second in which <see cref="SamplingMethod.Timed"/> counts f, whatever the video's own rate; the other
/// methods count the video's frames.
/// </param>
public sealed record SamplingSpec(SamplingMethod Method, int Segments, int FramesPerSegment = 1, int Interval = 1, int Rate = 30)
{
    /// <summary>T: frames of one clip. Only Uniform, FrameInterval and Timed take more than one frame from a segment or clip.</summary>
    public int FramesPerClip => Method switch
    {
        SamplingMethod.Uniform => Segments * FramesPerSegment,
        SamplingMethod.FrameInterval or SamplingMethod.Timed => FramesPerSegment,
        _ => Segments,
    };
}

/// <summary>Which YUV matrix turns decoded frames into RGB.</summary>
public enum ColorMatrix
{
    /// <summary>The stream's own matrix and range, as decord and PyAV do.</summary>
    FromStream,

    /// <summary>Always BT.601, as OpenCV does.</summary>
    Bt601,
}

/// <summary>The target size of the resize before the crop.</summary>
public enum ResizeRule
{
    /// <summary>No resize.</summary>
    None,

    /// <summary>Short side s, long side int(s·4/3), whatever the true aspect ratio.</summary>
    FixedRatio,

    /// <summary>Short side s, long side truncated.</summary>
    KeepAspectTruncate,

    /// <summary>Both sides int(x·s/short + 0.5).</summary>
    KeepAspectRound,

    /// <summary>s × s.</summary>
    Square,

    /// <summary>Short side s, long side floor(long/short · s) with the quotient rounded first, as JitterScale does.</summary>
    KeepAspectFloor,
}

/// <summary>Whose bilinear filter: the two differ, so "bilinear" alone isn't a definition.</summary>
public enum ResizeEngine
{
    /// <summary>Pillow: triangle filter that widens when shrinking (antialias), 8-bit between the two passes.</summary>
    Pillow,

    /// <summary>OpenCV's INTER_LINEAR: two taps, half-pixel centres, fixed point.</summary>
    OpenCv,

    /// <summary>
    /// The interpolate function of Paddle and PyTorch, which resizes after the normalisation: two taps, half-pixel centres,
    /// no antialias, 32-bit floating point. Not beside training's other resizes and changes of pixels, which work on bytes.
    /// </summary>
    Interpolate,
}

/// <summary>The resize before the crop. Skipped when the short side already is <paramref name="ShortSide"/>.</summary>
/// <param name="Rule">Target size.</param>
/// <param name="ShortSide">s, in pixels.</param>
/// <param name="Engine">Whose filter.</param>
public sealed record ResizeSpec(ResizeRule Rule, int ShortSide, ResizeEngine Engine = ResizeEngine.Pillow);

/// <summary>Which crops become views.</summary>
public enum CropMethod
{
    /// <summary>One crop in the middle.</summary>
    Center,

    /// <summary>Corners and centre, each plain and flipped: ten views.</summary>
    Ten,

    /// <summary>Both ends, then the middle, of the long side: three views (UniformCrop). The short side must be the crop's.</summary>
    Three,

    /// <summary>Left, right, centre at half height, with steps of a quarter: three views (GroupFullResSample).</summary>
    FullResolution,

    /// <summary>
    /// Start, middle and end of the long side, in the middle of the short side, halves rounded up: three views (SlowFast's
    /// MultiCrop).
    /// </summary>
    Spread,
}

/// <summary>How the offset of the centre crop is rounded.</summary>
public enum CropRounding
{
    /// <summary>Half to even, as Python's round.</summary>
    HalfEven,

    /// <summary>Down.</summary>
    Floor,
}

/// <summary>The crop of each frame.</summary>
/// <param name="Method">Which crops.</param>
/// <param name="Size">Side of the square crop, in pixels.</param>
/// <param name="Rounding">Offset rounding of the centre crop.</param>
public sealed record CropSpec(CropMethod Method, int Size, CropRounding Rounding = CropRounding.HalfEven);

/// <summary>Three values, one a colour channel, in the order red, green, blue.</summary>
/// <param name="R">Red.</param>
/// <param name="G">Green.</param>
/// <param name="B">Blue.</param>
public readonly record struct Rgb(float R, float G, float B);

/// <summary>In which arithmetic pixels are normalised; the last bit depends on it.</summary>
public enum NormalizationArithmetic
{
    /// <summary>float32 throughout: x/scale, minus mean, divided by std, each rounded.</summary>
    Single,

    /// <summary>double from the byte on, rounded to float32 once (PaddleVideo's PyAV path).</summary>
    Double,

    /// <summary>x − mean as float32, then times 1/std in double (PaddleVideo's in-place path, VideoSwin).</summary>
    InPlace,
}

/// <summary>(x / Scale − Mean) / Std for each channel of 8-bit pixels.</summary>
/// <param name="Mean">Mean, in units of x / Scale.</param>
/// <param name="Std">Standard deviation, in units of x / Scale.</param>
/// <param name="Scale">255 for statistics in [0, 1], 1 for statistics in [0, 255].</param>
/// <param name="Arithmetic">Rounding rule.</param>
public sealed record Normalization(Rgb Mean, Rgb Std, float Scale = 255, NormalizationArithmetic Arithmetic = NormalizationArithmetic.Single)
{
    /// <summary>ImageNet statistics of torchvision and PaddleVideo.</summary>
    public static Normalization ImageNet { get; } = new(new(0.485f, 0.456f, 0.406f), new(0.229f, 0.224f, 0.225f));

    /// <summary>(x − 127) / 128, as EfficientNet-Lite expects.</summary>
    public static Normalization Symmetric128 { get; } = new(new(127, 127, 127), new(128, 128, 128), Scale: 1);
}

/// <summary>The order of the axes of a clip in memory; N is the batch.</summary>
public enum ClipLayout
{
    /// <summary>[N, T, C, H, W]: 2-D networks.</summary>
    Ntchw,

    /// <summary>[N, C, T, H, W]: 3-D networks and transformers.</summary>
    Ncthw,

    /// <summary>[N, T, H, W, C].</summary>
    Nthwc,
}

/// <summary>What the network sees of the normalised frames.</summary>
public enum ClipInput
{
    /// <summary>The frames themselves.</summary>
    Rgb,

    /// <summary>
    /// Each frame minus the one before it; the first frame of a clip is zeros, so a clip still has T frames and the sampling
    /// stays as it is.
    /// </summary>
    Difference,
}

/// <summary>
/// The whole way from a video to the network's input at evaluation. It travels inside every checkpoint and every
/// ONNX file, so that training's validation, the command line and the server can't disagree.
/// </summary>
/// <param name="Sampling">Which frames.</param>
/// <param name="Resize">Resize before the crop.</param>
/// <param name="Crop">Crop, which also gives the input size.</param>
/// <param name="Normalization">Pixel statistics.</param>
/// <param name="Color">YUV matrix.</param>
/// <param name="Layout">Axis order.</param>
/// <param name="Input">Frames or their differences.</param>
public sealed record ClipSpec(
    SamplingSpec Sampling,
    ResizeSpec Resize,
    CropSpec Crop,
    Normalization Normalization,
    ColorMatrix Color = ColorMatrix.FromStream,
    ClipLayout Layout = ClipLayout.Ntchw,
    ClipInput Input = ClipInput.Rgb)
{
    /// <summary>Frames of one view: T.</summary>
    public int Frames => Sampling.FramesPerClip;

    /// <summary>Side of the network's square input, in pixels.</summary>
    public int Size => Crop.Size;

    /// <summary>Writes the specification as JSON, the form in which it travels inside model files.</summary>
    /// <returns>One line of JSON.</returns>
    public string ToJson() => ClipSpecJson.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">JSON text; unknown members are refused.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <returns>The specification, checked.</returns>
    /// <exception cref="ConfigException">Not JSON, unknown or missing members, or values out of range.</exception>
    public static ClipSpec FromJson(string json, string? path = null)
    {
        try
        {
            ClipSpec spec = ClipSpecJson.Read(json);
            spec.Validate(path);
            return spec;
        }
        catch (JsonException e)
        {
            throw new ConfigException($"clip specification: {e.Message}", path, e);
        }
    }

    /// <summary>Checks the ranges of all values.</summary>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <exception cref="ConfigException">A value is out of range; the message names it.</exception>
    public void Validate(string? path = null)
    {
        Require(Sampling.Segments is > 0 and <= 4096, "sampling.segments", "1 to 4096", Sampling.Segments);
        Require(Sampling.FramesPerSegment is > 0 and <= 4096, "sampling.framesPerSegment", "1 to 4096", Sampling.FramesPerSegment);
        Require(Sampling.Interval is > 0 and <= 4096, "sampling.interval", "1 to 4096", Sampling.Interval);
        Require(Sampling.Rate is > 0 and <= 1000, "sampling.rate", "1 to 1000", Sampling.Rate);
        Require(Resize.Rule == ResizeRule.None || Resize.ShortSide is > 0 and <= 8192, "resize.shortSide", "1 to 8192", Resize.ShortSide);
        Require(Crop.Size is > 0 and <= 8192, "crop.size", "1 to 8192", Crop.Size);
        Require(Normalization is { Std: { R: > 0, G: > 0, B: > 0 }, Scale: > 0 }, "normalization.std", "positive values", Normalization);

        void Require(bool holds, string key, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"clip specification: {key}: expected {expected}, found {found}", path);
            }
        }
    }
}

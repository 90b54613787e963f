using Kinora.Media;

namespace Kinora.Training;

/// <summary>Small pictures of what a network sees of a clip.</summary>
/// <param name="spec">How the clip is read.</param>
internal sealed class ClipThumbnails(ClipSpec spec)
{
    private const int Pictures = 3;
    private const int Quality = 80;
    private readonly ClipPipeline _pipeline = new(spec);

    /// <summary>JPEG pictures of a clip's first, middle and last frame, cropped as the network sees them.</summary>
    public IReadOnlyList<byte[]> Of(SampleAnswer answer)
    {
        using IFrameSource source = FrameSource.Open(answer.Path, spec.Color);
        using DecodedClip clip = _pipeline.Decode(source);
        int frameBytes = spec.Size * spec.Size * 3;
        var bytes = new byte[_pipeline.Views * _pipeline.Frames * frameBytes];
        _pipeline.TransformBytes(clip, bytes);
        int count = Math.Min(Pictures, _pipeline.Frames);
        return
        [
            .. Enumerable.Range(0, count)
                .Select(i => count == 1 ? 0 : i * (_pipeline.Frames - 1) / (count - 1))
                .Select(t => JpegImage.Encode(bytes.AsSpan(t * frameBytes, frameBytes), spec.Size, spec.Size, Quality)),
        ];
    }
}

using System.Buffers;

namespace Kinora.Media;

/// <summary>
/// Resizes whole frames by a <see cref="ResizeSpec"/> ahead of time. A transform that begins with the same resize gives
/// the same bits from the scaled frames as from the originals, because it then finds nothing left to do.
/// </summary>
/// <remarks>Immutable and thread-safe.</remarks>
public sealed class FrameScaler
{
    private readonly ResizePlan _plan;

    /// <summary>Prepares the resize of frames of one size.</summary>
    /// <param name="resize">Target size and filter.</param>
    /// <param name="inputWidth">Width of the frames, in pixels.</param>
    /// <param name="inputHeight">Height of the frames, in pixels.</param>
    public FrameScaler(ResizeSpec resize, int inputWidth, int inputHeight)
    {
        ArgumentNullException.ThrowIfNull(resize);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputWidth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputHeight, 1);
        (InputWidth, InputHeight) = (inputWidth, inputHeight);
        (Width, Height) = ResizeTarget.Of(resize, inputWidth, inputHeight);
        IsRepeatable = ResizeTarget.Of(resize, Width, Height) == (Width, Height);
        _plan = new ResizePlan(inputWidth, inputHeight, Width, Height, resize.Engine, new PixelWindow(0, 0, Width, Height));
    }

    /// <summary>Width of the frames, in pixels.</summary>
    public int InputWidth { get; }

    /// <summary>Height of the frames, in pixels.</summary>
    public int InputHeight { get; }

    /// <summary>Width of the scaled frames, in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the scaled frames, in pixels.</summary>
    public int Height { get; }

    /// <summary>Whether the same resize leaves scaled frames alone, so that scaling ahead of time changes nothing.</summary>
    public bool IsRepeatable { get; }

    /// <summary>Scales one frame.</summary>
    /// <param name="source">InputHeight · InputWidth · 3 bytes, RGB.</param>
    /// <param name="destination">Receives Height · Width · 3 bytes, RGB.</param>
    public void Scale(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(_plan.ScratchBytes);
        try
        {
            var sink = new PictureSink(destination, Width * 3, 0);
            _plan.Run(source, InputWidth * 3, scratch, Resize.BestWidth, ref sink);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}

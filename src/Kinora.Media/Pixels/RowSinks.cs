using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kinora.Media;

/// <summary>Where the pixels of one frame go inside the memory of all views.</summary>
/// <param name="Size">Side of the square crops, in pixels.</param>
/// <param name="Pixel">Distance of neighbouring pixels of a row.</param>
/// <param name="Row">Distance of rows.</param>
/// <param name="Channel">Distance of channels.</param>
/// <param name="Frame">Distance of frames of a view.</param>
/// <param name="View">Distance of views, which is also their length.</param>
internal readonly record struct ViewStrides(int Size, int Pixel, int Row, int Channel, int Frame, int View)
{
    /// <summary>The strides of a layout.</summary>
    public static ViewStrides Of(ClipLayout layout, int frames, int size)
    {
        int plane = size * size, view = checked(3 * frames * plane);
        return layout switch
        {
            ClipLayout.Ntchw => new(size, 1, size, plane, 3 * plane, view),
            ClipLayout.Ncthw => new(size, 1, size, frames * plane, plane, view),
            ClipLayout.Nthwc => new(size, 3, 3 * size, 1, 3 * plane, view),
            _ => throw new ConfigException($"layout: expected one of {string.Join(", ", Enum.GetNames<ClipLayout>())}, found {layout}"),
        };
    }
}

/// <summary>Cuts the crops out of the rows of a frame, normalises them and writes them to their place.</summary>
internal readonly ref struct NormalizingSink : IRowSink
{
    private readonly Span<float> _views;
    private readonly ViewStrides _strides;
    private readonly ReadOnlySpan<CropView> _crops;
    private readonly int _viewsPerCrop;
    private readonly ReadOnlySpan<float> _table;
    private readonly PixelWindow _window;

    /// <summary>Prepares one frame; crops that reach outside the picture are filled with black first.</summary>
    /// <param name="views">Memory from the frame's place in the first view on.</param>
    /// <param name="strides">Layout.</param>
    /// <param name="crops">The crops.</param>
    /// <param name="viewsPerCrop">Views between the same frame of neighbouring crops (the number of clips).</param>
    /// <param name="table">Normalised values, [3, 256].</param>
    /// <param name="window">The window whose rows will come.</param>
    public NormalizingSink(
        Span<float> views, ViewStrides strides, ReadOnlySpan<CropView> crops, int viewsPerCrop, ReadOnlySpan<float> table, PixelWindow window)
    {
        Debug.Assert(table.Length == 3 * NormalizationTable.Levels, "table size");
        _views = views;
        _strides = strides;
        _crops = crops;
        _viewsPerCrop = viewsPerCrop;
        _table = table;
        _window = window;
        for (int i = 0; i < crops.Length; i++)
        {
            if (crops[i].X < window.X || crops[i].Y < window.Y
                || crops[i].X + strides.Size > window.Right || crops[i].Y + strides.Size > window.Bottom)
            {
                FillBlack(i);
            }
        }
    }

    /// <inheritdoc/>
    public void Accept(int y, ReadOnlySpan<byte> rgb)
    {
        int size = _strides.Size;
        for (int i = 0; i < _crops.Length; i++)
        {
            CropView crop = _crops[i];
            int row = y - crop.Y;
            int from = Math.Max(crop.X, _window.X), to = Math.Min(crop.X + size, _window.Right);
            if (row < 0 || row >= size || from >= to)
            {
                continue;
            }

            ReadOnlySpan<byte> pixels = rgb.Slice((from - _window.X) * 3, (to - from) * 3);
            int column = crop.Flip ? crop.X + size - to : from - crop.X;
            int start = (i * _viewsPerCrop * _strides.View) + (row * _strides.Row) + (column * _strides.Pixel);
            int last = start + (2 * _strides.Channel) + ((to - from - 1) * _strides.Pixel);
            Write(pixels, _views[start..(last + 1)], crop.Flip);
        }
    }

    // The pixels of one row, to one of three planes each, or interleaved.
    private void Write(ReadOnlySpan<byte> pixels, Span<float> target, bool flip)
    {
        int count = pixels.Length / 3;
        int step = flip ? -_strides.Pixel : _strides.Pixel;
        ref byte source = ref MemoryMarshal.GetReference(pixels);
        ref float table = ref MemoryMarshal.GetReference(_table);
        ref float red = ref Unsafe.Add(ref MemoryMarshal.GetReference(target), flip ? (count - 1) * _strides.Pixel : 0);
        ref float green = ref Unsafe.Add(ref red, _strides.Channel);
        ref float blue = ref Unsafe.Add(ref green, _strides.Channel);
        for (int x = 0; x < count; x++)
        {
            Unsafe.Add(ref red, x * step) = Unsafe.Add(ref table, (int)source);
            Unsafe.Add(ref green, x * step) = Unsafe.Add(ref table, NormalizationTable.Levels + Unsafe.Add(ref source, 1));
            Unsafe.Add(ref blue, x * step) = Unsafe.Add(ref table, (2 * NormalizationTable.Levels) + Unsafe.Add(ref source, 2));
            source = ref Unsafe.Add(ref source, 3);
        }
    }

    private void FillBlack(int crop)
    {
        int size = _strides.Size;
        for (int channel = 0; channel < 3; channel++)
        {
            float black = _table[channel * NormalizationTable.Levels];
            for (int y = 0; y < size; y++)
            {
                int start = (crop * _viewsPerCrop * _strides.View) + (channel * _strides.Channel) + (y * _strides.Row);
                for (int x = 0; x < size; x++)
                {
                    _views[start + (x * _strides.Pixel)] = black;
                }
            }
        }
    }
}

/// <summary>Cuts the crops out of the rows of a frame as bytes, [view, frame, row, column, RGB].</summary>
internal readonly ref struct CopyingSink : IRowSink
{
    private readonly Span<byte> _views;
    private readonly ViewStrides _strides;
    private readonly ReadOnlySpan<CropView> _crops;
    private readonly int _viewsPerCrop;
    private readonly PixelWindow _window;

    /// <summary>Prepares one frame; crops are black where the picture ends.</summary>
    /// <param name="views">Memory from the frame's place in the first view on.</param>
    /// <param name="strides">Strides of <see cref="ClipLayout.Nthwc"/>.</param>
    /// <param name="crops">The crops.</param>
    /// <param name="viewsPerCrop">Views between the same frame of neighbouring crops.</param>
    /// <param name="window">The window whose rows will come.</param>
    public CopyingSink(Span<byte> views, ViewStrides strides, ReadOnlySpan<CropView> crops, int viewsPerCrop, PixelWindow window)
    {
        Debug.Assert(strides.Pixel == 3, "bytes are interleaved");
        _views = views;
        _strides = strides;
        _crops = crops;
        _viewsPerCrop = viewsPerCrop;
        _window = window;
        for (int i = 0; i < crops.Length; i++)
        {
            views.Slice(i * viewsPerCrop * strides.View, strides.Frame).Clear();
        }
    }

    /// <inheritdoc/>
    public void Accept(int y, ReadOnlySpan<byte> rgb)
    {
        int size = _strides.Size;
        for (int i = 0; i < _crops.Length; i++)
        {
            CropView crop = _crops[i];
            int row = y - crop.Y;
            int from = Math.Max(crop.X, _window.X), to = Math.Min(crop.X + size, _window.Right);
            if (row < 0 || row >= size || from >= to)
            {
                continue;
            }

            ReadOnlySpan<byte> pixels = rgb.Slice((from - _window.X) * 3, (to - from) * 3);
            int column = crop.Flip ? crop.X + size - to : from - crop.X;
            Span<byte> target = _views.Slice((i * _viewsPerCrop * _strides.View) + (row * _strides.Row) + (column * 3), pixels.Length);
            if (!crop.Flip)
            {
                pixels.CopyTo(target);
                continue;
            }

            for (int x = 0; x < pixels.Length; x += 3)
            {
                pixels.Slice(pixels.Length - 3 - x, 3).CopyTo(target.Slice(x, 3));
            }
        }
    }
}

/// <summary>Stores the rows of a window as a picture, for a second resize.</summary>
internal readonly ref struct PictureSink(Span<byte> picture, int stride, int top) : IRowSink
{
    private readonly Span<byte> _picture = picture;

    /// <inheritdoc/>
    public void Accept(int y, ReadOnlySpan<byte> rgb) => rgb.CopyTo(_picture[((y - top) * stride)..]);
}

using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Kinora.Media;

/// <summary>Takes the rows of a resized picture from top to bottom.</summary>
internal interface IRowSink
{
    /// <summary>One row of the wanted window.</summary>
    /// <param name="y">Row number in the whole resized picture.</param>
    /// <param name="rgb">RGB pixels of the window's columns; valid until the call returns.</param>
    void Accept(int y, ReadOnlySpan<byte> rgb);
}

/// <summary>
/// A resize from one size to another of which only a window is wanted: nothing outside the window is computed, and no
/// picture is stored, only the few input rows that the next output row needs.
/// </summary>
/// <remarks>Immutable and thread-safe; scratch memory belongs to the caller.</remarks>
internal sealed class ResizePlan
{
    private readonly ResizeEngine _engine;
    private readonly ResizeAxis _columns;
    private readonly ResizeAxis _rows;
    private readonly ColumnTable _table;

    // Input rows that are needed, in order; a "slot" is a position in this list.
    private readonly int[] _neededRows;
    private readonly int[] _firstSlot;
    private readonly int[] _lastSlot;
    private readonly int _ringRows;
    private readonly int _rowBytes;

    /// <summary>Prepares a resize.</summary>
    /// <param name="inputWidth">Input columns.</param>
    /// <param name="inputHeight">Input rows.</param>
    /// <param name="width">Columns of the whole resized picture.</param>
    /// <param name="height">Rows of the whole resized picture.</param>
    /// <param name="engine">Whose filter.</param>
    /// <param name="window">The wanted part of the resized picture; inside it and not empty.</param>
    /// <exception cref="ConfigException">The engine doesn't resize bytes.</exception>
    public ResizePlan(int inputWidth, int inputHeight, int width, int height, ResizeEngine engine, PixelWindow window)
    {
        if (engine is not (ResizeEngine.Pillow or ResizeEngine.OpenCv))
        {
            throw new ConfigException(
                $"resize of bytes: expected the engine {ResizeEngine.Pillow} or {ResizeEngine.OpenCv}, found {engine}, which resizes normalised values");
        }

        Debug.Assert(window is { Width: > 0, Height: > 0 } && window.IsInside(width, height), "window outside");
        Window = window;
        IsIdentity = inputWidth == width && inputHeight == height;
        _engine = engine;
        bool pillow = engine == ResizeEngine.Pillow;
        _columns = pillow
            ? ResizeAxis.Pillow(inputWidth, width, window.X, window.Width)
            : ResizeAxis.OpenCv(inputWidth, width, window.X, window.Width, horizontal: true);
        _rows = pillow
            ? ResizeAxis.Pillow(inputHeight, height, window.Y, window.Height)
            : ResizeAxis.OpenCv(inputHeight, height, window.Y, window.Height, horizontal: false);
        _table = new ColumnTable(_columns, split: pillow);
        _rowBytes = (ColumnTable.OutputBytes(window.Width) + 31) & ~31;

        (_neededRows, _firstSlot, _lastSlot) = Slots(_rows, inputHeight);
        int most = 0;
        for (int y = 0; y < window.Height; y++)
        {
            most = Math.Max(most, _lastSlot[y] - _firstSlot[y] + 1);
        }

        // One more than an output row needs, because rows are made in pairs.
        _ringRows = (int)BitOperations.RoundUpToPowerOf2((uint)most + 1);
    }

    /// <summary>The wanted part of the resized picture.</summary>
    public PixelWindow Window { get; }

    /// <summary>Whether the sizes are equal, so that pixels pass unchanged.</summary>
    public bool IsIdentity { get; }

    /// <summary>Bytes of scratch memory that a run needs.</summary>
    public int ScratchBytes => IsIdentity ? 0
        : (_ringRows * _rowBytes * (_engine == ResizeEngine.Pillow ? 1 : 2)) + _rowBytes + (2 * _table.Reach);

    /// <summary>Resizes one picture.</summary>
    /// <typeparam name="TSink">Receiver of the rows.</typeparam>
    /// <param name="source">Input pixels, RGB, from the first pixel of the input on.</param>
    /// <param name="stride">Distance of input rows, in bytes.</param>
    /// <param name="scratch">At least <see cref="ScratchBytes"/> bytes; the content doesn't matter.</param>
    /// <param name="width">Vector width; the result doesn't depend on it.</param>
    /// <param name="sink">Receiver of the rows.</param>
    public void Run<TSink>(ReadOnlySpan<byte> source, int stride, Span<byte> scratch, VectorWidth width, ref TSink sink)
        where TSink : struct, IRowSink, allows ref struct
    {
        if (IsIdentity)
        {
            for (int y = Window.Y; y < Window.Bottom; y++)
            {
                sink.Accept(y, source.Slice((y * stride) + (Window.X * 3), Window.Width * 3));
            }

            return;
        }

        Span<byte> outputRow = scratch[.._rowBytes];
        Span<byte> padded = scratch.Slice(_rowBytes, 2 * _table.Reach);
        Span<byte> ring = scratch[(_rowBytes + (2 * _table.Reach))..ScratchBytes];
        int made = 0;
        for (int y = 0; y < Window.Height; y++)
        {
            while (made <= _lastSlot[y])
            {
                made = MakeRows(made, source, stride, padded, ring, width);
            }

            Combine(y, ring, outputRow, width);
            sink.Accept(Window.Y + y, outputRow[..(Window.Width * 3)]);
        }
    }

    // Runs the column filter over the input rows of the next one or two slots.
    private int MakeRows(int slot, ReadOnlySpan<byte> source, int stride, Span<byte> padded, Span<byte> ring, VectorWidth width)
    {
        int ringMask = _ringRows - 1;
        ReadOnlySpan<byte> upper = source[(_neededRows[slot] * stride)..];
        if (width == VectorWidth.None)
        {
            if (_engine == ResizeEngine.Pillow)
            {
                Resize.PillowColumns(upper, _columns, ring.Slice((slot & ringMask) * _rowBytes, _rowBytes));
            }
            else
            {
                Resize.OpenCvColumns(upper, _columns, Sums(ring, slot));
            }

            return slot + 1;
        }

        int second = Math.Min(slot + 1, _neededRows.Length - 1);
        upper = Readable(upper, padded[.._table.Reach]);
        ReadOnlySpan<byte> lower = second == slot ? upper : Readable(source[(_neededRows[second] * stride)..], padded[_table.Reach..]);
        int ahead = second + 1 < _neededRows.Length ? (_neededRows[second + 1] - _neededRows[slot]) * stride : 0;
        if (_engine == ResizeEngine.Pillow)
        {
            Resize.PillowColumns(
                upper,
                lower,
                _table,
                ring.Slice((slot & ringMask) * _rowBytes, _rowBytes),
                ring.Slice((second & ringMask) * _rowBytes, _rowBytes),
                width,
                ahead);
        }
        else
        {
            Resize.OpenCvColumns(upper, lower, _table, Sums(ring, slot), Sums(ring, second), width, ahead);
        }

        return second + 1;
    }

    // Vector loads reach past the last pixel of a row; only at the end of the picture is nothing there to read.
    private ReadOnlySpan<byte> Readable(ReadOnlySpan<byte> row, Span<byte> copy)
    {
        if (row.Length >= _table.Reach)
        {
            return row;
        }

        row.CopyTo(copy);
        copy[row.Length..].Clear();
        return copy;
    }

    private void Combine(int y, Span<byte> ring, Span<byte> output, VectorWidth width)
    {
        if (_engine == ResizeEngine.Pillow)
        {
            ReadOnlySpan<int> weights = _rows.Weights.AsSpan(y * _rows.Taps, _rows.Used[y]);
            if (width == VectorWidth.None)
            {
                Resize.PillowRows(ring, _rowBytes, _firstSlot[y], _ringRows - 1, weights, output[..(3 * Window.Width)]);
            }
            else
            {
                Resize.PillowRowsVector(ring, _rowBytes, _firstSlot[y], _ringRows - 1, weights, output);
            }
        }
        else
        {
            ReadOnlySpan<short> upper = Sums(ring, _firstSlot[y]), lower = Sums(ring, _lastSlot[y]);
            int upperWeight = _rows.Weights[2 * y], lowerWeight = _rows.Weights[(2 * y) + 1];
            if (width == VectorWidth.None)
            {
                Resize.OpenCvRows(upper, lower, upperWeight, lowerWeight, output[..(3 * Window.Width)]);
            }
            else
            {
                Resize.OpenCvRowsVector(upper, lower, upperWeight, lowerWeight, output);
            }
        }
    }

    private Span<short> Sums(Span<byte> ring, int slot) =>
        MemoryMarshal.Cast<byte, short>(ring).Slice((slot & (_ringRows - 1)) * _rowBytes, _rowBytes);

    private static (int[] Rows, int[] First, int[] Last) Slots(ResizeAxis axis, int height)
    {
        int count = axis.First.Length;
        var needed = new bool[height];
        for (int y = 0; y < count; y++)
        {
            for (int t = 0; t < axis.Used[y]; t++)
            {
                needed[Math.Clamp(axis.First[y] + t, 0, height - 1)] = true;
            }
        }

        var slotOfRow = new int[height];
        var rows = new List<int>(height);
        for (int row = 0; row < height; row++)
        {
            slotOfRow[row] = rows.Count;
            if (needed[row])
            {
                rows.Add(row);
            }
        }

        int[] first = new int[count], last = new int[count];
        for (int y = 0; y < count; y++)
        {
            first[y] = slotOfRow[Math.Clamp(axis.First[y], 0, height - 1)];
            last[y] = slotOfRow[Math.Clamp(axis.First[y] + axis.Used[y] - 1, 0, height - 1)];
        }

        return ([.. rows], first, last);
    }
}

namespace Kinora.Media;

/// <summary>
/// <see cref="ResizeEngine.Interpolate"/>: a resize of normalised pixels, computed for the crops only. Each value is made of
/// the four neighbours of its place in the frame.
/// </summary>
/// <remarks>
/// Bit for bit the interpolate op of PaddlePaddle 2.6 on the CPU (mode bilinear, align_corners off): every step in 32
/// bits, in the order written below, never fused. Immutable and thread-safe.
/// </remarks>
internal sealed class Interpolation
{
    private readonly Tap[] _columns;
    private readonly Tap[] _rows;
    private readonly int _stride;

    /// <summary>Prepares a resize.</summary>
    /// <param name="inputWidth">Columns of the frames.</param>
    /// <param name="inputHeight">Rows of the frames.</param>
    /// <param name="width">Columns of the whole resized picture.</param>
    /// <param name="height">Rows of the whole resized picture.</param>
    public Interpolation(int inputWidth, int inputHeight, int width, int height)
    {
        _columns = Taps(inputWidth, width);
        _rows = Taps(inputHeight, height);
        _stride = inputWidth * 3;
    }

    /// <summary>Normalises and resizes one frame and writes its crops to their places.</summary>
    /// <param name="frame">The frame's pixels, RGB.</param>
    /// <param name="table">Normalised values, [3, 256].</param>
    /// <param name="crops">The crops; black where they reach outside the picture.</param>
    /// <param name="viewsPerCrop">Views between the same frame of neighbouring crops (the number of clips).</param>
    /// <param name="strides">Layout.</param>
    /// <param name="views">Memory from the frame's place in the first view on.</param>
    public void Run(
        ReadOnlySpan<byte> frame, ReadOnlySpan<float> table, ReadOnlySpan<CropView> crops, int viewsPerCrop, ViewStrides strides, Span<float> views)
    {
        for (int i = 0; i < crops.Length; i++)
        {
            Span<float> view = views[(i * viewsPerCrop * strides.View)..];
            for (int y = 0; y < strides.Size; y++)
            {
                for (int x = 0; x < strides.Size; x++)
                {
                    int row = crops[i].Y + y, column = crops[i].X + (crops[i].Flip ? strides.Size - 1 - x : x);
                    int at = (y * strides.Row) + (x * strides.Pixel);
                    bool outside = (uint)row >= (uint)_rows.Length || (uint)column >= (uint)_columns.Length;
                    for (int channel = 0; channel < 3; channel++, at += strides.Channel)
                    {
                        ReadOnlySpan<float> levels = table.Slice(channel * NormalizationTable.Levels, NormalizationTable.Levels);
                        view[at] = outside ? levels[0] : Value(frame[channel..], levels, _rows[row], _columns[column]);
                    }
                }
            }
        }
    }

    private float Value(ReadOnlySpan<byte> frame, ReadOnlySpan<float> levels, Tap row, Tap column)
    {
        ReadOnlySpan<byte> upper = frame[(row.First * _stride)..], lower = frame[(row.Second * _stride)..];
        int left = column.First * 3, right = column.Second * 3;
        return (levels[upper[left]] * row.Near * column.Near)
            + (levels[lower[left]] * row.Far * column.Near)
            + (levels[upper[right]] * row.Near * column.Far)
            + (levels[lower[right]] * row.Far * column.Far);
    }

    private static Tap[] Taps(int input, int output)
    {
        var taps = new Tap[output];
        float ratio = (float)input / output;
        for (int k = 0; k < output; k++)
        {
            float place = (ratio * (k + 0.5f)) - 0.5f;
            int first = Math.Max((int)place, 0);
            float far = Math.Max(place, 0) - first;
            taps[k] = new(first, Math.Min(first + 1, input - 1), 1 - far, far);
        }

        return taps;
    }

    /// <summary>Two neighbours and their weights.</summary>
    private readonly record struct Tap(int First, int Second, float Near, float Far);
}

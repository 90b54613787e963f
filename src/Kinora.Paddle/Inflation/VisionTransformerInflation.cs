namespace Kinora.Paddle;

/// <summary>Makes first weights for TimeSformer from a vision transformer that was trained on images.</summary>
/// <remarks>As PaddleVideo does when it loads such a file; what it leaves at its initial value is written out here.</remarks>
public static class VisionTransformerInflation
{
    /// <summary>
    /// Inflates. Attention over time starts as a copy of attention over space; the layer behind it and the time embedding
    /// start at zero, so that the network answers as the image transformer does.
    /// </summary>
    /// <param name="image">The tensors of the image transformer, with or without the prefix "backbone.". A file of TimeSformer keeps what it has.</param>
    /// <param name="patches">P: patches of one frame; a square number.</param>
    /// <param name="frames">T.</param>
    /// <returns>The tensors of PaddleVideo's TimeSformer, all but the classifier's.</returns>
    /// <exception cref="CheckpointException">There is no position embedding, or its patches don't form a square.</exception>
    public static IReadOnlyList<NamedArray> ToTimeSformer(IEnumerable<NamedArray> image, int patches, int frames)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(patches, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(frames, 1);
        var given = image.ToDictionary(array => array.BareName, StringComparer.Ordinal);
        if (!given.TryGetValue("pos_embed", out NamedArray? positions) || positions.Shape is not [1, > 1, var width])
        {
            throw new CheckpointException(
                $"vision transformer to TimeSformer: expected pos_embed [1, 1 + patches, features], found {(positions is null ? "none" : $"[{string.Join(", ", positions.Shape)}]")}; take the weights of a vision transformer");
        }

        var inflated = new Dictionary<string, NamedArray>(StringComparer.Ordinal);
        foreach ((string name, NamedArray array) in given.Where(entry => !entry.Key.StartsWith("head.", StringComparison.Ordinal)))
        {
            inflated[name] = name switch
            {
                "pos_embed" => Positions(array, patches),
                "time_embed" => Times(array, frames),
                _ => array,
            };
        }

        inflated.TryAdd("time_embed", new NamedArray("time_embed", [1, frames, width], new float[frames * width]));
        foreach ((string name, NamedArray array) in given)
        {
            if (name.Split('.') is ["blocks", var index, var layer and ("attn" or "norm1"), .. var rest])
            {
                inflated.TryAdd(string.Join('.', ["blocks", index, "temporal_" + layer, .. rest]), array);
                inflated.TryAdd($"blocks.{index}.temporal_fc.weight", new NamedArray("", [width, width], new float[width * width]));
                inflated.TryAdd($"blocks.{index}.temporal_fc.bias", new NamedArray("", [width], new float[width]));
            }
        }

        return [.. inflated.Select(entry => entry.Value.ForBackbone(entry.Key))];
    }

    // Linear interpolation on the square grid of patches with its corners kept in place (SciPy's zoom of order 1); the
    // class token's row in front stays as it is.
    internal static NamedArray Positions(NamedArray embedding, int patches)
    {
        int width = checked((int)embedding.Shape[2]);
        int from = Side(embedding.Shape[1] - 1);
        int to = Side(patches);
        if (from == to)
        {
            return embedding;
        }

        ReadOnlySpan<float> values = embedding.Values;
        var resized = new float[(1 + patches) * width];
        values[..width].CopyTo(resized);
        for (int y = 0; y < to; y++)
        {
            (int top, int bottom, double down) = Between(y, from, to);
            for (int x = 0; x < to; x++)
            {
                (int left, int right, double across) = Between(x, from, to);
                ReadOnlySpan<float> topLeft = Cell(values, top, left), topRight = Cell(values, top, right);
                ReadOnlySpan<float> bottomLeft = Cell(values, bottom, left), bottomRight = Cell(values, bottom, right);
                Span<float> cell = resized.AsSpan((1 + (y * to) + x) * width, width);
                for (int c = 0; c < width; c++)
                {
                    double above = topLeft[c] + (across * ((double)topRight[c] - topLeft[c]));
                    double below = bottomLeft[c] + (across * ((double)bottomRight[c] - bottomLeft[c]));
                    cell[c] = (float)(above + (down * (below - above)));
                }
            }
        }

        return embedding with { Shape = [1, 1 + patches, width], Values = resized };

        ReadOnlySpan<float> Cell(ReadOnlySpan<float> grid, int row, int column) => grid.Slice((1 + (row * from) + column) * width, width);
    }

    private static (int Low, int High, double Share) Between(int index, int from, int to)
    {
        double place = to == 1 ? 0 : index * (from - 1.0) / (to - 1);
        int low = Math.Min((int)place, from - 1);
        return (low, Math.Min(low + 1, from - 1), place - low);
    }

    private static int Side(long patches)
    {
        int side = (int)Math.Round(Math.Sqrt(patches));
        return (long)side * side == patches
            ? side
            : throw new CheckpointException($"vision transformer to TimeSformer: pos_embed: expected patches that form a square, found {patches}");
    }

    // The nearest step of another number of frames.
    internal static NamedArray Times(NamedArray embedding, int frames)
    {
        (int from, int width) = (checked((int)embedding.Shape[1]), checked((int)embedding.Shape[2]));
        if (from == frames)
        {
            return embedding;
        }

        var resized = new float[frames * width];
        for (int t = 0; t < frames; t++)
        {
            embedding.Values.AsSpan((int)((long)t * from / frames) * width, width).CopyTo(resized.AsSpan(t * width));
        }

        return embedding with { Shape = [1, frames, width], Values = resized };
    }
}

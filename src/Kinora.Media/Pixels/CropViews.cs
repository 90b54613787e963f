namespace Kinora.Media;

/// <summary>One square crop: its upper left corner, which may lie outside the picture, and whether it is mirrored.</summary>
/// <param name="X">Left column.</param>
/// <param name="Y">Upper row.</param>
/// <param name="Flip">Mirrored left to right.</param>
internal readonly record struct CropView(int X, int Y, bool Flip = false);

/// <summary>The crops of an evaluation, in the order in which their views follow each other.</summary>
internal static class CropViews
{
    /// <summary>How many crops a method makes.</summary>
    public static int Count(CropMethod method) => method switch
    {
        CropMethod.Center => 1,
        CropMethod.Ten => 10,
        CropMethod.Three or CropMethod.FullResolution or CropMethod.Spread => 3,
        _ => throw new ConfigException($"crop.method: expected one of {string.Join(", ", Enum.GetNames<CropMethod>())}, found {method}"),
    };

    /// <summary>The crops of a picture.</summary>
    /// <exception cref="MediaException">The picture is too small, or doesn't suit the three crops.</exception>
    public static CropView[] Of(CropSpec crop, int width, int height) => crop.Method switch
    {
        CropMethod.Center => [Center(crop, width, height)],
        CropMethod.Ten => Ten(crop.Size, width, height),
        CropMethod.Three => Three(crop.Size, width, height),
        CropMethod.Spread => Spread(crop.Size, width, height),
        _ => FullResolution(crop.Size, width, height, flips: false),
    };

    /// <summary>The crop in the middle (CenterCrop).</summary>
    public static CropView Center(CropSpec crop, int width, int height)
    {
        RequireSize("centre crop", crop.Size, width, height);
        return new(Middle(width - crop.Size), Middle(height - crop.Size));

        int Middle(int room) => crop.Rounding == CropRounding.Floor
            ? room / 2
            : (int)Math.Round(room / 2.0, MidpointRounding.ToEven);
    }

    /// <summary>
    /// Corners and centre, each plain and mirrored (TenCrop). Offsets are multiples of floor(room / 4), so the far corner
    /// may be up to three pixels short of the edge; a picture smaller than the crop gets black borders.
    /// </summary>
    public static CropView[] Ten(int size, int width, int height)
    {
        int stepX = FloorQuarter(width - size), stepY = FloorQuarter(height - size);
        ReadOnlySpan<(int X, int Y)> steps = [(0, 0), (4, 0), (0, 4), (4, 4), (2, 2)];
        var crops = new List<CropView>();
        foreach ((int x, int y) in steps)
        {
            crops.Add(new(x * stepX, y * stepY));
            crops.Add(new(x * stepX, y * stepY, Flip: true));
        }

        return [.. crops];
    }

    /// <summary>Both ends and the middle of the long side (UniformCrop); the other side must have the crop's length.</summary>
    public static CropView[] Three(int size, int width, int height)
    {
        if (height == size && width >= size)
        {
            int step = (width - size) / 2;
            return [new(0, 0), new(2 * step, 0), new(step, 0)];
        }

        if (width == size && height >= size)
        {
            int step = (height - size) / 2;
            return [new(0, 0), new(0, 2 * step), new(0, step)];
        }

        throw new MediaException($"three crops: expected a frame with a short side of {size}, found {width}x{height}; resize with a short side of {size}");
    }

    /// <summary>Left, right and middle at half height (GroupFullResSample).</summary>
    public static CropView[] FullResolution(int size, int width, int height, bool flips)
    {
        int stepX = FloorQuarter(width - size), stepY = FloorQuarter(height - size);
        CropView[] plain = [new(0, 2 * stepY), new(4 * stepX, 2 * stepY), new(2 * stepX, 2 * stepY)];
        return flips ? [.. plain.SelectMany(c => new[] { c, c with { Flip = true } })] : plain;
    }

    /// <summary>Start, middle and end of the long side (MultiCrop in its test mode); a square counts as wide.</summary>
    public static CropView[] Spread(int size, int width, int height)
    {
        RequireSize("three crops", size, width, height);
        int roomX = width - size, roomY = height - size;
        return height > width
            ? [new(HalfUp(roomX), 0), new(HalfUp(roomX), HalfUp(roomY)), new(HalfUp(roomX), roomY)]
            : [new(0, HalfUp(roomY)), new(HalfUp(roomX), HalfUp(roomY)), new(roomX, HalfUp(roomY))];

        static int HalfUp(int room) => (room + 1) / 2;
    }

    /// <summary>Refuses a picture that is smaller than the crop.</summary>
    public static void RequireSize(string operation, int size, int width, int height)
    {
        if (width < size || height < size)
        {
            throw new MediaException($"{operation}: expected a frame of at least {size}x{size} after the resize, found {width}x{height}; use a larger short side");
        }
    }

    private static int FloorQuarter(int room) => room >> 2;
}

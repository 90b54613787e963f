namespace Kinora.Media;

/// <summary>The windows that random crops choose from.</summary>
internal static class RandomWindows
{
    private const int ResizedCropTries = 10;

    /// <summary>The crop sizes of a multi-scale crop, in the order in which one is drawn.</summary>
    public static List<(int Width, int Height)> MultiScaleSizes(MultiScaleCropSpec spec, int width, int height)
    {
        int shorter = Math.Min(width, height);

        // A size within two pixels of the target becomes the target, so that it needs no resize.
        int[] sides = [.. spec.Scales.Select(s => (int)(shorter * s)).Select(s => Math.Abs(s - spec.Size) < 3 ? spec.Size : s)];
        var sizes = new List<(int, int)>();
        for (int i = 0; i < sides.Length; i++)
        {
            for (int j = 0; j < sides.Length; j++)
            {
                if (Math.Abs(i - j) <= spec.MaxDistort)
                {
                    sizes.Add((sides[j], sides[i]));
                }
            }
        }

        return sizes;
    }

    /// <summary>The places of a crop of one size, in the order in which one is drawn; whole and fractional pixels.</summary>
    public static List<(double X, double Y)> MultiScalePlaces(MultiScaleCropSpec spec, int width, int height, int cropWidth, int cropHeight)
    {
        double x = (width - cropWidth) / 4.0, y = (height - cropHeight) / 4.0;
        bool all = spec.AllowDuplicates;
        var places = new List<(double, double)> { (0, 0) };
        AddIf(all || x != 0, 4, 0);
        AddIf(all || y != 0, 0, 4);
        AddIf(all || (x != 0 && y != 0), 4, 4);
        AddIf(all || x != 0 || y != 0, 2, 2);
        if (spec.InnerPlaces)
        {
            ReadOnlySpan<(int X, int Y)> inner = [(0, 2), (4, 2), (2, 4), (2, 0), (1, 1), (3, 1), (1, 3), (3, 3)];
            foreach ((int stepsX, int stepsY) in inner)
            {
                AddIf(true, stepsX, stepsY);
            }
        }

        return places;

        void AddIf(bool condition, int stepsX, int stepsY)
        {
            if (condition)
            {
                places.Add((stepsX * x, stepsY * y));
            }
        }
    }

    /// <summary>
    /// Pillow's crop of a box with fractional corners: each corner is rounded half to even by itself, so the window may be
    /// a pixel larger or smaller than the box.
    /// </summary>
    public static PixelWindow Rounded(double left, double top, double right, double bottom)
    {
        int x = Even(left), y = Even(top);
        return new(x, y, Even(right) - x, Even(bottom) - y);

        static int Even(double value) => (int)Math.Round(value, MidpointRounding.ToEven);
    }

    /// <summary>Draws the window of a multi-scale crop; it may reach a pixel or two outside the frame.</summary>
    public static PixelWindow MultiScale(MultiScaleCropSpec spec, int width, int height, IDraws draws)
    {
        List<(int Width, int Height)> sizes = MultiScaleSizes(spec, width, height);
        (int cropWidth, int cropHeight) = sizes[draws.Choice(sizes.Count)];
        if (!spec.FixedPlaces)
        {
            int left = draws.Integer(0, Math.Max(width - cropWidth, 0) + 1);
            int top = draws.Integer(0, Math.Max(height - cropHeight, 0) + 1);
            return new(left, top, cropWidth, cropHeight);
        }

        List<(double X, double Y)> places = MultiScalePlaces(spec, width, height, cropWidth, cropHeight);
        (double x, double y) = places[draws.Choice(places.Count)];
        return Rounded(x, y, x + cropWidth, y + cropHeight);
    }

    /// <summary>Draws the window of a random resized crop; inside the frame.</summary>
    public static PixelWindow ResizedCrop(RandomResizedCropSpec spec, int width, int height, IDraws draws)
    {
        Span<double> logRatios = stackalloc double[ResizedCropTries], areas = stackalloc double[ResizedCropTries];
        double low = Math.Log(spec.MinRatio), high = Math.Log(spec.MaxRatio);
        for (int i = 0; i < ResizedCropTries; i++)
        {
            logRatios[i] = draws.Real(low, high);
        }

        for (int i = 0; i < ResizedCropTries; i++)
        {
            areas[i] = draws.Real(spec.MinArea, spec.MaxArea);
        }

        for (int i = 0; i < ResizedCropTries; i++)
        {
            (int cropWidth, int cropHeight) = ResizedCropSize(width, height, logRatios[i], areas[i]);
            if (cropWidth >= 1 && cropHeight >= 1 && cropWidth <= width && cropHeight <= height)
            {
                int left = draws.Integer(0, width - cropWidth + 1);
                return new(left, draws.Integer(0, height - cropHeight + 1), cropWidth, cropHeight);
            }
        }

        int side = Math.Min(width, height);
        return new((width - side) / 2, (height - side) / 2, side, side);
    }

    /// <summary>The size of one try of a random resized crop; it may be too large.</summary>
    public static (int Width, int Height) ResizedCropSize(int width, int height, double logRatio, double areaShare)
    {
        double ratio = Math.Exp(logRatio), area = areaShare * ((double)width * height);
        return (Even(Math.Sqrt(area * ratio)), Even(Math.Sqrt(area / ratio)));

        static int Even(double value) => (int)Math.Round(value, MidpointRounding.ToEven);
    }
}

namespace Kinora.Media;

/// <summary>Changes the pixels of a whole clip, [T, size, size, 3].</summary>
internal delegate void PixelStep(Span<byte> pixels, int size);

/// <summary>The changes of pixels that the draws decided for one clip, in order.</summary>
internal static class PixelSteps
{
    /// <summary>Number of RandAugment's operations.</summary>
    public const int Operations = 14;

    private const double FullMagnitude = 10;
    private const int ErasingTries = 10;

    /// <summary>Draws the steps: colour, grey, RandAugment, erasing.</summary>
    /// <param name="augmentation">What is varied.</param>
    /// <param name="normalization">Gives the mean colour.</param>
    /// <param name="size">Side of the frames, in pixels.</param>
    /// <param name="draws">Decides.</param>
    /// <returns>Steps to be applied in order.</returns>
    public static List<PixelStep> Draw(TrainingAugmentation augmentation, Normalization normalization, int size, IDraws draws)
    {
        var steps = new List<PixelStep>();
        if (augmentation.ColorJitter is { } color && draws.Unit() < color.Probability)
        {
            AddColor(steps, color, draws);
        }

        if (augmentation.GreyProbability > 0 && draws.Unit() < augmentation.GreyProbability)
        {
            steps.Add(static (pixels, _) => ClipColor.Saturation(pixels, 0));
        }

        if (augmentation.RandAugment is { } random)
        {
            for (int i = 0; i < random.Operations; i++)
            {
                int operation = draws.Choice(Operations);
                double magnitude = random.Magnitude;
                if (random.MagnitudeNoise > 0)
                {
                    magnitude += random.MagnitudeNoise * Normal(draws);
                }

                double sign = draws.Unit() < 0.5 ? -1 : 1;
                if (Operation(operation, Math.Clamp(magnitude, 0, FullMagnitude) / FullMagnitude, sign) is { } step)
                {
                    steps.Add(step);
                }
            }
        }

        if (augmentation.RandomErasing is { } erasing && draws.Unit() < erasing.Probability && EraseBox(erasing, size, draws) is { } box)
        {
            byte[] fill = erasing.Fill == EraseFill.Mean ? MeanColor(normalization) : Noise(box, draws);
            steps.Add((pixels, side) => ClipGeometry.Fill(pixels, side, box, fill));
        }

        return steps;
    }

    /// <summary>One of RandAugment's operations.</summary>
    /// <param name="operation">Which, 0 to 13, in the paper's order.</param>
    /// <param name="strength">0 to 1.</param>
    /// <param name="sign">1 or −1, the direction of those that have one.</param>
    /// <returns>The step; null for doing nothing.</returns>
    public static PixelStep? Operation(int operation, double strength, double sign)
    {
        double signed = sign * strength, factor = 1 + (0.9 * signed);
        return operation switch
        {
            0 => null,
            1 => static (pixels, _) => ClipColor.AutoContrast(pixels),
            2 => static (pixels, _) => ClipColor.Equalize(pixels),
            3 => (pixels, size) => Rotate(pixels, size, 30 * signed),
            4 => (pixels, _) => ClipColor.Solarize(pixels, 256 - (int)Math.Round(256 * strength)),
            5 => (pixels, _) => ClipColor.Saturation(pixels, factor),
            6 => (pixels, _) => ClipColor.Posterize(pixels, 8 - (int)Math.Round(4 * strength)),
            7 => (pixels, _) => ClipColor.Contrast(pixels, factor),
            8 => (pixels, _) => ClipColor.Brightness(pixels, factor),
            9 => (pixels, size) => ClipColor.Sharpness(pixels, size, factor),
            10 => (pixels, size) => ClipGeometry.Warp(pixels, size, 1, 0.3 * signed, 0, 1, 0, 0),
            11 => (pixels, size) => ClipGeometry.Warp(pixels, size, 1, 0, 0.3 * signed, 1, 0, 0),
            12 => (pixels, size) => ClipGeometry.Warp(pixels, size, 1, 0, 0, 1, 0.45 * signed * size, 0),
            _ => (pixels, size) => ClipGeometry.Warp(pixels, size, 1, 0, 0, 1, 0, 0.45 * signed * size),
        };
    }

    private static void Rotate(Span<byte> pixels, int size, double degrees)
    {
        (double sin, double cos) = Math.SinCos(degrees * Math.PI / 180);
        ClipGeometry.Warp(pixels, size, cos, -sin, sin, cos, 0, 0);
    }

    private static void AddColor(List<PixelStep> steps, ColorJitterSpec color, IDraws draws)
    {
        if (color.Brightness > 0)
        {
            double factor = Factor(color.Brightness, 0);
            steps.Add((pixels, _) => ClipColor.Brightness(pixels, factor));
        }

        if (color.Contrast > 0)
        {
            double factor = Factor(color.Contrast, 0);
            steps.Add((pixels, _) => ClipColor.Contrast(pixels, factor));
        }

        if (color.Saturation > 0)
        {
            double factor = Factor(color.Saturation, 0);
            steps.Add((pixels, _) => ClipColor.Saturation(pixels, factor));
        }

        if (color.Hue > 0)
        {
            double turn = draws.Real(-color.Hue, color.Hue);
            steps.Add((pixels, _) => ClipColor.Hue(pixels, turn));
        }

        if (color.Gamma > 0)
        {
            double exponent = Factor(color.Gamma, 0.01);
            steps.Add((pixels, _) => ClipColor.Gamma(pixels, exponent));
        }

        double Factor(double width, double least) => draws.Real(Math.Max(least, 1 - width), 1 + width);
    }

    // Box and Muller's transform, of two draws.
    private static double Normal(IDraws draws)
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - draws.Unit()));
        return radius * Math.Cos(Math.Tau * draws.Unit());
    }

    // The first of ten tries that fits; null where none does.
    private static PixelWindow? EraseBox(RandomErasingSpec erasing, int size, IDraws draws)
    {
        double ratios = -Math.Log(erasing.MinRatio);
        for (int i = 0; i < ErasingTries; i++)
        {
            double area = draws.Real(erasing.MinArea, erasing.MaxArea) * size * size, ratio = Math.Exp(draws.Real(-ratios, ratios));
            int width = (int)Math.Round(Math.Sqrt(area * ratio)), height = (int)Math.Round(Math.Sqrt(area / ratio));
            if (width >= 1 && height >= 1 && width <= size && height <= size)
            {
                return new(draws.Integer(0, size - width + 1), draws.Integer(0, size - height + 1), width, height);
            }
        }

        return null;
    }

    private static byte[] MeanColor(Normalization normalization)
    {
        float scale = normalization.Scale;
        return [Byte(normalization.Mean.R), Byte(normalization.Mean.G), Byte(normalization.Mean.B)];

        byte Byte(float mean) => (byte)Math.Clamp(MathF.Round(mean * scale), 0, 255);
    }

    private static byte[] Noise(PixelWindow box, IDraws draws)
    {
        var random = new CounterRandom((ulong)draws.Integer(0, int.MaxValue), "erase");
        byte[] noise = new byte[box.Width * box.Height * 3];
        for (int i = 0; i < noise.Length; i++)
        {
            noise[i] = (byte)random.NextUInt32();
        }

        return noise;
    }
}

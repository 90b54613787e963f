namespace Kinora.Data.Synthetic.Rendering;

/// <summary>Colours of a person and the things.</summary>
internal sealed record Wardrobe(Color Skin, Color Hair, Color Shirt, Color Trousers, Color Shoes, Color Thing, bool LongSleeves, bool Shorts, float Stripes)
{
    private static readonly Color[] _skins =
        [new(255, 224, 196), new(241, 194, 155), new(224, 172, 125), new(198, 134, 92), new(141, 85, 54), new(92, 57, 38)];

    /// <summary>Draws colours; clothes and things keep a distance from what lies behind them.</summary>
    public static Wardrobe Draw(Color wall, Color floor, CounterRandom random)
    {
        int skin = random.NextInt32(_skins.Length - 1);
        Color hair = random.NextBool(0.7)
            ? Color.FromHsv(random.NextDouble(0.03, 0.1), random.NextDouble(0.2, 0.7), random.NextDouble(0.05, 0.45))
            : Color.FromHsv(random.NextDouble(0.08, 0.15), random.NextDouble(0.1, 0.6), random.NextDouble(0.5, 0.95));
        Color shirt = Apart(random, wall, wall, 0.15, 1);
        Color trousers = Apart(random, wall, floor, 0.12, 0.9);
        return new Wardrobe(
            Color.Mix(_skins[skin], _skins[skin + 1], (float)random.NextDouble()), hair, shirt, trousers,
            Color.FromHsv(random.NextDouble(), random.NextDouble(0, 0.8), random.NextDouble(0.05, 0.95)),
            Apart(random, Color.Mix(wall, trousers, 0.4f), floor, 0.2, 0.95),
            random.NextBool(), random.NextBool(0.3),
            random.NextBool(0.3) ? random.NextInt32(4, 10) : 0);
    }

    private static Color Apart(CounterRandom random, Color first, Color second, double darkest, double brightest)
    {
        Color best = default;
        float bestDistance = -1;
        for (int i = 0; i < 12; i++)
        {
            Color color = Color.FromHsv(random.NextDouble(), random.NextDouble(0, 0.95), random.NextDouble(darkest, brightest));
            float distance = Math.Min(color.DistanceTo(first), color.DistanceTo(second))
                + (2 * Math.Min(Math.Abs(color.Luminance - first.Luminance), Math.Abs(color.Luminance - second.Luminance)));
            if (distance > 170)
            {
                return color;
            }

            if (distance > bestDistance)
            {
                (best, bestDistance) = (color, distance);
            }
        }

        return best;
    }
}

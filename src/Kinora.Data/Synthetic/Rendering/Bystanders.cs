namespace Kinora.Data.Synthetic.Rendering;

/// <summary>
/// What moves or stands in the picture without meaning anything: balls and birds behind the person, posts and leaves
/// before it. Paths have no preferred direction in time.
/// </summary>
internal sealed class Bystanders
{
    private readonly List<Mover> _movers = [];
    private readonly List<(float X, float Y, float W, float H, bool Round, Color Color)> _front = [];

    private Bystanders()
    {
    }

    public int Moving => _movers.Count;

    public int InFront => _front.Count;

    /// <param name="width">Picture width.</param>
    /// <param name="height">Picture height.</param>
    /// <param name="figure">Box that the performance fills.</param>
    /// <param name="strength">0: none; 1: the usual amount.</param>
    /// <param name="random">The clip's stream.</param>
    public static Bystanders Draw(int width, int height, (float Left, float Top, float Right, float Bottom) figure, double strength, CounterRandom random)
    {
        var all = new Bystanders();
        int movers = random.NextBool(0.4 * strength) ? random.NextInt32(1, 4) : 0;
        for (int i = 0; i < movers; i++)
        {
            all._movers.Add(new Mover(
                random.NextInt32(3),
                (float)(random.NextDouble() * width), (float)(random.NextDouble() * height * 0.8),
                (float)(random.NextDouble(-0.35, 0.35) * width), (float)(random.NextDouble(-0.12, 0.12) * height),
                (float)(random.NextDouble(0.02, 0.055) * width),
                Color.FromHsv(random.NextDouble(), random.NextDouble(0.1, 0.9), random.NextDouble(0.2, 1)),
                (float)random.NextDouble(0, Math.Tau)));
        }

        if (random.NextBool(0.35 * strength))
        {
            Color color = Color.FromHsv(random.NextDouble(), random.NextDouble(0.05, 0.6), random.NextDouble(0.1, 0.7));
            float spread = figure.Right - figure.Left;
            switch (random.NextInt32(3))
            {
                case 0:
                    float post = (float)random.NextDouble(0.025, 0.055) * width;
                    float at = figure.Left + (spread * (float)random.NextDouble(-0.1, 1.1));
                    all._front.Add((at - (post / 2), -height, post, height * 3, false, color));
                    break;
                case 1:
                    float side = random.NextBool() ? 0.02f : 0.98f;
                    for (int i = 0; i < 7; i++)
                    {
                        float size = (float)random.NextDouble(0.05, 0.1) * width;
                        all._front.Add(((width * side) + ((float)random.NextDouble(-0.11, 0.11) * width), height * (float)random.NextDouble(0.72, 1), size, size * 0.7f, true, color * (float)random.NextDouble(0.7, 1.2)));
                    }

                    break;
                default:
                    float rail = (float)random.NextDouble(0.02, 0.045) * height;
                    all._front.Add((-width, figure.Top + ((figure.Bottom - figure.Top) * (float)random.NextDouble(0.55, 0.95)), width * 3, rail, false, color));
                    break;
            }
        }

        return all;
    }

    public void DrawBehind(Raster picture, in Handheld.Transform move, double u, double seconds, in Light light)
    {
        foreach (Mover m in _movers)
        {
            float t = (float)(u - 0.5);
            Point p = move.Apply(new(m.X + (m.SpeedX * t), m.Y + (m.SpeedY * t)));
            if (m.Kind == 0)
            {
                picture.Limb(p, m.Size, p, m.Size, m.Color, light);
            }
            else if (m.Kind == 1)
            {
                float flap = (float)Math.Sin((seconds * 12) + m.Phase) * m.Size * 0.6f;
                picture.Limb(p, m.Size * 0.25f, new(p.X - m.Size, p.Y - flap), m.Size * 0.08f, m.Color, light);
                picture.Limb(p, m.Size * 0.25f, new(p.X + m.Size, p.Y - flap), m.Size * 0.08f, m.Color, light);
            }
            else
            {
                picture.Rectangle(p.X - m.Size, p.Y - (m.Size * 0.6f), p.X + m.Size, p.Y + (m.Size * 0.6f), m.Color);
            }
        }
    }

    public void DrawBefore(Raster picture, in Handheld.Transform move)
    {
        foreach ((float x, float y, float w, float h, bool round, Color color) in _front)
        {
            if (round)
            {
                picture.Ellipse(move.Apply(new(x, y)), w, h, color);
                continue;
            }

            picture.Polygon([move.Apply(new(x, y)), move.Apply(new(x + w, y)), move.Apply(new(x + w, y + h)), move.Apply(new(x, y + h))], color);
        }
    }

    private sealed record Mover(int Kind, float X, float Y, float SpeedX, float SpeedY, float Size, Color Color, float Phase);
}

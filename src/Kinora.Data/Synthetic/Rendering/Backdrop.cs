namespace Kinora.Data.Synthetic.Rendering;

/// <summary>The kinds of place in which a clip is set.</summary>
internal enum Place
{
    /// <summary>A room with a plain wall.</summary>
    Room,

    /// <summary>A room with patterned wallpaper: stripes, checks or dots.</summary>
    Wallpaper,

    /// <summary>A brick or tile wall.</summary>
    Bricks,

    /// <summary>Sky, hills, trees, grass.</summary>
    Outdoors,

    /// <summary>Smooth random colours.</summary>
    Clouds,

    /// <summary>A studio: one colour gradient, no visible floor edge.</summary>
    Studio,
}

/// <summary>What stands still behind the person: drawn once a clip on a picture with a margin for the camera's motion.</summary>
internal sealed class Backdrop
{
    private Backdrop(Raster picture, Place place, int clutter, Color wall, Color floor)
    {
        Picture = picture;
        Place = place;
        Clutter = clutter;
        Wall = wall;
        Floor = floor;
    }

    public Raster Picture { get; }

    public Place Place { get; }

    /// <summary>Number of things standing or hanging around.</summary>
    public int Clutter { get; }

    /// <summary>Main colour behind the person's upper part; clothes keep a distance from it.</summary>
    public Color Wall { get; }

    /// <summary>Main colour of the floor.</summary>
    public Color Floor { get; }

    /// <param name="width">Width with margin, in pixels.</param>
    /// <param name="height">Height with margin, in pixels.</param>
    /// <param name="horizon">Row where floor and wall meet.</param>
    /// <param name="random">The clip's stream for the backdrop.</param>
    public static Backdrop Draw(int width, int height, float horizon, CounterRandom random)
    {
        var picture = new Raster(width, height);
        var place = (Place)random.NextInt32(6);
        Color wall = Color.FromHsv(random.NextDouble(), random.NextDouble(0.05, 0.45), random.NextDouble(0.3, 0.95));
        Color second = Color.FromHsv(random.NextDouble(), random.NextDouble(0.05, 0.45), random.NextDouble(0.3, 0.95));
        Color floor = Color.FromHsv(random.NextDouble(), random.NextDouble(0.05, 0.45), random.NextDouble(0.25, 0.8));
        if (place == Place.Outdoors)
        {
            wall = Color.FromHsv(random.NextDouble(0.5, 0.65), random.NextDouble(0.1, 0.5), random.NextDouble(0.65, 1));
            second = Color.FromHsv(random.NextDouble(0.5, 0.65), random.NextDouble(0, 0.2), random.NextDouble(0.8, 1));
            floor = Color.FromHsv(random.NextDouble(0.08, 0.38), random.NextDouble(0.2, 0.6), random.NextDouble(0.3, 0.75));
        }

        float drift = (float)random.NextDouble(0.1, place == Place.Studio ? 0.6 : 0.3);
        var coarse = new Noise(random, 6);
        var fine = new Noise(random, 24);
        float grain = (float)random.NextDouble(0, 0.22), cloud = place == Place.Clouds ? 0.9f : (float)random.NextDouble(0, 0.35);
        int pattern = random.NextInt32(3);
        float period = (float)random.NextDouble(6, 22) * width / 200f;
        float edge = place == Place.Studio ? 40 : 1;
        Color patternColor = Color.Mix(wall, second, (float)random.NextDouble(0.25, 0.8));
        for (int y = 0; y < height; y++)
        {
            float floorShare = Math.Clamp(((y - horizon) / edge) + 0.5f, 0, 1);
            for (int x = 0; x < width; x++)
            {
                float u = (float)x / width, v = (float)y / height;
                Color up = Color.Mix(wall, second, Math.Clamp((v * drift * 2) + (cloud * coarse.At(u, v)), 0, 1));
                up = place switch
                {
                    Place.Wallpaper when Figured(pattern, x, y, period) => Color.Mix(up, patternColor, 0.7f),
                    Place.Bricks when Joint(x, y, period) => up * 0.72f,
                    _ => up,
                };
                float depth = Math.Max(0, y - horizon) / height;
                Color down = floor * (0.85f + (depth * 0.5f));
                Color color = Color.Mix(up, down, floorShare) * (1 + (grain * (fine.At(u * 3, v * 3) - 0.5f)));
                int at = ((y * width) + x) * 3;
                picture.Pixels[at] = (byte)Math.Clamp(color.R, 0, 255);
                picture.Pixels[at + 1] = (byte)Math.Clamp(color.G, 0, 255);
                picture.Pixels[at + 2] = (byte)Math.Clamp(color.B, 0, 255);
            }
        }

        int clutter = random.NextInt32(place == Place.Studio ? 3 : 9);
        for (int i = 0; i < clutter; i++)
        {
            Thing(picture, place, horizon, random);
        }

        return new Backdrop(picture, place, clutter, place == Place.Clouds ? Color.Mix(wall, second, 0.45f) : wall, floor);
    }

    private static bool Figured(int pattern, int x, int y, float period) => pattern switch
    {
        0 => (x / period % 2) < 1,
        1 => ((x / period % 2) < 1) ^ ((y / period % 2) < 1),
        _ => Square(((x / period) % 1) - 0.5f) + Square(((y / period) % 1) - 0.5f) < 0.06f,
    };

    private static bool Joint(int x, int y, float period)
    {
        float row = y / period * 2;
        float shift = ((int)row & 1) * 0.5f;
        return row % 1 < 0.14f || ((x / period) + shift) % 1 < 0.08f;
    }

    private static float Square(float x) => x * x;

    // Pictures and shelves on a wall, furniture on the floor, trees and bushes outdoors.
    private static void Thing(Raster picture, Place place, float horizon, CounterRandom random)
    {
        float w = picture.Width, h = picture.Height;
        Color color = Color.FromHsv(random.NextDouble(), random.NextDouble(0.1, 0.7), random.NextDouble(0.2, 0.9));
        float x = (float)random.NextDouble() * w;
        float size = (float)random.NextDouble(0.05, 0.2) * w;
        if (place == Place.Outdoors)
        {
            Color leaves = Color.FromHsv(random.NextDouble(0.15, 0.42), random.NextDouble(0.3, 0.7), random.NextDouble(0.2, 0.6));
            float foot = horizon + (float)random.NextDouble(0, 0.04) * h;
            if (random.NextBool())
            {
                picture.Rectangle(x - (size * 0.09f), foot - size, x + (size * 0.09f), foot, new Color(92, 70, 50));
                picture.Ellipse(new(x, foot - (size * 1.3f)), size * 0.55f, size * 0.7f, leaves);
            }
            else
            {
                picture.Ellipse(new(x, foot), size, size * 0.5f, leaves);
            }

            return;
        }

        if (random.NextBool(0.6))
        {
            float y = (float)random.NextDouble(0.05, 0.8) * horizon, tall = size * (float)random.NextDouble(0.5, 1.4);
            picture.Rectangle(x, y, x + size, y + tall, color);
            picture.Rectangle(x + 2, y + 2, x + size - 2, y + tall - 2, Color.FromHsv(random.NextDouble(), 0.3, random.NextDouble(0.3, 1)));
        }
        else
        {
            float tall = size * (float)random.NextDouble(0.6, 2), foot = horizon + (float)random.NextDouble(0, 0.05) * h;
            picture.Rectangle(x, foot - tall, x + size, foot, color);
            picture.Rectangle(x + (size * 0.1f), foot - (tall * 0.9f), x + (size * 0.9f), foot - (tall * 0.5f), color * 0.8f);
        }
    }

    /// <summary>Smooth noise: random values on a grid, blended between.</summary>
    private sealed class Noise
    {
        private readonly float[] _values;
        private readonly int _cells;

        public Noise(CounterRandom random, int cells)
        {
            _cells = cells;
            _values = new float[cells * cells];
            for (int i = 0; i < _values.Length; i++)
            {
                _values[i] = (float)random.NextDouble();
            }
        }

        public float At(float u, float v)
        {
            float x = u * _cells, y = v * _cells;
            int x0 = (int)MathF.Floor(x), y0 = (int)MathF.Floor(y);
            float fx = x - x0, fy = y - y0;
            (fx, fy) = (fx * fx * (3 - (2 * fx)), fy * fy * (3 - (2 * fy)));
            float top = Value(x0, y0) + ((Value(x0 + 1, y0) - Value(x0, y0)) * fx);
            float bottom = Value(x0, y0 + 1) + ((Value(x0 + 1, y0 + 1) - Value(x0, y0 + 1)) * fx);
            return top + ((bottom - top) * fy);
        }

        private float Value(int x, int y) => _values[(y % _cells * _cells) + (x % _cells)];
    }
}

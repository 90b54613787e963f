namespace Kinora.Data.Synthetic.Rendering;

/// <summary>A point of the picture, in pixels; pixel (0, 0) covers [0, 1) × [0, 1).</summary>
internal readonly record struct Point(float X, float Y);

/// <summary>Where the light comes from and how strong its two parts are.</summary>
/// <param name="X">Direction to the right.</param>
/// <param name="Y">Direction down.</param>
/// <param name="Z">Direction towards the camera.</param>
/// <param name="Ambient">Part that every side gets.</param>
/// <param name="Diffuse">Part that a side facing the light gets on top.</param>
internal readonly record struct Light(float X, float Y, float Z, float Ambient, float Diffuse);

/// <summary>A picture of RGB bytes and the few shapes drawn into it, with the share of each edge pixel that they cover.</summary>
internal sealed class Raster(int width, int height)
{
    public int Width { get; } = width;

    public int Height { get; } = height;

    /// <summary>Rows from the top, three bytes a pixel.</summary>
    public byte[] Pixels { get; } = new byte[width * height * 3];

    /// <summary>A round limb whose radius changes along the way, shaded as a body. Equal ends make a ball.</summary>
    public void Limb(Point from, float fromRadius, Point to, float toRadius, Color color, in Light light, float stripes = 0)
    {
        float bx = to.X - from.X, by = to.Y - from.Y;
        float inverse = 1 / Math.Max((bx * bx) + (by * by), 1e-6f);
        int left = First(Math.Min(from.X - fromRadius, to.X - toRadius)), right = Last(Math.Max(from.X + fromRadius, to.X + toRadius), Width);
        int top = First(Math.Min(from.Y - fromRadius, to.Y - toRadius)), bottom = Last(Math.Max(from.Y + fromRadius, to.Y + toRadius), Height);
        float largest = Math.Max(fromRadius, toRadius) + 0.5f;
        for (int y = top; y < bottom; y++)
        {
            float ay = y + 0.5f - from.Y;
            for (int x = left; x < right; x++)
            {
                float ax = x + 0.5f - from.X;
                float along = Math.Clamp(((ax * bx) + (ay * by)) * inverse, 0, 1);
                float dx = ax - (bx * along), dy = ay - (by * along);
                float squared = (dx * dx) + (dy * dy);
                if (squared > largest * largest)
                {
                    continue;
                }

                float distance = MathF.Sqrt(squared);
                float radius = fromRadius + ((toRadius - fromRadius) * along);
                float cover = Math.Min(radius - distance + 0.5f, 1);
                if (cover <= 0)
                {
                    continue;
                }

                float nx = dx / radius, ny = dy / radius;
                float nz = MathF.Sqrt(Math.Max(0, 1 - (nx * nx) - (ny * ny)));
                float shade = light.Ambient + (light.Diffuse * Math.Max(0, (nx * light.X) + (ny * light.Y) + (nz * light.Z)));
                if (stripes != 0 && ((int)MathF.Floor(along * stripes) & 1) != 0)
                {
                    shade *= 0.62f;
                }

                Blend(((y * Width) + x) * 3, color * shade, cover);
            }
        }
    }

    /// <summary>A flat convex polygon; the corners may turn either way.</summary>
    public void Polygon(ReadOnlySpan<Point> corners, Color color, float opacity = 1)
    {
        float area = 0, minX = float.MaxValue, minY = float.MaxValue, maxX = float.MinValue, maxY = float.MinValue;
        for (int i = 0; i < corners.Length; i++)
        {
            Point a = corners[i], b = corners[(i + 1) % corners.Length];
            area += (a.X * b.Y) - (b.X * a.Y);
            (minX, maxX) = (Math.Min(minX, a.X), Math.Max(maxX, a.X));
            (minY, maxY) = (Math.Min(minY, a.Y), Math.Max(maxY, a.Y));
        }

        float sign = area < 0 ? -1 : 1;
        Span<float> edges = stackalloc float[corners.Length * 3];
        for (int i = 0; i < corners.Length; i++)
        {
            Point a = corners[i], b = corners[(i + 1) % corners.Length];
            float ex = b.X - a.X, ey = b.Y - a.Y;
            float scale = sign / MathF.Sqrt(Math.Max((ex * ex) + (ey * ey), 1e-6f));
            (edges[i * 3], edges[(i * 3) + 1]) = (-ey * scale, ex * scale);
            edges[(i * 3) + 2] = -((a.X * edges[i * 3]) + (a.Y * edges[(i * 3) + 1]));
        }

        for (int y = First(minY), bottom = Last(maxY, Height); y < bottom; y++)
        {
            for (int x = First(minX), right = Last(maxX, Width); x < right; x++)
            {
                float cover = 1;
                for (int e = 0; e < edges.Length && cover > 0; e += 3)
                {
                    cover = Math.Min(cover, (edges[e] * (x + 0.5f)) + (edges[e + 1] * (y + 0.5f)) + edges[e + 2] + 0.5f);
                }

                if (cover > 0)
                {
                    Blend(((y * Width) + x) * 3, color, cover * opacity);
                }
            }
        }
    }

    /// <summary>A flat ellipse with upright axes; <paramref name="softness"/> 0 has a sharp edge, 1 fades from the middle.</summary>
    public void Ellipse(Point center, float radiusX, float radiusY, Color color, float opacity = 1, float softness = 0)
    {
        float edge = Math.Max(softness, 1 / Math.Max(Math.Min(radiusX, radiusY), 0.5f));
        for (int y = First(center.Y - radiusY), bottom = Last(center.Y + radiusY, Height); y < bottom; y++)
        {
            float dy = (y + 0.5f - center.Y) / radiusY;
            for (int x = First(center.X - radiusX), right = Last(center.X + radiusX, Width); x < right; x++)
            {
                float dx = (x + 0.5f - center.X) / radiusX;
                float cover = (1 - MathF.Sqrt((dx * dx) + (dy * dy))) / edge;
                cover += softness > 0 ? 0 : 0.5f;
                if (cover > 0)
                {
                    Blend(((y * Width) + x) * 3, color, Math.Min(cover, 1) * opacity);
                }
            }
        }
    }

    public void Rectangle(float left, float top, float right, float bottom, Color color, float opacity = 1) =>
        Polygon([new(left, top), new(right, top), new(right, bottom), new(left, bottom)], color, opacity);

    private static int First(float low) => Math.Max(0, (int)MathF.Floor(Math.Max(low, -1e6f) - 0.5f));

    private static int Last(float high, int limit) => Math.Min(limit, (int)MathF.Ceiling(Math.Min(high, 1e6f) + 0.5f));

    private void Blend(int at, Color color, float cover)
    {
        byte[] p = Pixels;
        p[at] = (byte)Math.Clamp(p[at] + ((color.R - p[at]) * cover) + 0.5f, 0, 255);
        p[at + 1] = (byte)Math.Clamp(p[at + 1] + ((color.G - p[at + 1]) * cover) + 0.5f, 0, 255);
        p[at + 2] = (byte)Math.Clamp(p[at + 2] + ((color.B - p[at + 2]) * cover) + 0.5f, 0, 255);
    }
}

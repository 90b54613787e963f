namespace Kinora.Media;

/// <summary>A rectangle of pixels; it may reach outside its image, where everything is black.</summary>
/// <param name="X">Left column, included.</param>
/// <param name="Y">Upper row, included.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct PixelWindow(int X, int Y, int Width, int Height)
{
    public int Right => X + Width;

    public int Bottom => Y + Height;

    public bool IsInside(int width, int height) => X >= 0 && Y >= 0 && Right <= width && Bottom <= height;

    /// <summary>The part inside an image; empty (no columns or rows) where they don't meet.</summary>
    public PixelWindow ClipTo(int width, int height)
    {
        int left = Math.Clamp(X, 0, width), top = Math.Clamp(Y, 0, height);
        return new(left, top, Math.Max(0, Math.Min(Right, width) - left), Math.Max(0, Math.Min(Bottom, height) - top));
    }

    /// <summary>The smallest window around both.</summary>
    public PixelWindow Union(PixelWindow other)
    {
        if (Width == 0 || Height == 0)
        {
            return other;
        }

        if (other.Width == 0 || other.Height == 0)
        {
            return this;
        }

        int left = Math.Min(X, other.X), top = Math.Min(Y, other.Y);
        return new(left, top, Math.Max(Right, other.Right) - left, Math.Max(Bottom, other.Bottom) - top);
    }
}

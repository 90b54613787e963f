namespace Kinora.Media;

/// <summary>The size that a resize rule gives to a frame.</summary>
internal static class ResizeTarget
{
    /// <summary>Applies a rule, with PaddleVideo's roundings (op Scale) and its rule of leaving alone what already fits.</summary>
    /// <param name="resize">Rule and short side.</param>
    /// <param name="width">Frame width, at least 1.</param>
    /// <param name="height">Frame height, at least 1.</param>
    /// <returns>The new size; the old one where nothing is to be done.</returns>
    public static (int Width, int Height) Of(ResizeSpec resize, int width, int height)
    {
        int side = resize.ShortSide;
        if (resize.Rule == ResizeRule.None || Math.Min(width, height) == side)
        {
            return (width, height);
        }

        bool portrait = width <= height;
        int shorter = portrait ? width : height, longer = portrait ? height : width;
        (int newShort, int newLong) = resize.Rule switch
        {
            ResizeRule.FixedRatio => (side, (int)(side * 4.0 / 3.0)),
            ResizeRule.Square => (side, side),
            ResizeRule.KeepAspectTruncate => (side, (int)((double)((long)longer * side) / shorter)),
            ResizeRule.KeepAspectRound => (Rounded(shorter), Rounded(longer)),
            ResizeRule.KeepAspectFloor => (side, (int)Math.Floor((double)longer / shorter * side)),
            _ => throw new ConfigException($"resize.rule: expected one of {string.Join(", ", Enum.GetNames<ResizeRule>())}, found {resize.Rule}"),
        };
        return portrait ? (newShort, newLong) : (newLong, newShort);

        int Rounded(int length) => (int)((length * ((double)side / shorter)) + 0.5);
    }

    /// <summary>SlowFast's jitter: the long side follows the drawn short side, rounded down.</summary>
    /// <param name="shortSide">New short side, in pixels.</param>
    /// <param name="width">Frame width, at least 1.</param>
    /// <param name="height">Frame height, at least 1.</param>
    /// <returns>The new size; the old one where the short side already fits.</returns>
    public static (int Width, int Height) OfJitter(int shortSide, int width, int height) =>
        Of(new ResizeSpec(ResizeRule.KeepAspectFloor, shortSide), width, height);
}

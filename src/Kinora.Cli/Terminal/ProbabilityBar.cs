namespace Kinora.Cli.Terminal;

/// <summary>A horizontal bar out of block characters, with a resolution of an eighth of a cell.</summary>
internal static class ProbabilityBar
{
    private const string Eighths = " ▏▎▍▌▋▊▉█";

    /// <summary>Draws a bar.</summary>
    /// <param name="share">In [0, 1].</param>
    /// <param name="width">Cells of the full bar.</param>
    /// <returns>Exactly <paramref name="width"/> characters.</returns>
    public static string Draw(double share, int width)
    {
        int eighths = (int)Math.Round(Math.Clamp(share, 0, 1) * width * 8, MidpointRounding.AwayFromZero);
        string bar = new('█', eighths / 8);
        return (eighths % 8 == 0 ? bar : bar + Eighths[eighths % 8]).PadRight(width);
    }
}

using System.Globalization;
using System.Text;

namespace Kinora.Training;

/// <summary>One line of a chart.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Points">x and y, x rising; points that aren't finite are left out.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>A line chart as inline SVG, coloured by the classes of <see cref="ReportStyle.Css"/>.</summary>
public static class LineChart
{
    private const double Width = 340;
    private const double Height = 210;
    private const double Left = 46;
    private const double Right = 12;
    private const double Top = 10;
    private const double Bottom = 28;
    private const int MostDots = 60;

    /// <summary>Draws series over common axes.</summary>
    /// <param name="title">What a screen reader says.</param>
    /// <param name="series">At most two lines are told apart by colour.</param>
    /// <param name="xLabel">Unit of x in the tips of points, such as "epoch".</param>
    /// <param name="yMin">Lowest y, or null for the data's.</param>
    /// <param name="yMax">Highest y, or null for the data's.</param>
    /// <param name="format">.NET format of y.</param>
    /// <param name="mark">x of a dashed vertical line, or null.</param>
    /// <returns>An svg element.</returns>
    public static string Draw(string title, IReadOnlyList<ChartSeries> series, string xLabel, double? yMin = null, double? yMax = null, string format = "0.###", double? mark = null)
    {
        (double X, double Y)[][] lines = [.. series.Select(s => s.Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y)).ToArray())];
        (double X, double Y)[] all = [.. lines.SelectMany(l => l)];
        (double x0, double x1) = all.Length == 0 ? (0, 1) : (all.Min(p => p.X), all.Max(p => p.X));
        (double y0, double y1) = all.Length == 0 ? (0, 1) : (all.Min(p => p.Y), all.Max(p => p.Y));
        (y0, y1) = (yMin ?? y0, yMax ?? y1);
        double step = NiceStep((y1 - y0) / 5);
        y0 = yMin ?? Math.Floor(y0 / step) * step;
        y1 = Math.Max(yMax ?? Math.Ceiling(y1 / step) * step, y0 + step);
        x1 = Math.Max(x1, x0 + 1);

        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg class=\"chart\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{System.Net.WebUtility.HtmlEncode(title)}\">"));
        for (double y = y0; y <= y1 + (step / 2); y += step)
        {
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(y):0.#}\" y2=\"{Y(y):0.#}\"/>"));
            svg.Append(Invariant($"<text x=\"{Left - 7}\" y=\"{Y(y) + 4:0.#}\" text-anchor=\"end\">{Label(y, format)}</text>"));
        }

        double xStep = Math.Max(1, NiceStep((x1 - x0) / 6));
        double lastLabel = double.NegativeInfinity;
        for (double x = Math.Ceiling(x0 / xStep) * xStep; x <= x1 + 1e-9; x += xStep)
        {
            svg.Append(Invariant($"<text x=\"{X(x):0.#}\" y=\"{Height - 9}\" text-anchor=\"middle\">{x:0.#}</text>"));
            lastLabel = x;
        }

        if (X(x1) - X(lastLabel) > 30)
        {
            svg.Append(Invariant($"<text x=\"{X(x1):0.#}\" y=\"{Height - 9}\" text-anchor=\"end\">{x1:0.#}</text>"));
        }

        if (mark is double at && at >= x0 && at <= x1)
        {
            svg.Append(Invariant($"<line class=\"mark\" x1=\"{X(at):0.#}\" x2=\"{X(at):0.#}\" y1=\"{Top}\" y2=\"{Height - Bottom}\"><title>best epoch: {at}</title></line>"));
        }

        for (int i = 0; i < lines.Length; i++)
        {
            (double X, double Y)[] line = lines[i];
            svg.Append(Invariant($"<g class=\"s{i}\"><path d=\""));
            for (int k = 0; k < line.Length; k++)
            {
                svg.Append(k == 0 ? 'M' : 'L').Append(Invariant($"{X(line[k].X):0.#} {Y(line[k].Y):0.#}"));
            }

            svg.Append("\"/>");
            if (line.Length <= MostDots)
            {
                foreach ((double px, double py) in line)
                {
                    string tip = Invariant($"{series[i].Name}, {xLabel} {px:0.##}: {Label(py, format)}");
                    svg.Append(Invariant($"<circle cx=\"{X(px):0.#}\" cy=\"{Y(py):0.#}\" r=\"2.5\"><title>{System.Net.WebUtility.HtmlEncode(tip)}</title></circle>"));
                }
            }

            svg.Append("</g>");
        }

        return svg.Append("</svg>").ToString();

        double X(double x) => Left + ((x - x0) / (x1 - x0) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((y - y0) / (y1 - y0) * (Height - Top - Bottom));
    }

    // 1, 2 or 5 times a power of ten, not below the wish.
    private static double NiceStep(double wish)
    {
        if (!(wish > 0) || !double.IsFinite(wish))
        {
            return 1;
        }

        double power = Math.Pow(10, Math.Floor(Math.Log10(wish)));
        double factor = wish / power;
        return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    }

    private static string Label(double y, string format) =>
        (Math.Abs(y) < 1e-12 ? 0 : y).ToString(format, CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

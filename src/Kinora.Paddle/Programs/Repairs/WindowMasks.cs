using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>
/// Finds the masks of shifted windows that PaddlePaddle's exporter loses. VideoSwin numbers the regions of a volume by
/// assigning to parts of a tensor of zeros; the assignments don't arrive in the program, so each window sees what the
/// shift brought in from the opposite edge.
/// </summary>
/// <remarks>
/// What is left is the tensor of zeros and everything that turns it into a mask. Putting the region numbers into its
/// place restores the mask; sizes and windows are read from the reshapes, the shift from the roll before the attention.
/// </remarks>
internal static class WindowMasks
{
    private const int Axes = 3;

    // Patches along one axis; networks have up to a hundred.
    private const long MaximumSide = 256;

    private const string Lost = "the mask that keeps shifted windows from seeing the opposite edge is all zero, as its assignments were lost at export";

    // What lies between the region numbers and the mask that is added to the attention scores.
    private static readonly HashSet<string> Making = new(StringComparer.Ordinal)
    {
        "reshape2", "transpose2", "squeeze2", "unsqueeze2", "elementwise_sub", "fill_any_like", "scale", "not_equal", "cast", "elementwise_mul",
    };

    /// <summary>Looks for lost masks.</summary>
    /// <param name="program">Any program.</param>
    /// <param name="repair">Whether to restore them.</param>
    /// <returns>What was found, and the constants that take the place of the zeros.</returns>
    public static (IReadOnlyList<ProgramRepair> Repairs, IReadOnlyDictionary<ProgramOperator, Literal> Regions) Find(PaddleProgram program, bool repair)
    {
        var links = new Links(program.Blocks[0]);
        var repairs = new List<ProgramRepair>();
        var regions = new Dictionary<ProgramOperator, Literal>();
        foreach (ProgramOperator zeros in program.Blocks[0].Operators.Where(IsZeroVolume))
        {
            if (Windows(zeros, links) is not { } window || Uses(zeros, links) is not { Count: > 0 } uses)
            {
                continue;
            }

            long[] volume = Volume(zeros);
            long[][] shifts = [.. uses.SelectMany(use => links.Shifts(use)).DistinctBy(shift => string.Join(',', shift))];
            bool known = shifts is [{ Length: Axes }] && shifts[0].Zip(window).All(pair => pair.First >= 0 && pair.First < pair.Second);
            string what = !known ? $"{Lost}; it can't be restored, as the shift isn't clear: take the network's weights (.pdparams) instead"
                : !repair ? $"{Lost}; it stays so as asked, and scores differ from the network's"
                : $"{Lost}; it was restored for windows of {Text(window)} shifted by {string.Join(", ", shifts[0])} in volumes of {Text(volume)}";
            repairs.Add(new ProgramRepair(zeros.ToString(), what, known && repair));
            if (known && repair)
            {
                regions.Add(zeros, Number(volume, window, shifts[0]));
            }
        }

        return (repairs, regions);
    }

    // [1, D, H, W, 1] filled with 0.
    private static bool IsZeroVolume(ProgramOperator op) =>
        op.Type == "fill_constant" && op.Results.Count == 1
        && op.Attributes.GetValueOrDefault("shape") is long[] { Length: Axes + 2 } shape && shape[0] == 1 && shape[^1] == 1
        && shape.All(size => size is >= 1 and <= MaximumSide)
        && op.Attributes.GetValueOrDefault("dtype") is (long)ElementType.Float32
        && op.Attributes.GetValueOrDefault("value") is 0.0;

    private static long[] Volume(ProgramOperator zeros) => ((long[])zeros.Attributes["shape"])[1..^1];

    // The window's sizes from [1, D/d, d, H/h, h, W/w, w, 1].
    private static long[]? Windows(ProgramOperator zeros, Links links)
    {
        if (links.Readers(zeros.Results[0]) is not [{ Type: "reshape2" } cut] || cut.Attributes.GetValueOrDefault("shape") is not long[] { Length: (2 * Axes) + 2 } shape)
        {
            return null;
        }

        long[] volume = Volume(zeros);
        long[] window = [shape[2], shape[4], shape[6]];
        bool fits = Enumerable.Range(0, Axes).All(i => window[i] > 0 && shape[(2 * i) + 1] * window[i] == volume[i]);
        return fits ? window : null;
    }

    // The additions to attention scores that the mask reaches; null if it goes elsewhere too.
    private static List<(ProgramOperator Add, string Scores)>? Uses(ProgramOperator zeros, Links links)
    {
        var uses = new List<(ProgramOperator, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>(zeros.Results);
        while (open.TryPop(out string? variable))
        {
            foreach (ProgramOperator reader in links.Readers(variable))
            {
                string? scores = reader.Type == "elementwise_add" ? reader.InputsOf("X").Concat(reader.InputsOf("Y")).FirstOrDefault(name => name != variable) : null;
                if (scores is not null)
                {
                    uses.Add((reader, scores));
                }
                else if (!Making.Contains(reader.Type))
                {
                    return null;
                }
                else
                {
                    foreach (string result in reader.Results.Where(seen.Add))
                    {
                        open.Push(result);
                    }
                }
            }
        }

        return uses;
    }

    /// <summary>
    /// Numbers the regions of a shifted volume. Along each shifted axis there are three: what no window shares with the
    /// edge, and the two sides of the cut in the windows at the edge. An axis that isn't shifted is one region.
    /// </summary>
    /// <param name="volume">Sizes.</param>
    /// <param name="window">Sizes of the windows.</param>
    /// <param name="shift">How far the volume was rolled back along each axis.</param>
    /// <returns>[1, D, H, W, 1].</returns>
    public static Literal Number(long[] volume, long[] window, long[] shift)
    {
        long Region(int axis, long at) =>
            shift[axis] == 0 ? 0 : at < volume[axis] - window[axis] ? 0 : at < volume[axis] - shift[axis] ? 1 : 2;

        var numbers = new float[volume[0] * volume[1] * volume[2]];
        int i = 0;
        for (long d = 0; d < volume[0]; d++)
        {
            for (long h = 0; h < volume[1]; h++)
            {
                for (long w = 0; w < volume[2]; w++)
                {
                    numbers[i++] = (((Region(0, d) * 3) + Region(1, h)) * 3) + Region(2, w);
                }
            }
        }

        return new Literal(numbers, [1, .. volume, 1]);
    }

    private static string Text(long[] sizes) => string.Join(" × ", sizes);

    /// <summary>Who writes and who reads each variable.</summary>
    private sealed class Links
    {
        private readonly Dictionary<string, ProgramOperator> _writers = new(StringComparer.Ordinal);
        private readonly Dictionary<string, List<ProgramOperator>> _readers = new(StringComparer.Ordinal);

        public Links(ProgramBlock block)
        {
            foreach (ProgramOperator op in block.Operators)
            {
                foreach (string name in op.Results)
                {
                    _writers[name] = op;
                }

                foreach (string name in op.Inputs.Values.SelectMany(names => names).Distinct())
                {
                    (_readers.TryGetValue(name, out List<ProgramOperator>? readers) ? readers : _readers[name] = []).Add(op);
                }
            }
        }

        public IReadOnlyList<ProgramOperator> Readers(string variable) => _readers.GetValueOrDefault(variable, []);

        /// <summary>The shifts of the rolls that attention scores come from, without those of earlier layers.</summary>
        public IEnumerable<long[]> Shifts((ProgramOperator Add, string Scores) use)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var open = new Stack<string>([use.Scores]);
            while (open.TryPop(out string? variable))
            {
                if (!seen.Add(variable) || !_writers.TryGetValue(variable, out ProgramOperator? op) || op.Type == "layer_norm")
                {
                    continue;
                }

                if (op.Type == "roll")
                {
                    yield return op.Attributes.GetValueOrDefault("axis") is long[] axes && axes.SequenceEqual([1, 2, 3])
                        && op.Attributes.GetValueOrDefault("shifts") is long[] { Length: Axes } shifts
                        ? Array.ConvertAll(shifts, shift => -shift)
                        : [];
                    continue;
                }

                foreach (string name in op.Inputs.Values.SelectMany(names => names))
                {
                    open.Push(name);
                }
            }
        }
    }
}

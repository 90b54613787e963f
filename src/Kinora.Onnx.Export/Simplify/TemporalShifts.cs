using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Recognises temporal shifts by what they do rather than by how they are written: a region of the graph that only
/// moves elements is followed element by element, and if it moves whole channels by one frame inside each clip, it
/// is written anew in the form that ONNX Runtime runs fastest.
/// </summary>
internal static class TemporalShifts
{
    /// <summary>Neighbouring channels that come from the same distance in time.</summary>
    /// <param name="Width">Number of channels.</param>
    /// <param name="From">-1: from the frame before; 0: stays; +1: from the frame after.</param>
    internal readonly record struct Fold(int Width, int From);

    // Elements that are followed one by one: twice as many as clips of 32 frames have at the usual size.
    private const long MaximumTraced = 1L << 27;

    public static bool Run(NetworkGraph graph)
    {
        TemporalShift[] found = [.. Find(graph)];
        foreach (TemporalShift shift in ShiftedStreams.Run(graph, found))
        {
            Value shifted = Write(new GraphBuilder(graph.Input), shift.Source, shift.Frames, shift.Folds);
            NetworkGraph.Produce(shift.Result, shifted.Producer!);
            graph.Refresh();
        }

        return found.Length > 0;
    }

    private static IEnumerable<TemporalShift> Find(NetworkGraph graph)
    {
        foreach (Node node in graph.Nodes)
        {
            // The end of a region: something that calculates reads it.
            bool ends = ElementMap.Moves(node) && (node.Output == graph.Output || graph.Users(node.Output).Any(user => !ElementMap.Moves(user)));
            if (ends && Recognise(node.Output) is ({ } source, int frames, { } folds))
            {
                yield return new TemporalShift(node.Output, source, frames, folds);
            }
        }
    }

    /// <summary>The shift that a value is of another one, if it is one.</summary>
    public static (Value? Source, int Frames, Fold[]? Folds) Recognise(Value result)
    {
        if (result.Shape is not [{ PerClip: true }, { PerClip: false }, { PerClip: false }, { PerClip: false }] || FindSource(result) is not { } source
            || source == result || !Shapes.Same(source.Shape, result.Shape))
        {
            return default;
        }

        const int Clips = 2;
        if (Shapes.Size(result.Shape).Count > MaximumTraced / Clips)
        {
            return default;
        }

        int frames = (int)result.Shape[0].Count;
        int channels = (int)result.Shape[1].Count;
        int area = (int)(result.Shape[2].Count * result.Shape[3].Count);
        int[] map = Trace(result, source, Clips, []);
        var from = new int?[channels];
        for (int image = 0, at = 0; image < Clips * frames; image++)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                for (int place = 0; place < area; place++, at++)
                {
                    if (!Explain(ref from[channel], map[at], image, frames, at, channels * area))
                    {
                        return default;
                    }
                }
            }
        }

        List<Fold> folds = [];
        foreach (int? step in from)
        {
            if (step is null)
            {
                return default;
            }

            if (folds.Count > 0 && folds[^1].From == step)
            {
                folds[^1] = folds[^1] with { Width = folds[^1].Width + 1 };
            }
            else
            {
                folds.Add(new Fold(1, step.Value));
            }
        }

        return folds.Any(fold => fold.From != 0) ? (source, frames, [.. folds]) : default;
    }

    // Whether an element's origin agrees with one distance for its whole channel; the first frame with a neighbour decides.
    private static bool Explain(ref int? from, int origin, int image, int frames, int at, int imageSize)
    {
        int frame = image % frames;
        if (origin < 0)
        {
            // Zero: only where the neighbour would lie outside the clip.
            return from switch
            {
                -1 => frame == 0,
                1 => frame == frames - 1,
                0 => false,
                _ => frame == 0 ? (from = -1) == -1 : frame == frames - 1 && (from = 1) == 1,
            };
        }

        int step = origin - at;
        if (step % imageSize != 0 || Math.Abs(step) > imageSize)
        {
            return false;
        }

        step /= imageSize;
        int neighbour = frame + step;
        from ??= step;
        return from == step && neighbour >= 0 && neighbour < frames;
    }

    // The one value that a region of moving nodes starts from; zeros may be put in on the way.
    private static Value? FindSource(Value result)
    {
        Value? source = null;
        var open = new Stack<Value>([result]);
        var seen = new HashSet<Value>();
        while (open.TryPop(out Value? value))
        {
            if (!seen.Add(value))
            {
                continue;
            }

            if (IsZero(value))
            {
                continue;
            }

            if (value.Producer is { } node && ElementMap.Moves(node))
            {
                foreach (Value? input in node.Operator == "Concat" ? node.Inputs : node.Inputs[..1])
                {
                    open.Push(input!);
                }
            }
            else if (value.Literal is not null || (source is not null && source != value))
            {
                return null;
            }
            else
            {
                source = value;
            }
        }

        return source;
    }

    private static bool IsZero(Value value) =>
        value.Literal is { IsInteger: false } literal && Array.TrueForAll(literal.Floats, x => x == 0);

    // For each element of a value its flat index in the source, or -1 for a zero.
    private static int[] Trace(Value value, Value source, int clips, Dictionary<Value, int[]> known)
    {
        if (known.TryGetValue(value, out int[]? map))
        {
            return map;
        }

        if (value == source)
        {
            map = [.. Enumerable.Range(0, checked((int)ElementMap.Sizes(value, clips).Aggregate(1L, (a, b) => a * b)))];
        }
        else if (IsZero(value))
        {
            map = new int[value.Literal!.Count];
            Array.Fill(map, -1);
        }
        else
        {
            Node node = value.Producer!;
            int[][] inputs = [.. (node.Operator == "Concat" ? node.Inputs : node.Inputs[..1]).Select(input => Trace(input!, source, clips, known))];
            map = node.Operator == "Concat"
                ? ElementMap.Join(inputs, [.. node.Inputs.Select(input => ElementMap.Sizes(input!, clips))], (int)node.Int("axis", 0))
                : node.Operator == "Reshape" ? inputs[0]
                : Array.ConvertAll(ElementMap.Of(node, clips), index => index < 0 ? -1 : inputs[0][index]);
        }

        return known[value] = map;
    }

    // One slice a fold cuts channels and the frame that leaves the clip, one padding puts a zero frame in at the other
    // end, one concatenation joins them: each element is copied twice, and no amount of padding is negative, which not
    // every runtime accepts. Gathering whole rows, splitting into single frames and five dimensions were no faster.
    private static Value Write(GraphBuilder build, Value x, int frames, Fold[] folds)
    {
        Dimension[] shape = x.Shape;
        Value clips = build.Reshape(x, shape[0] with { Count = 1 }, frames, shape[1], shape[2].Count * shape[3].Count);
        var parts = new List<Value>();
        long channel = 0;
        foreach (Fold fold in folds)
        {
            Value part = GraphBuilder.Slice(clips, 2, channel, channel + fold.Width);
            if (fold.From != 0)
            {
                (long before, long after) = fold.From < 0 ? (1L, 0L) : (0L, 1L);
                part = GraphBuilder.Pad(GraphBuilder.Slice(part, 1, after, frames - before), [0, before, 0, 0], [0, after, 0, 0]);
            }

            parts.Add(part);
            channel += fold.Width;
        }

        return build.Reshape(GraphBuilder.Concat(2, [.. parts]), shape);
    }
}

/// <summary>A temporal shift in a graph.</summary>
/// <param name="Result">The shifted features, [N·T, C, H, W].</param>
/// <param name="Source">The features.</param>
/// <param name="Frames">T.</param>
/// <param name="Folds">Neighbouring channels that move alike, in order.</param>
internal sealed record TemporalShift(Value Result, Value Source, int Frames, TemporalShifts.Fold[] Folds)
{
    /// <summary>The nodes between source and result.</summary>
    public HashSet<Node> Region()
    {
        var region = new HashSet<Node>();
        var open = new Stack<Value>([Result]);
        while (open.TryPop(out Value? value))
        {
            if (value != Source && value.Producer is { } node && region.Add(node))
            {
                foreach (Value? input in node.Inputs)
                {
                    if (input is not null)
                    {
                        open.Push(input);
                    }
                }
            }
        }

        return region;
    }
}

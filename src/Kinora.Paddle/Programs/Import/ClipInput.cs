using System.Globalization;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Paddle.Programs;

/// <summary>
/// The file's one input, clips in the layout of the clip specification, and what the program's inputs are in terms of
/// it: another order of axes, fewer frames for SlowFast's slow path, the same view several times.
/// </summary>
/// <param name="Input">The file's input.</param>
/// <param name="Feeds">The program's inputs by name.</param>
/// <param name="Cut">The cut into views that the program's reshapes have to follow, if any.</param>
/// <param name="Notes">What was done, in words.</param>
internal sealed record ClipInput(Value Input, IReadOnlyDictionary<string, Value> Feeds, FrameCut? Cut, IReadOnlyList<string> Notes)
{
    private const int Channels = 3;
    private const int Rank = 5;

    // The order of the axes in letters; programs use the first two.
    private static readonly Dictionary<ClipLayout, string> Layouts = new()
    {
        [ClipLayout.Ntchw] = "NTCHW",
        [ClipLayout.Ncthw] = "NCTHW",
        [ClipLayout.Nthwc] = "NTHWC",
    };

    /// <summary>Connects a program's inputs with the file's.</summary>
    /// <param name="program">The program.</param>
    /// <param name="spec">Frames, size and layout of the file's clips.</param>
    /// <exception cref="CheckpointException">The program doesn't take clips.</exception>
    /// <exception cref="ConfigException">It takes other clips than the specification gives.</exception>
    public static ClipInput Bind(PaddleProgram program, ClipSpec spec)
    {
        string own = Layouts[spec.Layout];
        var input = new Value([.. own.Select(axis => new Dimension(
            axis switch { 'N' => 1, 'T' => spec.Frames, 'C' => Channels, _ => spec.Size }, PerClip: axis == 'N'))]);
        ProgramPort[] ports = [.. program.Inputs];
        if (ports.Length is < 1 or > 2 || ports.Any(port => port.Shape.Count != Rank))
        {
            throw new CheckpointException(
                $"converting program: expected one input of clips with {Rank} axes, or two for the slow and the fast path, found {Describe(ports)}; is it a video network?", program.Path);
        }

        string layout = LayoutOf(program, ports[^1]);
        foreach (ProgramPort port in ports)
        {
            CheckSize(program, port, layout, spec);
        }

        Value clips = GraphBuilder.Transpose(input, [.. layout.Select(axis => (long)own.IndexOf(axis, StringComparison.Ordinal))]);
        return ports.Length == 2 ? SlowAndFast(program, ports, layout, spec, input, clips) : One(program, ports[0], layout, spec, input, clips);
    }

    private static ClipInput One(PaddleProgram program, ProgramPort port, string layout, ClipSpec spec, Value input, Value clips)
    {
        int time = layout.IndexOf('T', StringComparison.Ordinal);
        long frames = port.Shape[time];
        if (frames < 0 || frames == spec.Frames)
        {
            return new ClipInput(input, new Dictionary<string, Value> { [port.Name] = clips }, null, []);
        }

        if (frames % spec.Frames != 0)
        {
            throw Differs(program, $"{frames} frames at once", $"clips of {spec.Frames}");
        }

        // Where the program cuts the frames into views itself, each view is fed with the same one and computed once.
        // Otherwise it treats frames alike and averages them, and its reshapes are made to follow.
        int views = checked((int)(frames / spec.Frames));
        ProgramOperator[] readers = [.. program.Blocks[0].Operators.Where(op => op.Inputs.Values.Any(names => names.Contains(port.Name)))];
        bool cutsItself = readers.Length == views && readers.All(op => op.Type == "slice"
            && op.Attributes.GetValueOrDefault("axes") is long[] axes && axes.SequenceEqual([time])
            && op.Attributes.GetValueOrDefault("starts") is long[] starts && op.Attributes.GetValueOrDefault("ends") is long[] ends
            && starts.Length == 1 && ends.Length == 1 && starts[0] % spec.Frames == 0 && ends[0] == starts[0] + spec.Frames);
        Value fed = cutsItself ? GraphBuilder.Concat(time, [.. Enumerable.Repeat(clips, views)]) : clips;
        return new ClipInput(
            input,
            new Dictionary<string, Value> { [port.Name] = fed },
            cutsItself ? null : new FrameCut(frames, spec.Frames),
            [string.Create(CultureInfo.InvariantCulture, $"the program takes {views} views of {spec.Frames} frames in a row, the file one: Kinora averages the logits of the views itself")]);
    }

    // The slow path sees every so many frames of the fast one: evenly spread from the first to the last, rounded down.
    private static ClipInput SlowAndFast(PaddleProgram program, ProgramPort[] ports, string layout, ClipSpec spec, Value input, Value clips)
    {
        int time = layout.IndexOf('T', StringComparison.Ordinal);
        ProgramPort[] order = [.. ports.OrderBy(port => port.Shape[time])];
        (long slow, long fast) = (order[0].Shape[time], order[1].Shape[time]);
        if (slow < 1 || slow >= fast)
        {
            throw new CheckpointException($"converting program: expected a slow path with fewer frames than the fast one, found {Describe(ports)}", program.Path);
        }

        if (fast != spec.Frames)
        {
            throw Differs(program, $"{fast} frames", $"{spec.Frames}");
        }

        double step = slow == 1 ? 0 : (fast - 1.0) / (slow - 1);
        long[] chosen = [.. Enumerable.Range(0, (int)slow).Select(i => i == slow - 1 && slow > 1 ? fast - 1 : (long)(i * step))];
        Dimension[] shape = [.. clips.Shape.Select((size, axis) => axis == time ? new Dimension(slow) : size)];
        Value some = GraphBuilder.Apply("Gather", shape, [clips, GraphBuilder.Integers(chosen)], ("axis", (long)time));
        return new ClipInput(
            input,
            new Dictionary<string, Value> { [order[0].Name] = some, [order[1].Name] = clips },
            null,
            [$"the program's two inputs come from one: the slow path takes the frames {string.Join(", ", chosen)}"]);
    }

    private static string LayoutOf(PaddleProgram program, ProgramPort port)
    {
        string[] fitting = [.. Layouts.Values.Where(layout => Size(port, layout, 'C') is Channels or < 0)];
        if (fitting.Length > 1)
        {
            // Clips of three frames: networks that see volumes or cut along the third axis have time there.
            ProgramOperator? first = program.Blocks[0].Operators.FirstOrDefault(op => op.Type != "feed" && op.Inputs.Values.Any(names => names.Contains(port.Name)));
            bool volumes = first?.Type is "conv3d" or "slice";
            fitting = [.. fitting.OrderByDescending(layout => volumes == (layout == Layouts[ClipLayout.Ncthw]))];
        }

        return fitting.Length > 0
            ? fitting[0]
            : throw new CheckpointException($"converting program: expected clips of {Channels} channels, found {port}; is it a network for colour frames?", program.Path);
    }

    private static void CheckSize(PaddleProgram program, ProgramPort port, string layout, ClipSpec spec)
    {
        (long height, long width) = (Size(port, layout, 'H'), Size(port, layout, 'W'));
        if ((height >= 0 && height != spec.Size) || (width >= 0 && width != spec.Size))
        {
            throw Differs(program, $"{height} × {width} pixels", $"{spec.Size} × {spec.Size}");
        }

        if (Size(port, layout, 'C') != Channels)
        {
            throw new CheckpointException($"converting program: expected clips of {Channels} channels, found {port}; is it a network for colour frames?", program.Path);
        }
    }

    private static long Size(ProgramPort port, string layout, char axis) => port.Shape[layout.IndexOf(axis, StringComparison.Ordinal)];

    private static ConfigException Differs(PaddleProgram program, string takes, string gives) => new(
        $"converting program: it takes {takes}, the clip specification gives {gives}; give the recipe that it was exported with (--config x.yaml)", program.Path);

    private static string Describe(IEnumerable<ProgramPort> ports) => string.Join(", ", ports) is { Length: > 0 } text ? text : "none";
}

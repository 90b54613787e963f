using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>
/// Takes the channels that a temporal shift moves out of the features, for as long as the features keep their channels:
/// what moves to the next frame, what moves to the one before and what stays become values of their own.
/// </summary>
/// <remarks>
/// ONNX Runtime runs convolutions in a blocked layout that slices, paddings and concatenations don't know, so a shift
/// takes all channels out of that layout and back, a quarter to a third of a ResNet-50's time for a quarter of its
/// channels. Here only those that move leave it, in the channels-last form, which is the cheapest way out and in: blocks
/// of 16 channels stay together. Convolutions before the split give one output each, those behind it are sums; sums run
/// inside the convolutions. Widths that aren't multiples of a block would cost more than they save, so they stay whole.
/// </remarks>
internal static class ShiftedStreams
{
    // Channels of one block of the blocked layout: 16 with AVX-512, 8 with AVX2.
    private const int Block = 16;

    /// <summary>Rewrites the shifts for which this pays.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="shifts">All temporal shifts of the graph.</param>
    /// <returns>The shifts that are left as they were.</returns>
    public static IReadOnlyList<TemporalShift> Run(NetworkGraph graph, IReadOnlyList<TemporalShift> shifts)
    {
        List<TemporalShift> left = [.. shifts];
        foreach (TemporalShift shift in shifts)
        {
            if (left.Contains(shift) && Bundle.Find(graph, shift, left) is { } bundle)
            {
                bundle.Split(graph);
                left.RemoveAll(bundle.Shifts.Contains);
            }
        }

        return left;
    }

    /// <summary>Values whose channels correspond, and the shifts of them.</summary>
    private sealed class Bundle(HashSet<Value> values, IReadOnlyList<TemporalShift> shifts)
    {
        public IReadOnlyList<TemporalShift> Shifts { get; } = shifts;

        private TemporalShifts.Fold[] Folds => Shifts[0].Folds;

        /// <summary>The values that have to be split with the source of a shift; null if one of them can't be.</summary>
        public static Bundle? Find(NetworkGraph graph, TemporalShift first, IReadOnlyList<TemporalShift> all)
        {
            if (first.Folds.Any(fold => fold.Width % Block != 0) || first.Folds.All(fold => fold.From != 0))
            {
                return null;
            }

            var values = new HashSet<Value>();
            var shifts = new List<TemporalShift>();
            var open = new Stack<Value>([first.Source]);
            while (open.TryPop(out Value? value))
            {
                if (!values.Add(value))
                {
                    continue;
                }

                if (value == graph.Output || value.Producer is not { } producer)
                {
                    return null;
                }

                TemporalShift[] own = [.. all.Where(shift => shift.Source == value)];
                shifts.AddRange(own);
                HashSet<Node> moving = [.. own.SelectMany(shift => shift.Region())];
                IEnumerable<Value>? above = IsLayer(producer) ? [] : ChannelwiseInputs(producer);
                if (above is null
                    || !own.All(shift => shift.Folds.SequenceEqual(first.Folds) && shift.Result != graph.Output
                        && graph.Users(shift.Result).All(user => IsLayer(user) && user.Inputs[0] == shift.Result)))
                {
                    return null;
                }

                foreach (Value input in above)
                {
                    open.Push(input);
                }

                foreach (Node user in graph.Users(value).Where(user => !moving.Contains(user)))
                {
                    if (ChannelwiseInputs(user) is { } inputs && inputs.Contains(value))
                    {
                        open.Push(user.Output);
                    }
                    else if (!((IsLayer(user) && user.Inputs[0] == value) || user.Operator == "GlobalAveragePool"))
                    {
                        return null;
                    }
                }
            }

            return new Bundle(values, shifts);
        }

        public void Split(NetworkGraph graph)
        {
            var build = new GraphBuilder(graph.Input);
            var streams = new Dictionary<Value, Value[]>();
            Dictionary<Value, TemporalShift> shiftOf = Shifts.ToDictionary(shift => shift.Result);
            foreach (Node node in graph.Nodes)
            {
                if (values.Contains(node.Output))
                {
                    streams[node.Output] = [.. Ranges().Select((range, i) => IsLayer(node) ? OutputsOf(node, Read(node.Inputs[0]!), range) : Channelwise(node, streams, i))];
                }
                else if (IsLayer(node) && Moved(node.Inputs[0]!) is { } parts)
                {
                    NetworkGraph.Produce(node.Output, Sum(node, parts).Producer!);
                }
                else if (node.Operator == "GlobalAveragePool" && streams.TryGetValue(node.Inputs[0]!, out Value[]? pooled))
                {
                    NetworkGraph.Produce(node.Output, GraphBuilder.Concat(1, [.. pooled.Select(x => GraphBuilder.Apply("GlobalAveragePool", With(node.Output.Shape, x.Shape[1]), [x]))]).Producer!);
                }
            }

            graph.Refresh();

            // What a layer reads: the streams of a split value or of its shift, or a value as it is.
            Value[] Read(Value input) => Moved(input) ?? [input];

            Value[]? Moved(Value input)
            {
                if (streams.TryGetValue(input, out Value[]? known))
                {
                    return known;
                }

                if (!shiftOf.TryGetValue(input, out TemporalShift? shift))
                {
                    return null;
                }

                return streams[input] = [.. streams[shift.Source].Zip(Folds, (x, fold) => fold.From == 0 ? x : Move(build, x, shift.Frames, fold.From))];
            }
        }

        private IEnumerable<(long Start, long Stop)> Ranges()
        {
            long start = 0;
            foreach (TemporalShifts.Fold fold in Folds)
            {
                yield return (start, start += fold.Width);
            }
        }

        // Some output channels of a layer.
        private Value OutputsOf(Node layer, Value[] inputs, (long Start, long Stop) range)
        {
            Value weight = Cut(layer.Inputs[1]!, 0, range);
            Value?[] bias = [.. layer.Inputs.Skip(2).Select(b => b is null ? null : Cut(b, 0, range))];
            var part = new Node
            {
                Operator = "Conv",
                Inputs = [layer.Inputs[0], weight, .. bias],
                Outputs = [new Value(With(layer.Output.Shape, range.Stop - range.Start))],
                Attributes = new(layer.Attributes),
            };
            part.Output.Producer = part;
            return inputs.Length == 1 ? part.Output : Sum(part, inputs);
        }

        // A layer over all streams of its input: each brings its own input channels, the widest the bias. The last sum
        // of a convolution with what was there before is free.
        private Value Sum(Node layer, Value[] inputs)
        {
            (Value Input, (long, long) Range)[] parts = [.. inputs.Zip(Ranges()).OrderByDescending(part => part.Second.Stop - part.Second.Start)];
            Value? sum = null;
            foreach ((Value input, (long, long) range) in parts)
            {
                Value weight = Cut(layer.Inputs[1]!, 1, range);
                Value part = GraphBuilder.Apply(
                    "Conv",
                    layer.Output.Shape,
                    sum is null ? [input, weight, .. layer.Inputs.Skip(2)] : [input, weight],
                    [.. layer.Attributes.Select(a => (a.Key, a.Value))]);
                sum = sum is null ? part : GraphBuilder.Binary("Add", part, sum);
            }

            return sum!;
        }

        private static Value Channelwise(Node node, Dictionary<Value, Value[]> streams, int stream)
        {
            Value?[] inputs = [.. node.Inputs.Select(input => input is not null && streams.TryGetValue(input, out Value[]? parts) ? parts[stream] : input)];
            return GraphBuilder.Apply(node.Operator, With(node.Output.Shape, inputs[0]!.Shape[1]), inputs, [.. node.Attributes.Select(a => (a.Key, a.Value))]);
        }

        private static Value Move(GraphBuilder build, Value x, int frames, int from)
        {
            Dimension[] shape = x.Shape;
            Dimension[] last = [shape[0], shape[2], shape[3], shape[1]];
            Value clips = build.Reshape(
                GraphBuilder.Transpose(x, 0, 2, 3, 1), shape[0] with { Count = shape[0].Count / frames }, frames, shape[1].Count * shape[2].Count * shape[3].Count);
            Value moved = GraphBuilder.Pad(clips, [0, -from, 0], [0, from, 0]);   // [N, T, H·W·C]
            return GraphBuilder.Transpose(build.Reshape(moved, last), 0, 3, 1, 2);
        }

        // Part of a weight or bias along one axis, named after the whole.
        private static Value Cut(Value whole, int axis, (long Start, long Stop) range)
        {
            Literal literal = whole.Literal!;
            int inner = checked((int)literal.Shape.Skip(axis + 1).Aggregate(1L, (n, size) => n * size));
            int outer = checked((int)literal.Shape.Take(axis).Aggregate(1L, (n, size) => n * size));
            int width = checked((int)(range.Stop - range.Start)) * inner;
            var indices = new int[outer * width];
            for (int i = 0, at = 0; i < outer; i++)
            {
                int start = checked((int)(((i * literal.Shape[axis]) + range.Start) * inner));
                for (int k = 0; k < width; k++)
                {
                    indices[at++] = start + k;
                }
            }

            long[] shape = [.. literal.Shape];
            shape[axis] = range.Stop - range.Start;
            string? name = whole.Name;
            int dot = name?.LastIndexOf('.') ?? -1;
            string text = FormattableString.Invariant($"{(axis == 0 ? "out" : "in")}[{range.Start}:{range.Stop}]");
            return GraphBuilder.Constant(literal.Pick(indices, shape), name is null ? null : dot < 0 ? $"{name}.{text}" : $"{name[..dot]}.{text}{name[dot..]}");
        }

        private static Dimension[] With(Dimension[] shape, Dimension channels)
        {
            Dimension[] result = [.. shape];
            result[1] = channels;
            return result;
        }

        // A convolution that mixes all its input channels. Few input channels mean pictures, which come unblocked.
        private static bool IsLayer(Node node) =>
            node.Operator == "Conv" && node.Output.Rank == 4 && node.Int("group", 1) == 1 && FoldAffine.HasKnownWeights(node) && node.Inputs[1]!.Shape[1].Count >= Block;

        // What a node computes each channel from, if it is the same channel of its inputs.
        private static IEnumerable<Value>? ChannelwiseInputs(Node node) => node.Operator switch
        {
            "Relu" or "LeakyRelu" or "Clip" or "AveragePool" when node.Output.Rank == 4 => [node.Inputs[0]!],
            "Add" when node.Output.Rank == 4 && node.Inputs.All(input => input!.Literal is null && Shapes.Same(input.Shape, node.Output.Shape)) => [.. node.Inputs.Select(input => input!)],
            _ => null,
        };
    }
}

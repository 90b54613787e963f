using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Recording;

/// <summary>Turns a trace into a graph of ONNX operators, call by call.</summary>
internal sealed class GraphImporter
{
    private readonly Trace _trace;
    private readonly GraphBuilder _builder;
    private readonly Dictionary<TensorId, TensorSlot> _slots = [];

    private GraphImporter(Trace trace)
    {
        _trace = trace;
        var input = new Value(trace.ShapeOf(trace.Input)) { Origin = trace.Input.Number };
        _builder = new GraphBuilder(input);
        _slots[trace.Input] = new TensorSlot(input);
    }

    /// <summary>Imports a whole trace.</summary>
    /// <exception cref="ExportException">A call isn't known or can't be expressed; the message names it.</exception>
    public static NetworkGraph Import(Trace trace)
    {
        var importer = new GraphImporter(trace);
        foreach (TracedCall call in trace.Calls)
        {
            importer.Add(call);
        }

        if (!importer._slots.TryGetValue(trace.Output, out TensorSlot? output))
        {
            throw new ExportException("export: the network's result isn't the result of a recorded call; was it computed on another thread?");
        }

        return new NetworkGraph(importer._builder.Input, output.Read());
    }

    private void Add(TracedCall call)
    {
        if (Operators.IsIgnored(call))
        {
            return;
        }

        var reader = new CallReader(call, _builder, Slot, _trace.ShapeOf);
        try
        {
            if (call.Operator == Tensors.Recording.WriteFromMemory)
            {
                throw reader.Refuse("values from .NET overwrite a tensor in the middle of the forward pass; make a new tensor from them instead");
            }

            if (Operators.TryFind(call.Operator, out Operator? translate))
            {
                Store(call, translate(reader));
            }
            else if (call.Operator.EndsWith('_') && Operators.TryFind(call.Operator[..^1], out translate))
            {
                Overwrite(call, reader, translate(reader));
            }
            else
            {
                throw reader.Refuse("this operator has no ONNX translation yet; express the network with others, or add one to Kinora.Onnx.Export/Recording/Operators");
            }
        }
        catch (ShapeException e)
        {
            throw new ExportException($"export: {call}: {e.Message}", inner: e);
        }
        catch (ExportException e) when (!e.Message.Contains(call.ToString(), StringComparison.Ordinal))
        {
            throw new ExportException($"{e.Message} ({call})", inner: e);
        }
    }

    private void Store(TracedCall call, Produced[] results)
    {
        for (int i = 0; i < Math.Min(results.Length, call.Outputs.Count); i++)
        {
            (Value? value, View? view) = results[i];
            if (view is null && value is null)
            {
                continue;
            }

            TensorSlot slot = view is null ? new TensorSlot(value!) : new TensorSlot(view);
            _slots[call.Outputs[i]] = slot;
            Check(call, call.Outputs[i], slot.Read());
        }
    }

    private void Overwrite(TracedCall call, CallReader reader, Produced[] results)
    {
        string target = call.Arguments[0].Name;
        TensorSlot slot = reader.Slot(target);
        if (slot.IsConstant)
        {
            throw reader.Refuse("it overwrites a parameter or buffer of the network; export in evaluation mode");
        }

        Value value = results[0].Value ?? results[0].View!.Forward(results[0].View!.Base.Read());
        slot.Write(_builder.Expand(value, slot.Read().Shape), call.ToString());
        if (call.Outputs.Count > 0)
        {
            _slots[call.Outputs[0]] = slot;
            Check(call, call.Outputs[0], slot.Read());
        }
    }

    private void Check(TracedCall call, TensorId output, Value value)
    {
        Dimension[] recorded = _trace.ShapeOf(output);
        if (!Shapes.Same(recorded, value.Shape))
        {
            throw new ExportException($"export: {call}: libtorch's result has the shape {Shapes.Text(recorded)}, its translation {Shapes.Text(value.Shape)}");
        }

        if (value.Literal is null)
        {
            value.Origin ??= output.Number;
        }
    }

    private TensorSlot Slot(TensorId id)
    {
        if (!_slots.TryGetValue(id, out TensorSlot? slot))
        {
            (Literal literal, string? name) = _trace.Constant(id);
            slot = _slots[id] = new TensorSlot(GraphBuilder.Constant(literal, name));
        }

        return slot;
    }
}

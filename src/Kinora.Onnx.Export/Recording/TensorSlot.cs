using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Recording;

/// <summary>How a tensor looks at the memory of another one.</summary>
/// <param name="Base">The tensor that is looked at.</param>
/// <param name="Forward">The view's elements, from the base's.</param>
/// <param name="Backward">
/// The base's elements after the view was overwritten, from the base's old ones and the view's new ones; null
/// where the operator may as well have copied (reshape, contiguous), so that nobody can tell what a write reaches.
/// </param>
internal sealed record View(TensorSlot Base, Func<Value, Value> Forward, Func<Value, Value, Value>? Backward);

/// <summary>
/// A tensor's current elements. The graph knows values only, libtorch writes into memory; slots translate: a write
/// through one tensor gives its base a new value, and other views of the base are derived anew when they are read.
/// </summary>
internal sealed class TensorSlot
{
    private View? _view;
    private Value _value;
    private int _version;
    private int _seen;
    private string? _overwritten;

    public TensorSlot(Value value) => _value = value;

    public TensorSlot(View view)
    {
        _view = view;
        _value = view.Forward(view.Base.Read());
        _seen = view.Base._version;
    }

    /// <summary>Whether writing is an error because the network's own parameters would change.</summary>
    public bool IsConstant => _view is null ? _value.Literal is { } && _value.Name is { } : _view.Base.IsConstant;

    /// <exception cref="ExportException">A write through another tensor may or may not have reached this one.</exception>
    public Value Read()
    {
        if (_overwritten is not null)
        {
            throw new ExportException($"export: a tensor is read after {_overwritten} wrote into memory that it may share; write the operation without the trailing underscore");
        }

        if (_view is not null)
        {
            Value from = _view.Base.Read();
            if (_view.Base._version != _seen)
            {
                if (_view.Backward is null)
                {
                    throw new ExportException("export: the result of reshape, flatten, contiguous or to is read after the tensor behind it was overwritten in place; write that operation without the trailing underscore");
                }

                _value = _view.Forward(from);
                _seen = _view.Base._version;
                _version++;
            }
        }

        return _value;
    }

    /// <summary>Overwrites the tensor in place.</summary>
    /// <param name="value">The new elements.</param>
    /// <param name="by">The call, for messages.</param>
    public void Write(Value value, string by)
    {
        if (_view is { Backward: { } backward })
        {
            _view.Base.Write(backward(_view.Base.Read(), value), by);
            _seen = _view.Base._version;
        }
        else if (_view is not null)
        {
            // The write may or may not have reached the tensors below; from here on this one stands for itself.
            for (TensorSlot? below = _view.Base; below is not null; below = below._view?.Base)
            {
                below._overwritten = by;
            }

            _view = null;
        }

        // libtorch's tensor holds the new elements from here on, so the old ones can't be compared with it any more.
        _value.Origin = null;
        _value = value;
        _version++;
    }
}

using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Kinora.Tensors.Native;

namespace Kinora.Tensors;

/// <summary>
/// Gradient checkpointing: a part of a network keeps only its input and is computed again in the backward pass. Memory
/// falls from all the part's activations to one, for a second forward pass of it. Gradients stay the same to the last bit.
/// </summary>
/// <remarks>
/// Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174. The second pass repeats the first:
/// random layers draw the same again, batch norms normalise with the batch and leave their running statistics alone,
/// autocast is as it was. The backward pass must run on the thread of the forward pass, with the parameters unchanged. An
/// observer of a module inside the part sees its output twice.
/// </remarks>
public static unsafe class GradientCheckpoint
{
    // What went wrong in a part on this thread; native frames can't carry it.
    [ThreadStatic]
    private static ExceptionDispatchInfo? _failure;

    /// <summary>Computes a part of a network; where no gradients are wanted, as if it were called directly.</summary>
    /// <param name="part">The module that the function computes with: its parameters and random layers.</param>
    /// <param name="input">The part's only input that gradients reach. The part mustn't change it in place.</param>
    /// <param name="forward">
    /// Computes the output from the input, twice. What else it uses must still be there in the backward pass: no tensors of
    /// scopes that end before.
    /// </param>
    /// <returns>New tensor in the current scope.</returns>
    public static Tensor Run(Module part, Tensor input, Func<Tensor, Tensor> forward)
    {
        ArgumentNullException.ThrowIfNull(part);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(forward);
        bool wanted = Grad.IsEnabled && !ShapesOnly.IsEnabled && Recording.Current is null
            && (input.RequiresGrad || part.NamedParameters().Any(p => p.Value.RequiresGrad));
        if (!wanted)
        {
            return forward(input);
        }

        using var scope = new TensorScope();
        var again = new Segment(part, input, forward);
        Tensor output;
        try
        {
            using IDisposable mode = Grad.Disable();
            output = forward(input);
        }
        catch
        {
            again.Dispose();
            throw;
        }

        var handle = GCHandle.Alloc(again);
        using var from = new Tensor.Held(input);
        using var to = new Tensor.Held(output);
        nint result;
        Status.Check(NativeMethods.kt_defer_gradient(from.Address, to.Address, &OnGradient, &OnRelease, GCHandle.ToIntPtr(handle), &result), "checkpoint gradients", () => $"input {input}, output {output}");
        return new Tensor(result).MoveToOuterScope();
    }

    /// <summary>Throws what a part threw while it was computed again; does nothing if none did.</summary>
    internal static void ThrowFailure()
    {
        ExceptionDispatchInfo? failure = _failure;
        _failure = null;
        failure?.Throw();
    }

    [UnmanagedCallersOnly]
    private static int OnGradient(nint context, nint gradient, nint* result)
    {
        const int Ok = 0, Failed = 3;
        try
        {
            *result = ((Segment)GCHandle.FromIntPtr(context).Target!).Backward(gradient);
            return Ok;
        }
        catch (Exception e)
        {
            _failure ??= ExceptionDispatchInfo.Capture(e);
            return Failed;
        }
    }

    [UnmanagedCallersOnly]
    private static void OnRelease(nint context)
    {
        var handle = GCHandle.FromIntPtr(context);
        ((Segment)handle.Target!).Dispose();
        handle.Free();
    }

    /// <summary>What computing a part once more takes.</summary>
    private sealed class Segment : IDisposable
    {
        private readonly Func<Tensor, Tensor> _forward;
        private readonly Tensor _input;
        private readonly bool _inputHasGradient;
        private readonly DType? _autocast = Autocast.Current;
        private readonly (RandomModule Module, long Draws)[] _draws;
        private readonly BatchNorm[] _norms;

        public Segment(Module part, Tensor input, Func<Tensor, Tensor> forward)
        {
            _forward = forward;
            _inputHasGradient = input.RequiresGrad;
            _input = input.Detach().EscapeScope();
            _draws = [.. part.NamedModules().Select(m => m.Module).OfType<RandomModule>().Select(m => (m, m.Draws))];
            _norms = [.. part.NamedModules().Select(m => m.Module).OfType<BatchNorm>().Where(n => !n.FreezeStatistics)];
        }

        /// <summary>Gives a new native reference to the gradient of the input, or 0.</summary>
        public nint Backward(nint borrowed)
        {
            using var scope = new TensorScope();
            long[] drawn = [.. _draws.Select(d => d.Module.Draws)];
            try
            {
                foreach ((RandomModule module, long draws) in _draws)
                {
                    module.Draws = draws;
                }

                Array.ForEach(_norms, norm => norm.FreezeStatistics = true);
                Tensor leaf = _input.Detach();
                leaf.RequiresGrad = _inputHasGradient;
                Tensor output;
                using (Grad.Enable())
                using (_autocast is DType type ? Autocast.Enable(type) : null)
                {
                    output = _forward(leaf);
                }

                nint same;
                Status.Check(NativeMethods.kt_tensor_retain(borrowed, &same), "checkpoint gradients");
                output.Backward(new Tensor(same));
                using var held = new Tensor.Held(leaf);
                nint gradient;
                Status.Check(NativeMethods.kt_tensor_grad(held.Address, &gradient), "checkpoint gradients");
                return gradient;
            }
            finally
            {
                Array.ForEach(_norms, norm => norm.FreezeStatistics = false);
                for (int i = 0; i < drawn.Length; i++)
                {
                    _draws[i].Module.Draws = drawn[i];
                }
            }
        }

        public void Dispose() => _input.Dispose();
    }
}

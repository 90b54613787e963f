namespace Kinora.Tensors;

/// <summary>
/// A layer with random choices. They come from a counter-based generator keyed by <see cref="Module.SetRandomKey"/>, the
/// layer's name and how often it drew since, so a resumed run repeats them.
/// </summary>
public abstract class RandomModule : UnaryModule
{
    private ulong _seed;
    private int _epoch;
    private long _step;
    private string _name = string.Empty;

    private protected RandomModule()
    {
    }

    /// <summary>How often the layer drew since its key was set.</summary>
    internal long Draws { get; set; }

    /// <summary>The generator of the coming draw.</summary>
    /// <param name="kind">What is drawn; part of the key.</param>
    private protected CounterRandom NextDraw(string kind) => new(_seed, _epoch, _step, $"{kind} {_name} {Draws++}");

    /// <inheritdoc/>
    protected sealed override void OnRandomKey(ulong seed, int epoch, long step, string name) =>
        (_seed, _epoch, _step, _name, Draws) = (seed, epoch, step, name, 0);
}

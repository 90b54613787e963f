using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Actions;

/// <summary>Which colour of the scene a solid takes.</summary>
internal enum Material
{
    /// <summary>The thing itself.</summary>
    Main,

    /// <summary>A darker shade of it: legs, frames.</summary>
    Dark,

    /// <summary>Behind an open door.</summary>
    Opening,

    /// <summary>Handles and edges.</summary>
    Light,
}

/// <summary>A box in figure axes, turned about the vertical.</summary>
/// <param name="Center">Middle.</param>
/// <param name="Half">Half of the sides along its own axes.</param>
/// <param name="Angle">Turn about the vertical, in radians.</param>
/// <param name="Material">Colour.</param>
/// <param name="Backdrop">Lies behind everything else, whatever its depth.</param>
internal readonly record struct Solid(Vector3D Center, Vector3D Half, double Angle, Material Material, bool Backdrop = false);

/// <summary>One instant of a performance.</summary>
/// <param name="Pose">The person.</param>
/// <param name="Solids">The things.</param>
internal readonly record struct Moment(Pose Pose, IReadOnlyList<Solid> Solids);

/// <summary>
/// One performance of an action: its free parameters are drawn once, then <see cref="At"/> is a pure function of time.
/// </summary>
internal abstract class Motion(Body body)
{
    protected Body Body { get; } = body;

    /// <summary>
    /// Range of the direction in which the person faces, in degrees: 0 to the right of the picture, 90 towards the
    /// camera, −90 away. The renderer mirrors half of the clips.
    /// </summary>
    public abstract (double Min, double Max) Heading { get; }

    /// <summary>The person and the things at one time.</summary>
    /// <param name="u">Time as a part of the clip, in [0, 1].</param>
    /// <param name="seconds">Time since the start of the clip.</param>
    public abstract Moment At(double u, double seconds);

    protected static double Smooth(double x)
    {
        x = Math.Clamp(x, 0, 1);
        return x * x * (3 - (2 * x));
    }

    /// <summary>0 before <paramref name="start"/>, 1 after <paramref name="stop"/>, smooth between.</summary>
    protected static double Ramp(double x, double start, double stop) => Smooth((x - start) / (stop - start));

    protected static double Mix(double a, double b, double t) => a + ((b - a) * t);

    protected static Vector3D Mix(Vector3D a, Vector3D b, double t) => Vector3D.Lerp(a, b, t);
}

/// <summary>
/// A change from one state to another with a rest before and after. Its reverse is never animated: the renderer plays
/// the very same process backwards, so that the order of the frames alone tells the two apart.
/// </summary>
internal abstract class Transition : Motion
{
    private readonly double _restBefore;
    private readonly double _restAfter;
    private readonly double _softness;

    protected Transition(Body body, CounterRandom random)
        : base(body)
    {
        _restBefore = random.NextDouble(0.06, 0.24);
        _restAfter = random.NextDouble(0.06, 0.24);
        _softness = random.NextDouble(0.4, 1);
    }

    public sealed override Moment At(double u, double seconds)
    {
        double p = Math.Clamp((u - _restBefore) / (1 - _restBefore - _restAfter), 0, 1);
        return Progress(Mix(p, Smooth(p), _softness));
    }

    /// <summary>The state at a degree of completion.</summary>
    /// <param name="p">0 before, 1 after.</param>
    protected abstract Moment Progress(double p);
}

using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Actions;

/// <summary>An action that repeats: a cycle per so many seconds, from any phase, forwards.</summary>
internal abstract class Repetition : Motion
{
    private readonly double _frequency;
    private readonly double _phase;

    protected Repetition(Body body, CounterRandom random, double minHertz, double maxHertz)
        : base(body)
    {
        _frequency = random.NextDouble(minHertz, maxHertz);
        _phase = random.NextDouble();
    }

    public sealed override Moment At(double u, double seconds) => Cycle((seconds * _frequency) + _phase, seconds);

    /// <summary>The state at a time in cycles.</summary>
    /// <param name="cycle">Time in cycles; its whole part counts the repetitions.</param>
    /// <param name="seconds">Time since the start of the clip.</param>
    protected abstract Moment Cycle(double cycle, double seconds);
}

/// <summary>Waves one hand above the head.</summary>
internal sealed class Wave : Repetition
{
    private readonly bool _left;
    private readonly double _width, _height, _middle;

    public Wave(Body body, CounterRandom random)
        : base(body, random, 1.1, 1.9)
    {
        _left = random.NextBool();
        _width = random.NextDouble(0.13, 0.2);
        _height = random.NextDouble(0.24, 0.29);
        _middle = random.NextDouble(0.03, 0.1);
    }

    public override (double Min, double Max) Heading => (20, 160);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        Vector3D hand = new(0.05, _height, _middle + (_width * Math.Sin(Math.Tau * cycle)));
        if (_left)
        {
            pose.LeftHand = hand;
        }
        else
        {
            pose.RightHand = hand;
        }

        pose.Roll = (_left ? -0.04 : 0.04) * Math.Sin(Math.Tau * cycle);
        return new(pose, []);
    }
}

/// <summary>Claps the hands before the chest with the arms wide apart between.</summary>
internal sealed class Clap : Repetition
{
    private readonly double _wide, _height, _forward;

    public Clap(Body body, CounterRandom random)
        : base(body, random, 1.2, 2.0)
    {
        _wide = random.NextDouble(0.16, 0.24);
        _height = random.NextDouble(-0.06, 0.06);
        _forward = random.NextDouble(0.24, 0.28);
    }

    public override (double Min, double Max) Heading => (40, 140);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double apart = Math.Abs(Math.Sin(Math.PI * cycle));
        double wide = Mix(-Body.ShoulderWidth + 0.012, _wide, apart);
        Vector3D hand = new(_forward - (0.08 * apart), _height, wide);
        (pose.LeftHand, pose.RightHand) = (hand, hand);
        return new(pose, []);
    }
}

/// <summary>Jumping jacks: legs and arms spread and close.</summary>
internal sealed class JumpingJack : Repetition
{
    private readonly double _legs, _hop, _top;

    public JumpingJack(Body body, CounterRandom random)
        : base(body, random, 1.1, 1.8)
    {
        _legs = random.NextDouble(0.14, 0.2);
        _hop = random.NextDouble(0.03, 0.06);
        _top = random.NextDouble(2.5, 2.95);
    }

    public override (double Min, double Max) Heading => (30, 150);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double open = 0.5 - (0.5 * Math.Cos(Math.Tau * cycle));
        double hop = _hop * Math.Abs(Math.Sin(Math.Tau * cycle));
        double angle = Mix(0.12, _top, open);
        Vector3D hand = new(0.03, -Body.Arm * 0.97 * Math.Cos(angle), Body.Arm * 0.97 * Math.Sin(angle));
        (pose.LeftHand, pose.RightHand) = (hand, hand);
        double spread = _legs * open;
        pose.LeftFoot += new Vector3D(0, hop, spread);
        pose.RightFoot += new Vector3D(0, hop, -spread);
        double side = spread + (Body.HipWidth * 0.1);
        pose.Hips = new(0, hop + Body.Ankle + (0.985 * Math.Sqrt((Body.Leg * Body.Leg) - (side * side))), 0);
        return new(pose, []);
    }
}

/// <summary>Jumps on the spot with both feet.</summary>
internal sealed class Jump : Repetition
{
    private readonly double _height, _crouch, _arms, _tuck;

    public Jump(Body body, CounterRandom random)
        : base(body, random, 1.0, 1.4)
    {
        _height = random.NextDouble(0.2, 0.32);
        _crouch = random.NextDouble(0.1, 0.16);
        _arms = random.NextDouble(-0.1, 0.25);
        _tuck = random.NextDouble(0.02, 0.1);
    }

    public override (double Min, double Max) Heading => (-80, 80);

    protected override Moment Cycle(double cycle, double seconds)
    {
        const double onFloor = 0.45;
        Pose pose = Pose.Standing(Body);
        double within = cycle - Math.Floor(cycle);
        double air = within < onFloor ? 0 : (within - onFloor) / (1 - onFloor);
        double rise = 4 * air * (1 - air);
        double dip = within < onFloor ? Math.Sin(Math.PI * within / onFloor) : 0;
        pose.Hips += new Vector3D(-0.04 * dip, (_height * rise) - (_crouch * dip), 0);
        pose.Pitch = 0.5 * dip;
        double lift = Math.Max(0, (_height + _tuck) * rise);
        pose.LeftFoot += new Vector3D(-0.03 * rise, lift, 0);
        pose.RightFoot += new Vector3D(-0.03 * rise, lift, 0);
        Vector3D up = new(0.16, _arms, 0.08), back = new(-0.14, -Body.Arm * 0.85, 0.06);
        Vector3D hand = Mix(Mix(pose.LeftHand, back, dip), up, Math.Sqrt(rise));
        (pose.LeftHand, pose.RightHand) = (hand, hand);
        return new(pose, []);
    }
}

/// <summary>Kicks forward and high with one leg.</summary>
internal sealed class Kick : Repetition
{
    private readonly bool _left;
    private readonly double _reach, _height, _lean;

    public Kick(Body body, CounterRandom random)
        : base(body, random, 0.9, 1.3)
    {
        _left = random.NextBool();
        _reach = random.NextDouble(0.36, 0.46);
        _height = random.NextDouble(0.36, 0.6);
        _lean = random.NextDouble(0.1, 0.3);
    }

    public override (double Min, double Max) Heading => (-50, 55);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double within = cycle - Math.Floor(cycle);
        double draw = Math.Sin(Math.PI * Math.Clamp(within / 0.35, 0, 1));
        double kick = Math.Sin(Math.PI * Math.Clamp((within - 0.25) / 0.6, 0, 1));
        Vector3D foot = new((_reach * kick) - (0.16 * draw), Body.Ankle + (_height * kick) + (0.08 * draw), _left ? 0.05 : -0.05);
        pose.Hips += new Vector3D(-0.02 * kick, -0.012, 0);
        pose.Pitch = (-_lean * kick) + (0.06 * draw);
        Vector3D guard = new(0.14, -0.12, 0.08);
        pose.LeftHand = guard + new Vector3D(_left ? -0.1 * kick : 0.05 * kick, -0.06 * kick, 0.06 * kick);
        pose.RightHand = guard + new Vector3D(_left ? 0.05 * kick : -0.1 * kick, -0.06 * kick, 0.06 * kick);
        if (_left)
        {
            pose.LeftFoot = foot;
            pose.RightFoot += new Vector3D(-0.01, 0, 0.01);
        }
        else
        {
            pose.RightFoot = foot;
            pose.LeftFoot += new Vector3D(-0.01, 0, -0.01);
        }

        return new(pose, []);
    }
}

/// <summary>Punches forward, left and right in turn, from a boxer's stance.</summary>
internal sealed class Punch : Repetition
{
    private readonly double _stance, _height, _lean;

    public Punch(Body body, CounterRandom random)
        : base(body, random, 0.9, 1.4)
    {
        _stance = random.NextDouble(0.09, 0.14);
        _height = random.NextDouble(-0.06, 0.06);
        _lean = random.NextDouble(0.1, 0.25);
    }

    public override (double Min, double Max) Heading => (-50, 50);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double within = cycle - Math.Floor(cycle);
        double first = Jab(within), second = Jab(within < 0.5 ? within + 0.5 : within - 0.5);
        pose.Hips += new Vector3D(0.02 * (first + second), -0.035, 0);
        pose.LeftFoot += new Vector3D(_stance, 0, 0);
        pose.RightFoot += new Vector3D(-_stance, 0, 0);
        pose.Pitch = _lean;
        Vector3D guard = new(0.13, -0.02, -0.02);
        Vector3D far = new(Body.Arm, _height, -Body.ShoulderWidth * 0.7);
        pose.LeftHand = Mix(guard, far, first);
        pose.RightHand = Mix(guard, far, second);
        return new(pose, []);

        static double Jab(double t) => Math.Pow(Math.Sin(Math.PI * Math.Clamp(t / 0.5, 0, 1)), 1.5);
    }
}

/// <summary>Swings both stretched arms in full circles.</summary>
internal sealed class SpinArms : Repetition
{
    private readonly double _direction, _lag;

    public SpinArms(Body body, CounterRandom random)
        : base(body, random, 0.9, 1.4)
    {
        _direction = random.NextBool() ? 1 : -1;
        _lag = random.NextBool() ? 0 : 0.5;
    }

    public override (double Min, double Max) Heading => (-40, 60);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        pose.LeftHand = Hand(cycle);
        pose.RightHand = Hand(cycle + _lag);
        return new(pose, []);

        Vector3D Hand(double turn)
        {
            (double sine, double cosine) = Math.SinCos(Math.Tau * turn * _direction);
            return new(Body.Arm * 0.97 * sine, -Body.Arm * 0.97 * cosine, 0.05);
        }
    }
}

/// <summary>Bends the knees deeply and rises again, arms stretched forward.</summary>
internal sealed class Squat : Repetition
{
    private readonly double _depth, _bow;

    public Squat(Body body, CounterRandom random)
        : base(body, random, 0.75, 1.1)
    {
        _depth = random.NextDouble(0.2, 0.26);
        _bow = random.NextDouble(0.3, 0.55);
    }

    public override (double Min, double Max) Heading => (-50, 80);

    protected override Moment Cycle(double cycle, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double down = 0.5 - (0.5 * Math.Cos(Math.Tau * cycle));
        pose.Hips += new Vector3D(-0.12 * down, -_depth * down, 0);
        pose.Pitch = _bow * down;
        Vector3D forward = new(Body.Arm * 0.95, 0.02 + (0.1 * down), -0.02);
        pose.LeftHand = Mix(pose.LeftHand, forward, Math.Sqrt(down));
        pose.RightHand = Mix(pose.RightHand, forward, Math.Sqrt(down));
        pose.LeftFoot += new Vector3D(0, 0, 0.03);
        pose.RightFoot += new Vector3D(0, 0, -0.03);
        return new(pose, []);
    }
}

/// <summary>Walks through the picture.</summary>
internal sealed class Walk : Motion
{
    private readonly double _speed, _stride, _phase, _swing, _middle;

    public Walk(Body body, CounterRandom random, double duration)
        : base(body)
    {
        _stride = random.NextDouble(0.62, 0.8) * body.Leg / 0.48;
        _speed = random.NextDouble(0.75, 1.05) * _stride;
        _phase = random.NextDouble();
        _swing = random.NextDouble(0.1, 0.2);
        _middle = duration / 2;
    }

    public override (double Min, double Max) Heading => (-35, 35);

    public override Moment At(double u, double seconds)
    {
        Pose pose = Pose.Standing(Body);
        double x = (seconds - _middle) * _speed;
        Gait.Walk(ref pose, Body, x, _stride, _phase, 0.07);
        pose.Pitch = 0.06;

        // Each arm swings with the opposite leg.
        double swing = Math.Cos(Math.Tau * ((x / _stride) + _phase - 0.05));
        pose.LeftHand += new Vector3D(-_swing * swing, 0.03 * Math.Abs(swing), 0);
        pose.RightHand += new Vector3D(_swing * swing, 0.03 * Math.Abs(swing), 0);
        return new(pose, []);
    }
}

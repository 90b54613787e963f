using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Actions;

/// <summary>From standing before a chair to sitting on it.</summary>
internal sealed class SitDown : Transition
{
    private readonly double _seat, _back, _bow, _lean, _width;
    private readonly bool _hasRest;
    private readonly Vector3D _hands;

    public SitDown(Body body, CounterRandom random)
        : base(body, random)
    {
        _seat = random.NextDouble(0.23, 0.29);
        _back = random.NextDouble(0.2, 0.26);
        _bow = random.NextDouble(0.45, 0.85);
        _lean = random.NextDouble(-0.15, 0.12);
        _width = random.NextDouble(0.11, 0.15);
        _hasRest = random.NextBool(0.75);
        _hands = new(random.NextDouble(0.14, 0.22), random.NextDouble(-0.27, -0.2), random.NextDouble(-0.05, 0.02));
    }

    public override (double Min, double Max) Heading => (-40, 65);

    protected override Moment Progress(double p)
    {
        Pose pose = Pose.Standing(Body);
        pose.Hips = new(-_back * Ramp(p, 0, 0.85), Mix(Body.StandingHips, _seat + 0.06, Ramp(p, 0.05, 1)), 0);
        pose.Pitch = (_bow * Math.Sin(Math.PI * p)) + (_lean * p);
        pose.LeftHand = Mix(pose.LeftHand, _hands, Smooth(p));
        pose.RightHand = Mix(pose.RightHand, _hands, Smooth(p));

        double middle = -_back - 0.02, half = _width;
        var solids = new List<Solid>
        {
            new(new(middle, _seat - 0.012, 0), new(half, 0.014, half), 0, Material.Main),
        };
        foreach ((double x, double z) in ((double, double)[])[(-1, -1), (-1, 1), (1, -1), (1, 1)])
        {
            solids.Add(new(new(middle + (x * (half - 0.014)), (_seat - 0.026) / 2, z * (half - 0.014)), new(0.012, (_seat - 0.026) / 2, 0.012), 0, Material.Dark));
        }

        if (_hasRest)
        {
            solids.Add(new(new(middle - half, _seat + 0.13, 0), new(0.012, 0.13, half), 0, Material.Main));
        }

        return new(pose, solids);
    }
}

/// <summary>From standing to lying on the floor, on the face or on the back.</summary>
internal sealed class FallDown : Transition
{
    private readonly double _side, _buckle, _flail, _stagger;
    private readonly Vector3D _hands;

    public FallDown(Body body, CounterRandom random)
        : base(body, random)
    {
        _side = random.NextBool() ? 1 : -1;
        _buckle = random.NextDouble(0.1, 0.3);
        _flail = random.NextDouble(0.1, 0.28);
        _stagger = random.NextDouble(0.0, 0.06);
        _hands = _side > 0
            ? new(random.NextDouble(0.02, 0.08), random.NextDouble(-0.1, 0.25), random.NextDouble(0.05, 0.18))
            : new(random.NextDouble(-0.04, 0.02), random.NextDouble(-0.28, 0.2), random.NextDouble(0.1, 0.22));
    }

    public override (double Min, double Max) Heading => (-40, 40);

    protected override Moment Progress(double p)
    {
        Pose pose = Pose.Standing(Body);
        double angle = 1.5 * Ramp(p, 0, 1) * Mix(p, 1, 0.3);
        double reach = (Body.StandingHips - Body.Ankle) * (1 - (_buckle * Math.Sin(Math.PI * p)));
        double height = Math.Max((reach * Math.Cos(angle)) + Body.Ankle, 0.055 * Body.Girth);
        pose.Hips = new(_side * reach * Math.Sin(angle), height, 0);
        pose.Pitch = _side * Math.Min(angle + (0.35 * Math.Sin(Math.PI * p)), 1.57);
        pose.Nod = -_side * 0.25 * p;
        Vector3D flail = new(_side * _flail * 0.6, 0.12, 0.14);
        double middle = Math.Sin(Math.PI * p);
        pose.LeftHand = Mix(pose.LeftHand, _hands, Smooth(p)) + (flail * middle);
        pose.RightHand = Mix(pose.RightHand, _hands, Smooth(p)) + (flail * middle);
        pose.LeftFoot += new Vector3D(_stagger, 0, 0.02 * p);
        pose.RightFoot += new Vector3D(-_stagger, 0, -0.02 * p);
        return new(pose, []);
    }
}

/// <summary>From standing with empty hands, a box on the floor, to holding it before the chest.</summary>
internal sealed class PickUp : Transition
{
    private readonly double _size, _height, _distance, _bow, _squat, _angle;
    private readonly Vector3D _carry;

    public PickUp(Body body, CounterRandom random)
        : base(body, random)
    {
        _size = random.NextDouble(0.085, 0.13);
        _height = random.NextDouble(0.07, 0.12);
        _distance = random.NextDouble(0.24, 0.3);
        _bow = random.NextDouble(0.75, 1.15);
        _squat = random.NextDouble(0.3, 0.4);
        _angle = random.NextDouble(-0.3, 0.3);
        _carry = new(_size + random.NextDouble(0.1, 0.14), body.StandingShoulders - random.NextDouble(0.1, 0.2), 0);
    }

    public override (double Min, double Max) Heading => (-35, 75);

    protected override Moment Progress(double p)
    {
        Pose pose = Pose.Standing(Body);
        double bent = Math.Pow(Math.Sin(Math.PI * p), 0.8);
        double lift = Ramp(p, 0.5, 1);
        Vector3D box = Mix(new(_distance, _height, 0), _carry, lift);
        box += new Vector3D(0.03 * Math.Sin(Math.PI * lift), 0, 0);
        pose.Hips = new(-0.1 * bent, Mix(Body.StandingHips, _squat, bent), 0);
        pose.Pitch = _bow * bent;
        pose.Nod = -0.2 * bent;
        pose.LeftFoot += new Vector3D(0, 0, 0.03);
        pose.RightFoot += new Vector3D(0, 0, -0.03);
        pose.LeftHold = box + new Vector3D(-0.01, -0.01, _size + 0.01);
        pose.RightHold = box + new Vector3D(-0.01, -0.01, -_size - 0.01);
        pose.LeftGrip = pose.RightGrip = Ramp(p, 0.05, 0.45);
        return new(pose, [new(box, new(_size, _height, _size), _angle, Material.Main)]);
    }
}

/// <summary>From standing before a closed door to standing before an open one.</summary>
internal sealed class OpenDoor : Transition
{
    private readonly double _side, _width, _height, _distance, _wide, _offset, _step;

    public OpenDoor(Body body, CounterRandom random)
        : base(body, random)
    {
        _side = random.NextBool() ? 1 : -1;
        _width = random.NextDouble(0.46, 0.58);
        _height = random.NextDouble(1.1, 1.25);
        _distance = random.NextDouble(0.24, 0.3);
        _wide = random.NextDouble(1.0, 1.4);
        _offset = random.NextDouble(0.0, 0.06);
        _step = random.NextDouble(0.02, 0.1);
    }

    public override (double Min, double Max) Heading => (-118, -62);

    protected override Moment Progress(double p)
    {
        Pose pose = Pose.Standing(Body);
        double swing = _wide * Ramp(p, 0.15, 0.9);
        double near = _side * _offset, hinge = _side * (_offset + _width);
        (double sine, double cosine) = Math.SinCos(swing);

        // The leaf turns about the hinge, away from the person.
        Vector3D Leaf(double along) => new(_distance + (along * sine), 0, hinge - (_side * along * cosine));
        Vector3D handle = Leaf(_width * 0.92) + new Vector3D(-0.02, 0.52, 0);
        Vector3D leafMiddle = Leaf(_width / 2) + new Vector3D(0, _height / 2, 0);

        double busy = Ramp(p, 0, 0.15) * (1 - Ramp(p, 0.9, 1));
        pose.Hips += new Vector3D(_step * swing / _wide, -0.01, _side * 0.03 * busy);
        pose.Pitch = 0.16 * busy;
        pose.LeftFoot += new Vector3D(0.06, 0, 0);
        pose.RightFoot += new Vector3D(-0.04, 0, 0);
        if (_side > 0)
        {
            (pose.LeftHold, pose.LeftGrip) = (handle, busy);
        }
        else
        {
            (pose.RightHold, pose.RightGrip) = (handle, busy);
        }

        double turn = -_side * swing, middle = (near + hinge) / 2;
        const double post = 0.022;
        return new(pose,
        [
            new(new(_distance + 0.02, _height / 2, middle), new(0.002, _height / 2, _width / 2), 0, Material.Opening, Backdrop: true),
            new(leafMiddle, new(0.012, (_height / 2) - 0.01, (_width / 2) - 0.005), turn, Material.Main, Backdrop: true),
            new(Leaf(_width * 0.9) + new Vector3D(-0.015, 0.52, 0), new(0.015, 0.012, 0.03), turn, Material.Light, Backdrop: true),
            new(new(_distance, _height / 2, near - (_side * post)), new(post, _height / 2, post), 0, Material.Dark, Backdrop: true),
            new(new(_distance, _height / 2, hinge + (_side * post)), new(post, _height / 2, post), 0, Material.Dark, Backdrop: true),
            new(new(_distance, _height + post, middle), new(post, post, (_width / 2) + (2 * post)), 0, Material.Dark, Backdrop: true),
        ]);
    }
}

/// <summary>Walks a crate away, leaning against it.</summary>
internal sealed class Push : Transition
{
    private readonly double _size, _height, _travel, _lean, _stride, _phase, _gap;

    public Push(Body body, CounterRandom random)
        : base(body, random)
    {
        _size = random.NextDouble(0.16, 0.24);
        _height = random.NextDouble(0.22, 0.33);
        _travel = random.NextDouble(0.7, 1.0);
        _lean = random.NextDouble(0.35, 0.6);
        _stride = random.NextDouble(0.55, 0.75);
        _phase = random.NextDouble();
        _gap = random.NextDouble(0.3, 0.36);
    }

    public override (double Min, double Max) Heading => (-40, 40);

    protected override Moment Progress(double p)
    {
        double x = _travel * (p - 0.5);
        Pose pose = Pose.Standing(Body);
        Gait.Walk(ref pose, Body, x, _stride, _phase, 0.12);
        pose.Hips += new Vector3D(-0.08, -0.05, 0);
        pose.Pitch = _lean;
        pose.Nod = -0.3;
        double face = x + _gap;
        double grip = Math.Min(_height * 1.85, 0.5);
        pose.LeftHold = new(face, grip, _size * 0.5);
        pose.RightHold = new(face, grip, -_size * 0.5);
        pose.LeftGrip = pose.RightGrip = 1;
        return new(pose, [new(new(face + _size, _height, 0), new(_size, _height, _size), 0, Material.Main)]);
    }
}

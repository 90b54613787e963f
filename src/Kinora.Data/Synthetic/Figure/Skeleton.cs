namespace Kinora.Data.Synthetic.Figure;

/// <summary>All joints of a pose, in figure axes.</summary>
internal struct Skeleton
{
    public Vector3D Hips, Neck, Head, Forward;
    public Vector3D LeftShoulder, LeftElbow, LeftHand, RightShoulder, RightElbow, RightHand;
    public Vector3D LeftHip, LeftKnee, LeftAnkle, LeftToe, RightHip, RightKnee, RightAnkle, RightToe;

    public static Skeleton Solve(Body body, in Pose pose)
    {
        Axes trunk = Axes.Leaning(pose.Pitch, pose.Roll);
        Axes pelvis = Axes.Leaning(pose.Pitch * 0.5, pose.Roll * 0.5);
        var s = new Skeleton { Hips = pose.Hips, Forward = trunk.Forward };
        s.Neck = pose.Hips + (trunk.Up * body.Torso);
        s.Head = s.Neck + (Axes.Leaning(pose.Pitch + pose.Nod, pose.Roll).Up * (body.HeadRadius + 0.045));

        s.LeftShoulder = s.Neck + (trunk.Left * body.ShoulderWidth) - (trunk.Up * 0.02);
        s.RightShoulder = s.Neck - (trunk.Left * body.ShoulderWidth) - (trunk.Up * 0.02);
        Vector3D left = s.LeftShoulder + trunk.At(pose.LeftHand.X, pose.LeftHand.Y, pose.LeftHand.Z);
        Vector3D right = s.RightShoulder + trunk.At(pose.RightHand.X, pose.RightHand.Y, -pose.RightHand.Z);
        left = Vector3D.Lerp(left, pose.LeftHold, pose.LeftGrip);
        right = Vector3D.Lerp(right, pose.RightHold, pose.RightGrip);

        // Elbows point back, down and outwards.
        (s.LeftElbow, s.LeftHand) = Reach(s.LeftShoulder, left, body.UpperArm, body.Forearm, trunk.At(-0.6, -0.8, 0.35));
        (s.RightElbow, s.RightHand) = Reach(s.RightShoulder, right, body.UpperArm, body.Forearm, trunk.At(-0.6, -0.8, -0.35));

        s.LeftHip = pose.Hips + (pelvis.Left * body.HipWidth);
        s.RightHip = pose.Hips - (pelvis.Left * body.HipWidth);
        (s.LeftKnee, s.LeftAnkle) = Reach(s.LeftHip, pose.LeftFoot, body.Thigh, body.Shin, pelvis.At(1, 0, 0.25));
        (s.RightKnee, s.RightAnkle) = Reach(s.RightHip, pose.RightFoot, body.Thigh, body.Shin, pelvis.At(1, 0, -0.25));
        s.LeftToe = Toe(s.LeftKnee, s.LeftAnkle, pelvis.Forward);
        s.RightToe = Toe(s.RightKnee, s.RightAnkle, pelvis.Forward);
        return s;
    }

    // Two bones from a root to a target: the law of cosines in the plane that the hint spans; a target out of reach
    // leaves the limb stretched towards it.
    private static (Vector3D Middle, Vector3D End) Reach(Vector3D root, Vector3D target, double first, double second, Vector3D hint)
    {
        Vector3D toTarget = target - root;
        double distance = Math.Clamp(toTarget.Length, Math.Abs(first - second) + 0.01, (first + second) * 0.999);
        Vector3D along = toTarget.Normalized(new(0, -1, 0));
        Vector3D across = (hint - (along * Vector3D.Dot(hint, along))).Normalized(new(1, 0, 0));
        double foot = ((first * first) - (second * second) + (distance * distance)) / (2 * distance);
        double height = Math.Sqrt(Math.Max(0, (first * first) - (foot * foot)));
        return (root + (along * foot) + (across * height), root + (along * distance));
    }

    // A foot on the floor lies flat; a lifted one stands square to the shin.
    private static Vector3D Toe(Vector3D knee, Vector3D ankle, Vector3D forward)
    {
        Vector3D shin = (ankle - knee).Normalized(new(0, -1, 0));
        Vector3D square = (forward - (shin * Vector3D.Dot(forward, shin))).Normalized(new(1, 0, 0));
        Vector3D flat = new Vector3D(square.X, 0, square.Z).Normalized(new(1, 0, 0)) + new Vector3D(0, -0.2, 0);
        double lifted = Math.Clamp((ankle.Y - Body.Ankle - 0.01) / 0.08, 0, 1);
        return ankle + (Vector3D.Lerp(flat, square, lifted).Normalized(new(1, 0, 0)) * 0.1);
    }

    private readonly record struct Axes(Vector3D Forward, Vector3D Up, Vector3D Left)
    {
        public static Axes Leaning(double pitch, double roll)
        {
            (double sp, double cp) = Math.SinCos(pitch);
            (double sr, double cr) = Math.SinCos(roll);
            Vector3D up = new(sp * cr, cp * cr, sr);
            Vector3D forward = new(cp, -sp, 0);
            return new(forward, up, new(-sp * sr, -cp * sr, cr));
        }

        public Vector3D At(double forward, double up, double left) => (Forward * forward) + (Up * up) + (Left * left);
    }
}

namespace Kinora.Data.Synthetic.Figure;

/// <summary>
/// What a motion decides in one frame; the limbs between are solved by <see cref="Skeleton"/>.
/// Figure axes: x forward, y up, z to the figure's left. Unit: average stature. Angles in radians.
/// </summary>
internal struct Pose
{
    /// <summary>Middle between the hip joints.</summary>
    public Vector3D Hips;

    /// <summary>Lean of the trunk: 0 upright, π/2 face down, −π/2 face up.</summary>
    public double Pitch;

    /// <summary>Lean of the trunk to the left.</summary>
    public double Roll;

    /// <summary>Nod of the head, added to the trunk's lean.</summary>
    public double Nod;

    /// <summary>Hand relative to its shoulder along the trunk's axes: x forward, y towards the head, z outwards.</summary>
    public Vector3D LeftHand;

    /// <inheritdoc cref="LeftHand"/>
    public Vector3D RightHand;

    /// <summary>Where the left hand holds something, in figure axes; used to the extent of <see cref="LeftGrip"/>.</summary>
    public Vector3D LeftHold;

    /// <inheritdoc cref="LeftHold"/>
    public Vector3D RightHold;

    /// <summary>0: the hand follows the trunk; 1: it is where the hold is.</summary>
    public double LeftGrip;

    /// <inheritdoc cref="LeftGrip"/>
    public double RightGrip;

    /// <summary>Ankle, in figure axes.</summary>
    public Vector3D LeftFoot;

    /// <inheritdoc cref="LeftFoot"/>
    public Vector3D RightFoot;

    public static Pose Standing(Body body) => new()
    {
        Hips = new(0, body.StandingHips, 0),
        LeftHand = new(0.04, -body.Arm * 0.97, 0.05),
        RightHand = new(0.04, -body.Arm * 0.97, 0.05),
        LeftFoot = new(0, Body.Ankle, body.HipWidth * 1.1),
        RightFoot = new(0, Body.Ankle, -body.HipWidth * 1.1),
    };
}

using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Actions;

/// <summary>Steps: each foot rests on the floor for 60 % of its cycle and swings forward for the rest.</summary>
internal static class Gait
{
    private const double Stance = 0.6;

    /// <summary>Places hips and feet of a walker.</summary>
    /// <param name="pose">Pose to change.</param>
    /// <param name="body">Proportions.</param>
    /// <param name="x">How far the hips have come.</param>
    /// <param name="stride">Length of a whole cycle: two steps.</param>
    /// <param name="phase">Where in the cycle x = 0 lies, in [0, 1).</param>
    /// <param name="lift">How high a swinging foot rises.</param>
    public static void Walk(ref Pose pose, Body body, double x, double stride, double phase, double lift)
    {
        double cycle = (x / stride) + phase;
        pose.Hips = new(x, body.StandingHips - 0.015 - (0.012 * Math.Cos(cycle * 4 * Math.PI)), 0);
        pose.LeftFoot = Foot(cycle, phase, stride, lift, pose.LeftFoot.Z);
        pose.RightFoot = Foot(cycle + 0.5, phase + 0.5, stride, lift, pose.RightFoot.Z);
    }

    private static Vector3D Foot(double cycle, double phase, double stride, double lift, double z)
    {
        double step = Math.Floor(cycle), within = cycle - step;

        // The hips pass over a resting foot in the middle of its rest.
        double from = (step - phase + (Stance / 2)) * stride;
        if (within < Stance)
        {
            return new(from, Body.Ankle, z);
        }

        double swing = (within - Stance) / (1 - Stance);
        double eased = swing * swing * (3 - (2 * swing));
        return new(from + (eased * stride), Body.Ankle + (lift * Math.Sin(Math.PI * swing)), z);
    }
}

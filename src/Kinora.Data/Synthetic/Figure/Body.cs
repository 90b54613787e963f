namespace Kinora.Data.Synthetic.Figure;

/// <summary>Proportions of one person, in units of the average stature.</summary>
internal sealed record Body(
    double Thigh,
    double Shin,
    double Torso,
    double UpperArm,
    double Forearm,
    double ShoulderWidth,
    double HipWidth,
    double HeadRadius,
    double Girth)
{
    /// <summary>Height of the ankle above the sole.</summary>
    public const double Ankle = 0.035;

    public double Leg => Thigh + Shin;

    public double Arm => UpperArm + Forearm;

    /// <summary>Height of the hips in relaxed standing: the knees keep a little bend.</summary>
    public double StandingHips => (Leg * 0.985) + Ankle;

    /// <summary>Height of the shoulders in relaxed standing.</summary>
    public double StandingShoulders => StandingHips + Torso;

    public static Body Draw(CounterRandom random)
    {
        double stature = random.NextDouble(0.9, 1.08);
        double legs = stature * random.NextDouble(0.94, 1.06);
        double arms = stature * random.NextDouble(0.94, 1.06);
        double girth = random.NextDouble(0.8, 1.3);
        return new Body(
            Thigh: 0.245 * legs,
            Shin: 0.235 * legs,
            Torso: 0.30 * stature * random.NextDouble(0.95, 1.05),
            UpperArm: 0.175 * arms,
            Forearm: 0.185 * arms,
            ShoulderWidth: 0.105 * stature * random.NextDouble(0.9, 1.15) * (0.7 + (0.3 * girth)),
            HipWidth: 0.055 * stature * random.NextDouble(0.9, 1.15) * (0.7 + (0.3 * girth)),
            HeadRadius: 0.068 * random.NextDouble(0.92, 1.15),
            Girth: girth);
    }
}

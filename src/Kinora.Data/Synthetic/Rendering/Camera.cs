using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Rendering;

/// <summary>
/// A pinhole camera that looks at the person. Figure axes are turned by the heading, mirrored or not, and projected;
/// <see cref="Fit"/> then chooses the zoom so that a whole performance stays in the picture.
/// </summary>
internal sealed class Camera
{
    private readonly double _sinHeading, _cosHeading, _mirror, _height, _distance, _sinTilt, _cosTilt;
    private double _scale = 1, _offsetX, _offsetY;

    /// <param name="heading">Where the person faces, in radians: 0 right, π/2 towards the camera.</param>
    /// <param name="mirror">Whether left and right are exchanged.</param>
    /// <param name="height">Height of the lens above the floor.</param>
    /// <param name="distance">Distance of the lens from the middle of the scene.</param>
    public Camera(double heading, bool mirror, double height, double distance)
    {
        (_sinHeading, _cosHeading) = Math.SinCos(heading);
        _mirror = mirror ? -1 : 1;
        _height = height;
        _distance = distance;
        (_sinTilt, _cosTilt) = Math.SinCos(Math.Atan((height - 0.45) / distance));
    }

    /// <summary>A projected point.</summary>
    /// <param name="X">Column, in pixels.</param>
    /// <param name="Y">Row, in pixels.</param>
    /// <param name="Scale">Pixels per unit at that distance.</param>
    /// <param name="Depth">Distance from the lens along its axis.</param>
    public readonly record struct Projected(float X, float Y, float Scale, double Depth)
    {
        public Point Point => new(X, Y);
    }

    /// <summary>The point in the still picture, before the camera's motion.</summary>
    public Projected Project(Vector3D p) => Project(p, _scale, _offsetX, _offsetY);

    /// <summary>A direction as the camera sees it: right, up, towards the lens.</summary>
    public Vector3D Turn(Vector3D d)
    {
        double x = ((d.X * _cosHeading) + (d.Z * _sinHeading)) * _mirror;
        double z = (d.X * _sinHeading) - (d.Z * _cosHeading);
        return new(x, (d.Y * _cosTilt) - (z * _sinTilt), (z * _cosTilt) + (d.Y * _sinTilt));
    }

    /// <summary>Row of the picture where a floor ends that reaches so far behind the scene.</summary>
    public float FloorEdge(double behind)
    {
        // Straight behind the middle of the scene, undoing the heading.
        var p = new Vector3D(-behind * _sinHeading, 0, behind * _cosHeading);
        return Project(p).Y;
    }

    /// <summary>Sets zoom and offset.</summary>
    /// <param name="points">Everything that must stay visible.</param>
    /// <param name="width">Picture width.</param>
    /// <param name="height">Picture height.</param>
    /// <param name="fill">Part of the middle square that the points fill.</param>
    /// <param name="standing">Smallest height to fit, in units, so that low scenes aren't magnified.</param>
    /// <param name="random">Chooses the position inside the slack.</param>
    /// <returns>The box of the points in the picture: left, top, right, bottom.</returns>
    public (float Left, float Top, float Right, float Bottom) Fit(IEnumerable<Vector3D> points, int width, int height, double fill, double standing, CounterRandom random)
    {
        double left = double.MaxValue, top = double.MaxValue, right = double.MinValue, bottom = double.MinValue;
        foreach (Vector3D point in points)
        {
            Projected p = Project(point, 1, 0, 0);
            (left, right) = (Math.Min(left, p.X), Math.Max(right, p.X));
            (top, bottom) = (Math.Min(top, p.Y), Math.Max(bottom, p.Y));
        }

        // Networks look at a square in the middle: the performance has to fit into it.
        double square = 0.94 * Math.Min(width, height);
        double boxWidth = right - left, boxHeight = Math.Max(bottom - top, standing / _distance);
        top = bottom - boxHeight;
        _scale = fill * square / Math.Max(boxWidth, boxHeight);
        double slackX = square - (boxWidth * _scale), slackY = square - (boxHeight * _scale);
        _offsetX = ((width - square) / 2) + (slackX * random.NextDouble(0.1, 0.9)) - (left * _scale);
        _offsetY = ((height - square) / 2) + (slackY * random.NextDouble(0.3, 0.8)) - (top * _scale);
        return ((float)((left * _scale) + _offsetX), (float)((top * _scale) + _offsetY), (float)((right * _scale) + _offsetX), (float)((bottom * _scale) + _offsetY));
    }

    private Projected Project(Vector3D p, double scale, double offsetX, double offsetY)
    {
        double x = ((p.X * _cosHeading) + (p.Z * _sinHeading)) * _mirror;
        double z = (p.X * _sinHeading) - (p.Z * _cosHeading) - _distance;
        double y = p.Y - _height;
        double depth = -(z * _cosTilt) - (y * _sinTilt);
        double up = (y * _cosTilt) - (z * _sinTilt);
        double perUnit = scale / depth;
        return new((float)((x * perUnit) + offsetX), (float)((-up * perUnit) + offsetY), (float)perUnit, depth);
    }
}

/// <summary>
/// The hand that holds the camera: pan, zoom and roll around the middle of the picture, drift plus sway.
/// Every part is as likely as its mirror image in time.
/// </summary>
internal sealed class Handheld
{
    private readonly double _panX, _panY, _zoom, _roll;
    private readonly (double Frequency, double Phase, double Amplitude)[] _sway = new (double, double, double)[3];
    private readonly int _width, _height;

    public Handheld(int width, int height, CounterRandom random)
    {
        (_width, _height) = (width, height);
        Strength = random.NextBool(0.35) ? 0 : random.NextDouble(0.2, 1);
        _panX = random.NextDouble(-0.05, 0.05) * width * Strength;
        _panY = random.NextDouble(-0.03, 0.03) * height * Strength;
        _zoom = random.NextDouble(-0.05, 0.05) * Strength;
        _roll = random.NextDouble(-0.03, 0.03) * Strength;
        for (int i = 0; i < _sway.Length; i++)
        {
            _sway[i] = (random.NextDouble(0.4, 2.5), random.NextDouble(0, Math.Tau), random.NextDouble(0, 0.006) * width * Strength);
        }
    }

    /// <summary>0: on a tripod; 1: the liveliest.</summary>
    public double Strength { get; }

    public Transform At(double u, double seconds)
    {
        double t = u - 0.5;
        double zoom = 1 + (_zoom * 2 * t) + (_sway[2].Amplitude / _width * Wave(2));
        (double sine, double cosine) = Math.SinCos(_roll * t * 2);
        return new Transform(
            (float)(zoom * cosine), (float)(zoom * sine), _width / 2f, _height / 2f,
            (float)((_panX * 2 * t) + (_sway[0].Amplitude * Wave(0))), (float)((_panY * 2 * t) + (_sway[1].Amplitude * Wave(1))));

        double Wave(int i) => Math.Sin((Math.Tau * _sway[i].Frequency * seconds) + _sway[i].Phase);
    }

    /// <summary>A similarity: p ↦ R·(p − c) + c + d.</summary>
    public readonly record struct Transform(float A, float B, float CenterX, float CenterY, float MoveX, float MoveY)
    {
        public float Zoom => MathF.Sqrt((A * A) + (B * B));

        public Point Apply(Point p)
        {
            float x = p.X - CenterX, y = p.Y - CenterY;
            return new((A * x) - (B * y) + CenterX + MoveX, (B * x) + (A * y) + CenterY + MoveY);
        }

        /// <summary>Where a pixel of the moved picture comes from.</summary>
        public Point Undo(Point p)
        {
            float x = p.X - CenterX - MoveX, y = p.Y - CenterY - MoveY, scale = 1 / ((A * A) + (B * B));
            return new((((A * x) + (B * y)) * scale) + CenterX, (((A * y) - (B * x)) * scale) + CenterY);
        }
    }
}

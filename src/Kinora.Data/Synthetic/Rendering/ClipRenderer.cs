using Kinora.Data.Synthetic.Actions;
using Kinora.Data.Synthetic.Figure;

namespace Kinora.Data.Synthetic.Rendering;

/// <summary>
/// Draws one synthetic clip. Everything that varies is drawn from the streams keyed by (seed, split, index) when the
/// renderer is made; a frame is then a pure function of its number. A reversed class draws the same streams in the same
/// way as its partner and only counts its frames from the end.
/// </summary>
internal sealed class ClipRenderer
{
    private readonly MotionClass _class;
    private readonly Motion _motion;
    private readonly Body _body;
    private readonly Camera _camera;
    private readonly Handheld _handheld;
    private readonly Backdrop _backdrop;
    private readonly Wardrobe _wardrobe;
    private readonly Bystanders _bystanders;
    private readonly Grading _grading;
    private readonly Light _light;
    private readonly Color _opening;
    private readonly float _shadow;
    private readonly (double Hertz, double Phase, double Amplitude)[] _idle = new (double, double, double)[3];
    private readonly ulong _seed;
    private readonly int _split;
    private readonly long _index;
    private readonly int _margin;
    private readonly Raster _raster;
    private readonly double _seconds;
    private readonly List<Piece> _pieces = [];

    public ClipRenderer(MotionClass motionClass, ulong seed, int split, long index, SyntheticOptions options)
    {
        _class = motionClass;
        (_seed, _split, _index) = (seed, split, index);
        (Width, Height) = (options.Width, options.Height);
        FrameCount = Stream("length").NextInt32(options.MinFrames, options.MaxFrames + 1);
        _seconds = FrameCount / options.FramesPerSecond;
        FramesPerSecond = options.FramesPerSecond;

        _body = Body.Draw(Stream("body"));
        _motion = motionClass.Create(_body, Stream("motion"), _seconds);
        CounterRandom view = Stream("camera");
        (double min, double max) = _motion.Heading;
        Heading = view.NextDouble(min, max);
        Mirrored = view.NextBool();
        _camera = new Camera(Heading * Math.PI / 180, Mirrored, view.NextDouble(0.45, 1.15), view.NextDouble(3.2, 7));
        Fill = view.NextDouble(0.8, 1);
        CounterRandom idle = Stream("idle");
        for (int i = 0; i < _idle.Length; i++)
        {
            _idle[i] = (idle.NextDouble(0.2, 0.9), idle.NextDouble(0, Math.Tau), idle.NextDouble(0, 0.02));
        }

        (float Left, float Top, float Right, float Bottom) box = _camera.Fit(Extent(), Width, Height, Fill, _body.StandingShoulders + 0.2, view);
        _handheld = new Handheld(Width, Height, Stream("handheld"));
        _margin = (int)(0.16 * Width);
        CounterRandom place = Stream("backdrop");
        float horizon = _camera.FloorEdge(place.NextDouble(0.7, 3)) + _margin;
        _backdrop = Backdrop.Draw(Width + (2 * _margin), Height + (2 * _margin), horizon, place);
        _wardrobe = Wardrobe.Draw(_backdrop.Wall, _backdrop.Floor, Stream("wardrobe"));
        _bystanders = Bystanders.Draw(Width, Height, box, options.Difficulty, Stream("bystanders"));
        _grading = new Grading(Width, Height, options.Difficulty, Stream("grading"));
        CounterRandom light = Stream("light");
        double azimuth = light.NextDouble(0, Math.Tau), steep = light.NextDouble(0.2, 0.8);
        double flat = Math.Sqrt(1 - (steep * steep)) * 0.8;
        _light = new Light(
            (float)(flat * Math.Cos(azimuth)), (float)-Math.Abs(flat * Math.Sin(azimuth)), (float)steep,
            (float)light.NextDouble(0.45, 0.75), (float)light.NextDouble(0.3, 0.6));
        _shadow = (float)light.NextDouble(0.15, 0.5);
        _opening = Opening(_wardrobe.Thing, light);
        _raster = new Raster(Width, Height);
    }

    public int Width { get; }

    public int Height { get; }

    public int FrameCount { get; }

    public double FramesPerSecond { get; }

    public double Heading { get; }

    public bool Mirrored { get; }

    public double Fill { get; }

    /// <summary>What was drawn, for the manifest.</summary>
    public SyntheticParameters Parameters => new(
        FrameCount, _class.Reversed, Round(Heading), Mirrored, Round(Fill), Round(_body.StandingShoulders + 0.2), Round(_body.Girth),
        _backdrop.Place.ToString(), _backdrop.Clutter, _bystanders.Moving, _bystanders.InFront > 0, Round(_handheld.Strength),
        _wardrobe.Skin.ToString(), _wardrobe.Shirt.ToString(), _wardrobe.Trousers.ToString(),
        Round(_grading.NoiseDeviation), _grading.Blur, Round(_grading.Brightness), Round(_grading.Contrast), Round(_grading.Gamma));

    /// <summary>Draws one frame.</summary>
    /// <param name="frame">Number of the frame, from 0.</param>
    /// <param name="rgb">Gets height × width × 3 bytes.</param>
    public void Render(int frame, Span<byte> rgb)
    {
        int number = _class.Reversed ? FrameCount - 1 - frame : frame;
        double seconds = number / FramesPerSecond;
        double u = FrameCount > 1 ? (double)number / (FrameCount - 1) : 0;
        Handheld.Transform move = _handheld.At(u, seconds);
        CopyBackdrop(move);
        _bystanders.DrawBehind(_raster, move, u, seconds, _light);

        Moment moment = MomentAt(u, seconds);
        Skeleton s = Skeleton.Solve(_body, moment.Pose);
        DrawShadows(s, moment, move);
        _pieces.Clear();
        foreach (Solid solid in moment.Solids)
        {
            AddSolid(solid);
        }

        AddPerson(s);
        _pieces.Sort((a, b) => b.Depth.CompareTo(a.Depth));
        foreach (Piece piece in _pieces)
        {
            piece.Draw(_raster, move, _light);
        }

        _bystanders.DrawBefore(_raster, move);
        _grading.Apply(_raster.Pixels, rgb, seconds, new CounterRandom(_seed, _split, (_index << 16) | (uint)number, "synthetic: noise"));
    }

    private static double Round(double x) => Math.Round(x, 3);

    private CounterRandom Stream(string purpose) => new(_seed, _split, _index, "synthetic: " + purpose);

    private Moment MomentAt(double u, double seconds)
    {
        Moment moment = _motion.At(u, seconds);
        Pose pose = moment.Pose;

        // Nobody stands perfectly still.
        pose.Pitch += Idle(0);
        pose.Roll += Idle(1);
        pose.Nod += Idle(2) * 3;
        return moment with { Pose = pose };

        double Idle(int i) => _idle[i].Amplitude * Math.Sin((Math.Tau * _idle[i].Hertz * seconds) + _idle[i].Phase);
    }

    // Everything that must stay in the picture, over the whole performance.
    private IEnumerable<Vector3D> Extent()
    {
        for (int i = 0; i < FrameCount; i++)
        {
            Moment moment = MomentAt((double)i / Math.Max(1, FrameCount - 1), i / FramesPerSecond);
            Skeleton s = Skeleton.Solve(_body, moment.Pose);
            foreach (Vector3D p in (Vector3D[])[s.Head + new Vector3D(0, _body.HeadRadius, 0), s.Head, s.LeftElbow, s.RightElbow, s.LeftHand, s.RightHand, s.LeftToe, s.RightToe, s.LeftAnkle, s.RightAnkle, s.LeftKnee, s.RightKnee, s.Hips])
            {
                yield return p;
            }

            foreach (Solid solid in moment.Solids)
            {
                for (int corner = 0; corner < 8; corner++)
                {
                    yield return Corner(solid, corner);
                }
            }
        }
    }

    private static Vector3D Corner(in Solid solid, int corner)
    {
        (double sine, double cosine) = Math.SinCos(solid.Angle);
        double x = (corner & 1) == 0 ? -solid.Half.X : solid.Half.X;
        double y = (corner & 2) == 0 ? -solid.Half.Y : solid.Half.Y;
        double z = (corner & 4) == 0 ? -solid.Half.Z : solid.Half.Z;
        return solid.Center + new Vector3D((x * cosine) + (z * sine), y, (z * cosine) - (x * sine));
    }

    private void CopyBackdrop(in Handheld.Transform move)
    {
        Raster from = _backdrop.Picture;
        Point origin = move.Undo(new(0.5f, 0.5f)), right = move.Undo(new(1.5f, 0.5f)), down = move.Undo(new(0.5f, 1.5f));

        // 16.16 fixed point; sampled between four pixels.
        int stepX = Fixed(right.X - origin.X), stepY = Fixed(right.Y - origin.Y);
        int downX = Fixed(down.X - origin.X), downY = Fixed(down.Y - origin.Y);
        int rowX = Fixed(origin.X - 0.5f + _margin), rowY = Fixed(origin.Y - 0.5f + _margin);
        byte[] source = from.Pixels, target = _raster.Pixels;
        int maxX = from.Width - 2, maxY = from.Height - 2, at = 0;
        for (int y = 0; y < Height; y++, rowX += downX, rowY += downY)
        {
            for (int x = 0, px = rowX, py = rowY; x < Width; x++, px += stepX, py += stepY, at += 3)
            {
                int ix = Math.Clamp(px >> 16, 0, maxX), iy = Math.Clamp(py >> 16, 0, maxY);
                int fx = (px >> 8) & 255, fy = (py >> 8) & 255;
                int p = ((iy * from.Width) + ix) * 3, q = p + (from.Width * 3);
                for (int c = 0; c < 3; c++)
                {
                    int top = (source[p + c] << 8) + ((source[p + 3 + c] - source[p + c]) * fx);
                    int bottom = (source[q + c] << 8) + ((source[q + 3 + c] - source[q + c]) * fx);
                    target[at + c] = (byte)(((top << 8) + ((bottom - top) * fy) + (1 << 15)) >> 16);
                }
            }
        }

        static int Fixed(float x) => (int)MathF.Round(x * 65536);
    }

    private void DrawShadows(in Skeleton s, in Moment moment, in Handheld.Transform move)
    {
        Shadow(new(s.Hips.X, 0, s.Hips.Z), 0.2, move);
        Vector3D trunk = Vector3D.Lerp(s.Hips, s.Head, 0.6);
        Shadow(new(trunk.X, 0, trunk.Z), 0.16, move);
        foreach (Solid solid in moment.Solids)
        {
            if (!solid.Backdrop && solid.Material == Material.Main)
            {
                Shadow(new(solid.Center.X, 0, solid.Center.Z), 1.4 * Math.Max(solid.Half.X, solid.Half.Z), move);
            }
        }
    }

    private void Shadow(Vector3D onFloor, double radius, in Handheld.Transform move)
    {
        Camera.Projected p = _camera.Project(onFloor);
        Camera.Projected nearer = _camera.Project(onFloor with { X = onFloor.X + radius }), aside = _camera.Project(onFloor with { Z = onFloor.Z + radius });
        float half = Math.Max(Math.Abs(nearer.Y - p.Y), Math.Abs(aside.Y - p.Y));
        _raster.Ellipse(move.Apply(p.Point), (float)radius * p.Scale, Math.Max(half, 1.5f), new Color(0, 0, 0), _shadow, 0.8f);
    }

    private void AddPerson(in Skeleton s)
    {
        double g = _body.Girth;
        Wardrobe w = _wardrobe;
        AddLimb(s.LeftHip, 0.054 * g, s.LeftKnee, 0.038 * g, w.Trousers);
        AddLimb(s.RightHip, 0.054 * g, s.RightKnee, 0.038 * g, w.Trousers);
        AddLimb(s.LeftKnee, 0.037 * g, s.LeftAnkle, 0.024 * g, w.Shorts ? w.Skin : w.Trousers);
        AddLimb(s.RightKnee, 0.037 * g, s.RightAnkle, 0.024 * g, w.Shorts ? w.Skin : w.Trousers);
        AddLimb(s.LeftAnkle, 0.025, s.LeftToe, 0.018, w.Shoes);
        AddLimb(s.RightAnkle, 0.025, s.RightToe, 0.018, w.Shoes);
        AddLimb(s.LeftHip, 0.05 * g, s.RightHip, 0.05 * g, w.Trousers);
        AddLimb(Vector3D.Lerp(s.Hips, s.Neck, 0.12), 0.068 * g, Vector3D.Lerp(s.Hips, s.Neck, 0.8), 0.078 * g, w.Shirt, w.Stripes);
        AddLimb(s.LeftShoulder, 0.036 * g, s.RightShoulder, 0.036 * g, w.Shirt);
        AddLimb(s.Neck, 0.028, s.Head, 0.028, w.Skin);
        AddLimb(s.LeftShoulder, 0.036 * g, s.LeftElbow, 0.029 * g, w.Shirt);
        AddLimb(s.RightShoulder, 0.036 * g, s.RightElbow, 0.029 * g, w.Shirt);
        AddLimb(s.LeftElbow, 0.028 * g, s.LeftHand, 0.021 * g, w.LongSleeves ? w.Shirt : w.Skin);
        AddLimb(s.RightElbow, 0.028 * g, s.RightHand, 0.021 * g, w.LongSleeves ? w.Shirt : w.Skin);
        AddLimb(s.LeftHand, 0.028, s.LeftHand, 0.028, w.Skin);
        AddLimb(s.RightHand, 0.028, s.RightHand, 0.028, w.Skin);

        Vector3D up = (s.Head - s.Neck).Normalized(Vector3D.Up);
        Vector3D crown = s.Head + (up * (0.22 * _body.HeadRadius)) - (s.Forward * (0.28 * _body.HeadRadius));
        AddLimb(s.Head, _body.HeadRadius, s.Head, _body.HeadRadius, w.Skin);
        AddLimb(crown, _body.HeadRadius, crown, _body.HeadRadius, w.Hair);
    }

    private void AddLimb(Vector3D from, double fromRadius, Vector3D to, double toRadius, Color color, float stripes = 0)
    {
        Camera.Projected a = _camera.Project(from), b = _camera.Project(to);
        _pieces.Add(new Piece
        {
            Depth = (a.Depth + b.Depth) / 2,
            From = a.Point,
            To = b.Point,
            FromRadius = (float)fromRadius * a.Scale,
            ToRadius = (float)toRadius * b.Scale,
            Color = color,
            Stripes = stripes,
        });
    }

    // Behind a door it is either much darker or much brighter than the door.
    private static Color Opening(Color door, CounterRandom random)
    {
        bool bright = door.Luminance < 90 || (door.Luminance < 130 && random.NextBool());
        Color light = Color.FromHsv(random.NextDouble(0.05, 0.6), random.NextDouble(0, 0.3), random.NextDouble(0.9, 1));
        Color dark = Color.FromHsv(random.NextDouble(), random.NextDouble(0, 0.4), random.NextDouble(0, 0.12));
        return bright ? light : dark;
    }

    private float Shade(in Solid solid, int axis, int side)
    {
        (double sine, double cosine) = Math.SinCos(solid.Angle);
        double sign = side == 0 ? -1 : 1;
        Vector3D normal = axis switch { 0 => new(cosine, 0, -sine), 1 => Vector3D.Up, _ => new Vector3D(sine, 0, cosine) };
        Vector3D seen = _camera.Turn(normal * sign);
        double facing = (seen.X * _light.X) - (seen.Y * _light.Y) + (seen.Z * _light.Z);
        return _light.Ambient + (float)(_light.Diffuse * Math.Max(0, facing));
    }

    // Faces as bits of the corner number: the axis that is fixed, and its value.
    private void AddSolid(in Solid solid)
    {
        Span<Camera.Projected> corners = stackalloc Camera.Projected[8];
        double depth = 0;
        for (int i = 0; i < 8; i++)
        {
            corners[i] = _camera.Project(Corner(solid, i));
            depth += corners[i].Depth / 8;
        }

        Color color = solid.Material switch
        {
            Material.Dark => _wardrobe.Thing * 0.55f,
            Material.Light => Color.Mix(_wardrobe.Thing, new Color(255, 255, 255), 0.7f),
            Material.Opening => _opening,
            _ => _wardrobe.Thing,
        };
        for (int axis = 0; axis < 3; axis++)
        {
            int first = 1 << ((axis + 1) % 3), second = 1 << ((axis + 2) % 3);
            for (int side = 0; side < 2; side++)
            {
                int origin = side << axis;
                Camera.Projected a = corners[origin], b = corners[origin | first], c = corners[origin | first | second], d = corners[origin | second];

                // The three faces whose middle is nearer than the solid's middle are the visible ones.
                double faceDepth = (a.Depth + b.Depth + c.Depth + d.Depth) / 4;
                if (faceDepth >= depth)
                {
                    continue;
                }

                _pieces.Add(new Piece
                {
                    // Parts of the scenery keep their own order behind everything else.
                    Depth = solid.Backdrop ? 1e6 - _pieces.Count : depth - ((depth - faceDepth) * 0.01),
                    From = a.Point,
                    Second = b.Point,
                    To = c.Point,
                    Fourth = d.Point,
                    Flat = true,
                    Color = solid.Material == Material.Opening ? color : color * Shade(solid, axis, side),
                });
            }
        }
    }

    private struct Piece
    {
        public double Depth;
        public bool Flat;
        public Point From, Second, To, Fourth;
        public float FromRadius, ToRadius, Stripes;
        public Color Color;

        public readonly void Draw(Raster raster, in Handheld.Transform move, in Light light)
        {
            if (Flat)
            {
                raster.Polygon([move.Apply(From), move.Apply(Second), move.Apply(To), move.Apply(Fourth)], Color);
            }
            else
            {
                float zoom = move.Zoom;
                raster.Limb(move.Apply(From), FromRadius * zoom, move.Apply(To), ToRadius * zoom, Color, light, Stripes);
            }
        }
    }
}

namespace Kinora.Data.Synthetic.Figure;

/// <summary>A point or direction in space: double precision and plain arithmetic, so that every machine gets the same bits.</summary>
internal readonly record struct Vector3D(double X, double Y, double Z)
{
    public static Vector3D Up { get; } = new(0, 1, 0);

    public double Length => Math.Sqrt(Dot(this, this));

    public static Vector3D operator +(Vector3D a, Vector3D b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z);

    public static Vector3D operator -(Vector3D a, Vector3D b) => new(a.X - b.X, a.Y - b.Y, a.Z - b.Z);

    public static Vector3D operator *(Vector3D a, double s) => new(a.X * s, a.Y * s, a.Z * s);

    public static double Dot(Vector3D a, Vector3D b) => (a.X * b.X) + (a.Y * b.Y) + (a.Z * b.Z);

    public static Vector3D Lerp(Vector3D a, Vector3D b, double t) => a + ((b - a) * t);

    /// <summary>The direction, or <paramref name="fallback"/> where the vector has no length to speak of.</summary>
    public Vector3D Normalized(Vector3D fallback)
    {
        double length = Length;
        return length < 1e-9 ? fallback : this * (1 / length);
    }
}

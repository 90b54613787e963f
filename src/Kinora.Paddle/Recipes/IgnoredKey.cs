namespace Kinora.Paddle;

/// <summary>A key of a recipe that has no effect here, so that nothing is dropped silently.</summary>
/// <param name="Key">Its path, such as "PIPELINE.valid.transform[2].RandomFlip".</param>
/// <param name="Line">Its line in the file, from 1; 0 where it was set by an option.</param>
/// <param name="Reason">Why, such as "training only".</param>
public sealed record IgnoredKey(string Key, int Line, string Reason)
{
    /// <summary>The option that set it, such as "-o epochs=3"; null for what stands in the file.</summary>
    public string? Option { get; init; }
}

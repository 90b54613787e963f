namespace Kinora.Paddle.Tests;

/// <summary>The names of a network's tensors inside a recipe that trains two: each is a sequence of backbone and head.</summary>
internal static class PairNames
{
    /// <summary>The name in the pair.</summary>
    /// <param name="member">"Teacher" or "Student".</param>
    /// <param name="name">The name in a file of the network alone.</param>
    public static string InPair(string member, string name) => name.StartsWith("backbone.", StringComparison.Ordinal)
        ? $"{member}.0.{name["backbone.".Length..]}"
        : $"{member}.1.{name["head.".Length..]}";
}

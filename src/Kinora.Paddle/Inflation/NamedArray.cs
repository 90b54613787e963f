namespace Kinora.Paddle;

/// <summary>The elements of one stored tensor.</summary>
/// <param name="Name">Structured name, such as "blocks.0.attn.qkv.weight".</param>
/// <param name="Shape">Sizes as stored; linear weights are [in, out].</param>
/// <param name="Values">Elements in C order; not to be changed.</param>
public sealed record NamedArray(string Name, IReadOnlyList<long> Shape, float[] Values)
{
    private const string Backbone = "backbone.";

    /// <summary>The name without the prefix that PaddleVideo puts before a backbone's tensors, and files of images don't.</summary>
    internal string BareName => Name.StartsWith(Backbone, StringComparison.Ordinal) ? Name[Backbone.Length..] : Name;

    /// <summary>The same elements under a name of a video network's backbone.</summary>
    internal NamedArray ForBackbone(string bareName) => this with { Name = Backbone + bareName };
}

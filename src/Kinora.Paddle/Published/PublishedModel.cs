using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>What a published file is good for.</summary>
public enum PublishedUse
{
    /// <summary>A whole video classifier.</summary>
    Classifier,

    /// <summary>Weights of an image classifier, to start a training from.</summary>
    Backbone,
}

/// <summary>An accuracy as its publisher states it.</summary>
/// <param name="Data">Data set and part.</param>
/// <param name="Top1">Share of right answers, in percent.</param>
/// <param name="Top5">Share of right answers among five, in percent; null where it isn't stated.</param>
/// <param name="Views">How it was measured.</param>
/// <param name="Source">Where it is stated.</param>
public sealed record PublishedAccuracy(string Data, double Top1, double? Top5, string Views, string Source);

/// <summary>A file of weights that PaddleVideo's authors published (Apache-2.0).</summary>
/// <param name="Name">What the user types, such as "pptsm_k400_uniform_distill".</param>
/// <param name="Title">What it is, in a line.</param>
/// <param name="Url">Where it lies.</param>
/// <param name="Architecture">The network of <see cref="ModelCatalog"/> that it is for, or starts.</param>
/// <param name="Options">The options to build that network with; null for a backbone, whose network is the user's choice.</param>
/// <param name="Use">What it is good for.</param>
/// <param name="Recipe">PaddleVideo's recipe it was trained with, below <c>configs/recognition</c>; null where none is published.</param>
/// <param name="Accuracy">What its publisher states.</param>
/// <param name="Part">Which network of a distillation's pair to take, such as "Student"; null where the file has one network.</param>
/// <param name="Sha256">The published checksum; PaddleVideo publishes none, so far.</param>
public sealed record PublishedModel(
    string Name,
    string Title,
    Uri Url,
    string Architecture,
    ModelOptions? Options,
    PublishedUse Use = PublishedUse.Classifier,
    string? Recipe = null,
    PublishedAccuracy? Accuracy = null,
    string? Part = null,
    string? Sha256 = null)
{
    /// <summary>The file's name in the cache folder: the name of the model, as some published names are no good file names.</summary>
    public string FileName => Name + Path.GetExtension(Url.AbsolutePath);
}

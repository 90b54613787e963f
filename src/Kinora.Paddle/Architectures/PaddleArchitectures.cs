using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>Builds Kinora's network for a PaddleVideo recipe: class names and arguments in, network out.</summary>
public static class PaddleArchitectures
{
    private delegate VideoNetwork Factory(PaddleArguments backbone, PaddleArguments head, ulong seed);

    // One line a backbone; the order doesn't matter.
    private static readonly Dictionary<string, Factory> Backbones = new(StringComparer.Ordinal)
    {
        ["ResNet"] = TsnArchitecture.Create,
        ["ResNetTSM"] = TsmArchitecture.Create,
        ["ResNetTweaksTSN"] = PpTsnArchitecture.Create,
        ["ResNetTweaksTSM"] = PpTsmArchitecture.Create,
        ["PPTSM_v2"] = PpTsmV2Architecture.Create,
        ["PPTSM_MobileNetV2"] = PpTsmMobileNetV2Architecture.Create,
        ["PPTSM_MobileNetV3"] = PpTsmMobileNetV3Architecture.Create,
        ["MoViNet"] = MoViNetArchitecture.Create,
        ["VisionTransformer"] = TimeSformerArchitecture.Create,
        ["VisionTransformer_tweaks"] = TimeSformerArchitecture.CreatePp,
        ["SwinTransformer3D"] = VideoSwinArchitecture.Create,
        ["ResNetSlowFast"] = SlowFastArchitecture.Create,
    };

    /// <summary>Class names of the backbones that Kinora has.</summary>
    public static IReadOnlyCollection<string> Names => Backbones.Keys;

    /// <summary>Builds a network with initial weights, in training mode.</summary>
    /// <param name="model">What the recipe says.</param>
    /// <param name="seed">Keys the initial weights.</param>
    /// <returns>The network; the caller disposes it.</returns>
    /// <exception cref="ConfigException">Unknown backbone or argument, or a value out of range.</exception>
    public static VideoNetwork Create(PaddleModel model, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Create(new PaddleRecipeModel(null, model), seed, out _);
    }

    /// <summary>The same for a recipe's network: mistakes name file and line, and what has no effect is listed.</summary>
    /// <param name="named">What the recipe says, and where.</param>
    /// <param name="seed">Keys the initial weights.</param>
    /// <param name="beyond">Differences from the network of the same name in the catalogue that shapes don't show.</param>
    internal static VideoNetwork Create(PaddleRecipeModel named, ulong seed, out IReadOnlyList<ConfigException> beyond)
    {
        PaddleModel model = named.Model;
        if (!Backbones.TryGetValue(model.Backbone, out Factory? factory))
        {
            string near = NearestName.Suggestion(model.Backbone, Backbones.Keys), known = string.Join(", ", Backbones.Keys.Order(StringComparer.Ordinal));
            throw named.Backbone?.Wrong("name", $"one of {known}{near}")
                ?? new ConfigException($"PaddleVideo model: expected a backbone of {known}, found '{model.Backbone}'{near}");
        }

        var backbone = new PaddleArguments(model.Backbone, model.BackboneArguments, named.Backbone);
        var head = new PaddleArguments(model.Head, model.HeadArguments, named.Head);
        if (named.Head is { } place && model.Head != HeadOf(model.Backbone))
        {
            throw place.Wrong("name", $"{HeadOf(model.Backbone)}, the head of {model.Backbone}");
        }

        // Initial weights come from elsewhere; label smoothing belongs to training, and frames to the way from the video.
        backbone.Elsewhere("pretrained");
        head.Elsewhere("ls_eps", "num_seg");
        head.Ignore("cross-entropy, as for every network", "loss_cfg");
        head.Layout();
        VideoNetwork network;
        try
        {
            network = factory(backbone, head, seed);
        }
        catch (ConfigException e) when (e.Path is null && named.Backbone is { } at && !e.Message.StartsWith("PaddleVideo recipe: ", StringComparison.Ordinal))
        {
            throw at.Refuse(e.Message);
        }

        try
        {
            Classifier(network, head, isRecipe: named.Head is not null);
            backbone.Finish();
            head.Finish();
            beyond = [.. backbone.BeyondCatalog, .. head.BeyondCatalog];
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static string HeadOf(string backbone) => backbone switch
    {
        "ResNet" => "TSNHead",
        "ResNetTSM" => "TSMHead",
        "ResNetTweaksTSN" => "ppTSNHead",
        "ResNetTweaksTSM" => "ppTSMHead",
        "VisionTransformer" => "TimeSformerHead",
        "VisionTransformer_tweaks" => "ppTimeSformerHead",
        "SwinTransformer3D" => "I3DHead",
        "ResNetSlowFast" => "SlowFastHead",
        _ => "MoViNetHead",
    };

    // The classifier takes what the backbone gives, and begins as PaddleVideo's recipes have it. Arguments that come from no
    // recipe are those of a file of weights, whose shapes say it.
    private static void Classifier(VideoNetwork network, PaddleArguments head, bool isRecipe)
    {
        if (!isRecipe)
        {
            head.Elsewhere("in_channels", "std");
            return;
        }

        if (head.Owner == "MoViNetHead")
        {
            head.Ignore("this head has no layer of its own", "in_channels", "std");
            return;
        }

        long features = network.NamedParameters().Select(p => p.Value.Shape.ToArray()).Last(shape => shape is [var rows, _] && rows == network.Classes)[1];
        head.ExpectNumbers("in_channels", (int)features);
        double std = head.Owner switch { "TSMHead" => 0.001, "TimeSformerHead" or "ppTimeSformerHead" => 0.02, _ => 0.01 };
        head.Settled("std", std, FormattableString.Invariant($"the classifier's first weights are spread by {std}, and mostly replaced by those of model.weights"));
    }
}

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
        if (!Backbones.TryGetValue(model.Backbone, out Factory? factory))
        {
            throw new ConfigException(
                $"PaddleVideo model: expected a backbone of {string.Join(", ", Backbones.Keys.Order(StringComparer.Ordinal))}, found '{model.Backbone}'");
        }

        var backbone = new PaddleArguments(model.Backbone, model.BackboneArguments);
        var head = new PaddleArguments(model.Head, model.HeadArguments);

        // Initial weights come from elsewhere; loss and label smoothing belong to training.
        backbone.Ignore("pretrained");
        head.Ignore("ls_eps", "loss_cfg", "num_seg", "in_channels", "std", "data_format");
        VideoNetwork network = factory(backbone, head, seed);
        try
        {
            backbone.Finish();
            head.Finish();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}

namespace Kinora.Paddle;

/// <summary>The MODEL section of a PaddleVideo recipe for one network, in PaddleVideo's own words.</summary>
/// <param name="Backbone">Class name of the backbone, such as "ResNetTSM".</param>
/// <param name="BackboneArguments">Its constructor's arguments by name: long, double, bool, string, null or lists of these.</param>
/// <param name="Head">Class name of the head, such as "TSMHead".</param>
/// <param name="HeadArguments">Its constructor's arguments.</param>
public sealed record PaddleModel(
    string Backbone,
    IReadOnlyDictionary<string, object?> BackboneArguments,
    string Head,
    IReadOnlyDictionary<string, object?> HeadArguments);

namespace Kinora;

/// <summary>One class and how probable the network holds it to be.</summary>
/// <param name="Index">Class index, from 0.</param>
/// <param name="Label">Class name.</param>
/// <param name="Probability">In [0, 1]; the probabilities of all classes add up to 1, unless a clip may have several classes.</param>
public sealed record Prediction(int Index, string Label, float Probability);

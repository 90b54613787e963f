namespace Kinora.Training;

/// <summary>Training can't go on: the loss or the gradients are no numbers any more.</summary>
/// <param name="message">One line: where, what was found, what to do.</param>
/// <param name="path">The last good checkpoint, if there is one.</param>
public sealed class TrainingException(string message, string? path = null) : KinoraException(message, path, null);

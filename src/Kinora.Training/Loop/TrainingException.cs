namespace Kinora.Training;

/// <summary>Training can't go on: the loss or the gradients are no numbers any more.</summary>
/// <param name="message">One line: where, what was found, what to do.</param>
/// <param name="path">The last good checkpoint, or the file concerned, if there is one.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class TrainingException(string message, string? path = null, Exception? inner = null) : KinoraException(message, path, inner);

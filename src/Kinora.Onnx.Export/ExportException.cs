namespace Kinora.Onnx.Export;

/// <summary>A network can't be written as ONNX, or the written file doesn't compute what the network computes.</summary>
/// <param name="message">One line: operation, expected, found, what to do.</param>
/// <param name="path">The file that was to be written, if known.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class ExportException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

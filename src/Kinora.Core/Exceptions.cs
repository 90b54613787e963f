namespace Kinora;

/// <summary>
/// Base of the failures that come from outside the program: files, videos, checkpoints, configurations.
/// The message is one line with the operation, what was expected, what was found and what to do.
/// </summary>
public abstract class KinoraException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line: operation, expected, found, what to do.</param>
    /// <param name="path">The file concerned, if any.</param>
    /// <param name="inner">The cause, if any.</param>
    protected KinoraException(string message, string? path, Exception? inner)
        : base(path is null ? message : $"{message} [{path}]", inner) => Path = path;

    /// <summary>The file concerned, or null.</summary>
    public string? Path { get; }
}

/// <summary>A video, image or frame folder can't be read as asked, or can't be written.</summary>
/// <param name="message">One line: operation, expected, found, what to do.</param>
/// <param name="path">The media file.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class MediaException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

/// <summary>A tensor has another shape or element type than an operation needs.</summary>
/// <param name="message">One line: operation, expected shape, found shape.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class ShapeException(string message, Exception? inner = null) : KinoraException(message, null, inner);

/// <summary>A checkpoint or model file is damaged, or doesn't belong to the network.</summary>
/// <param name="message">One line: operation, expected, found, what to do.</param>
/// <param name="path">The checkpoint file.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class CheckpointException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

/// <summary>A configuration, label map or clip specification is invalid.</summary>
/// <param name="message">One line: key path, expected, found, suggestion.</param>
/// <param name="path">The configuration file.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class ConfigException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

/// <summary>A data set (folder or list) can't be used as asked.</summary>
/// <param name="message">One line: operation, expected, found, what to do.</param>
/// <param name="path">The folder or list file.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class DatasetException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

/// <summary>A component outside .NET (FFmpeg, libtorch, ONNX Runtime) is missing or failed.</summary>
/// <param name="message">One line: operation, component, what it said, what to do.</param>
/// <param name="path">The library or file concerned.</param>
/// <param name="inner">The cause, if any.</param>
public sealed class NativeException(string message, string? path = null, Exception? inner = null)
    : KinoraException(message, path, inner);

namespace Kinora.Cli;

/// <summary>The command line is wrong in what its options say.</summary>
internal sealed class UsageException(string message, Exception inner) : KinoraException(message, null, inner);

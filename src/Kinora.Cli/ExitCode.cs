namespace Kinora.Cli;

/// <summary>What the process answers to its caller; documented in the help text and in docs/cli.md.</summary>
internal static class ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    public const int Success = 0;

    /// <summary>Something failed, some input couldn't be processed, or the user cancelled.</summary>
    public const int Failure = 1;

    /// <summary>The command line itself is wrong; nothing was done.</summary>
    public const int Usage = 2;
}

namespace Kinora.Paddle;

/// <summary>How patient a download is.</summary>
public sealed record DownloadOptions
{
    /// <summary>Tries in a row that bring nothing before the download fails. A try that brings a good part starts the count again.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>Wait before the second try; it doubles with each further one, with some jitter.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between two tries, also where a server asks for more.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a server may take to answer, or to accept a connection.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What else its user can do, for messages: "give a file with --from".</summary>
    public string OtherWay { get; init; } = "give a file with --from";

    /// <summary>How long an answer may stand still.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

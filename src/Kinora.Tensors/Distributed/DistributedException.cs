namespace Kinora.Tensors;

/// <summary>An exchange between the processes of a run failed: one of them ended, stalled, or runs something else.</summary>
public sealed class DistributedException : KinoraException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One line: rank, operation, what happened, what to do.</param>
    /// <param name="rank">The process that noticed; -1 where it has no rank yet.</param>
    /// <param name="operation">The exchange.</param>
    /// <param name="inner">The cause, if any.</param>
    public DistributedException(string message, int rank = -1, string operation = "", Exception? inner = null)
        : base(message, null, inner) => (Rank, Operation) = (rank, operation);

    /// <summary>The process that noticed; -1 where it has no rank yet.</summary>
    public int Rank { get; }

    /// <summary>The exchange that failed, such as "all-reduce".</summary>
    public string Operation { get; }
}

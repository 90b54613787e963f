namespace Kinora.Cli.Terminal;

/// <summary>Reports at once on the reporting thread; <see cref="Progress{T}"/> would report later, and out of order.</summary>
/// <typeparam name="T">What is reported.</typeparam>
/// <param name="report">Gets each report.</param>
internal sealed class Relay<T>(Action<T> report) : IProgress<T>
{
    /// <inheritdoc/>
    public void Report(T value) => report(value);
}

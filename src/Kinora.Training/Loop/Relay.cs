namespace Kinora.Training;

/// <summary>Reports counts to an action, at once and on the thread that counts.</summary>
internal sealed class Relay(Action<int> report) : IProgress<int>
{
    public void Report(int value) => report(value);
}

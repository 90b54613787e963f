using Kinora.Models;
using Kinora.Training;

namespace Kinora.Cli.Conversion;

/// <summary>A model on its way from one file to another.</summary>
/// <param name="Description">Everything but the weights.</param>
/// <param name="Network">The weights, in evaluation mode; disposed with this record.</param>
/// <param name="Notes">What had to be assumed.</param>
internal sealed record ConvertedModel(Checkpoint Description, VideoNetwork Network, IReadOnlyList<string> Notes) : IDisposable
{
    /// <summary>Lets go of the network.</summary>
    public void Dispose() => Network.Dispose();
}

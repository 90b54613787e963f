using Kinora.Models.Tests;
using Kinora.Tensors;

[assembly: AssemblyFixture(typeof(OneThread))]

namespace Kinora.Models.Tests;

/// <summary>
/// Tests of these assemblies run side by side, one to a core: threads inside an operator would only wait for each other.
/// It also fixes the bits of every sum. Each network runs once or twice, so freed memory is worth little.
/// </summary>
public sealed class OneThread
{
    public OneThread()
    {
        Torch.Threads = 1;
        Torch.CacheLimitBytes = 256 << 20;
    }
}

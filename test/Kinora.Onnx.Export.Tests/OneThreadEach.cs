using Kinora.Onnx.Export.Tests;
using Kinora.Tensors;

[assembly: AssemblyFixture(typeof(OneThreadEach))]

namespace Kinora.Onnx.Export.Tests;

/// <summary>Tests run side by side: more threads within one operator would only wait for each other.</summary>
public sealed class OneThreadEach
{
    public OneThreadEach()
    {
        Torch.Threads = 1;

        // Each network runs once or twice, so freed memory is worth little.
        Torch.CacheLimitBytes = 256 << 20;
    }
}

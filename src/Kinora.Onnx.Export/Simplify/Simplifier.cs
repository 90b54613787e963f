using Kinora.Onnx.Export.Format;
using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>Runs all simplifications until none finds anything more.</summary>
internal static class Simplifier
{
    private static readonly Func<NetworkGraph, bool>[] Passes =
    [
        FoldConstants.Run, CollapseShapes.Run, FoldAffine.Run, MergeConvolutions.Run, FoldScales.Run, FoldPads.Run,
    ];

    /// <summary>Simplifies.</summary>
    /// <param name="graph">The graph to change.</param>
    /// <param name="opset">The operator set that the graph will be written in.</param>
    public static void Run(NetworkGraph graph, int opset = OnnxWriter.OldestOpset)
    {
        // Before another pass moves a factor out of it.
        if (opset >= RaiseGelu.FirstOpset)
        {
            RaiseGelu.Run(graph);
        }

        RunPasses(graph);
        if (TemporalShifts.Run(graph))
        {
            RunPasses(graph);
        }

        ShareDuplicates.Run(graph);
    }

    private static void RunPasses(NetworkGraph graph)
    {
        bool changed;
        do
        {
            changed = false;
            foreach (Func<NetworkGraph, bool> pass in Passes)
            {
                changed |= pass(graph);
            }
        }
        while (changed);
    }
}

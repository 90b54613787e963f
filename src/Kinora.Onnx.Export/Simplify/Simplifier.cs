using Kinora.Onnx.Export.Graph;

namespace Kinora.Onnx.Export.Simplify;

/// <summary>Runs all simplifications until none finds anything more.</summary>
internal static class Simplifier
{
    private static readonly Func<NetworkGraph, bool>[] Passes =
    [
        FoldConstants.Run, CollapseShapes.Run, FoldAffine.Run, MergeConvolutions.Run, FoldScales.Run, FoldPads.Run,
    ];

    public static void Run(NetworkGraph graph)
    {
        RunPasses(graph);
        if (TemporalShifts.Run(graph))
        {
            RunPasses(graph);
        }

        while (ShareDuplicates.Run(graph))
        {
        }
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

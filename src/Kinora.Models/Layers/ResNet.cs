using Kinora.Tensors;

namespace Kinora.Models.Layers;

/// <summary>Where a block of a ResNet stands, and the shape that follows from it.</summary>
/// <param name="Stage">0 to 3.</param>
/// <param name="Index">Position in the stage, from 0.</param>
/// <param name="Inputs">Channels that come in.</param>
/// <param name="Width">Channels of the 3×3 convolutions.</param>
/// <param name="IsBottleneck">1×1, 3×3 and 1×1 convolutions to four times the width; otherwise two 3×3 ones.</param>
internal readonly record struct ResNetPlace(int Stage, int Index, int Inputs, int Width, bool IsBottleneck)
{
    /// <summary>Channels that go out.</summary>
    public int Outputs => IsBottleneck ? 4 * Width : Width;

    /// <summary>Step of the block in both directions.</summary>
    public int Stride => Stage > 0 && Index == 0 ? 2 : 1;
}

/// <summary>The stages of a ResNet by its depth.</summary>
/// <remarks>He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1.</remarks>
internal static class ResNetStages
{
    private static readonly int[] Widths = [64, 128, 256, 512];

    /// <summary>Number of blocks in each of the four stages.</summary>
    /// <param name="depth">18, 34, 50, 101 or 152.</param>
    /// <exception cref="ConfigException">Another depth.</exception>
    public static IReadOnlyList<int> Blocks(int depth) => depth switch
    {
        18 => [2, 2, 2, 2],
        34 or 50 => [3, 4, 6, 3],
        101 => [3, 4, 23, 3],
        152 => [3, 8, 36, 3],
        _ => throw new ConfigException($"resnet: depth: expected 18, 34, 50, 101 or 152, found {depth}"),
    };

    /// <summary>Channels that the last stage puts out.</summary>
    /// <param name="depth">As for <see cref="Blocks"/>.</param>
    public static int Features(int depth) => depth >= 50 ? 2048 : 512;

    /// <summary>Builds the stages.</summary>
    /// <param name="depth">As for <see cref="Blocks"/>.</param>
    /// <param name="block">Makes the block of one place.</param>
    /// <returns>A chain of chains of blocks: [B, 64, H, W] to [B, features, H/8, W/8].</returns>
    public static Sequential Create(int depth, Func<ResNetPlace, ResNetBlock> block)
    {
        var stages = new Sequential();
        int channels = 64;
        foreach ((int stage, int count) in Blocks(depth).Index())
        {
            var sequence = new Sequential();
            for (int i = 0; i < count; i++)
            {
                var place = new ResNetPlace(stage, i, channels, Widths[stage], IsBottleneck: depth >= 50);
                sequence.Append(block(place));
                channels = place.Outputs;
            }

            stages.Append(sequence);
        }

        return stages;
    }

    /// <summary>The maps that the blocks of a network shift.</summary>
    /// <param name="stages">What <see cref="Create"/> made; the network calls it "stages" and its classifier "fc".</param>
    /// <param name="stem">Name of the layer that puts out what the first stage reads.</param>
    public static IEnumerable<ShiftedMap> ShiftedMaps(Sequential stages, string stem)
    {
        // Map number k runs from stage k - 1, each of whose blocks adds to it, to the first block of stage k.
        for (int k = 0; k <= stages.Count; k++)
        {
            List<string> writers = k == 0 ? [stem + "."] : [$"stages.{k - 1}.0.shortcut."];
            List<string> readers = k == stages.Count ? ["fc.weight"] : [$"stages.{k}.0.shortcut.conv.weight"];
            var shifts = new Dictionary<string, ShiftFold>();
            if (k > 0)
            {
                var stage = (Sequential)stages[k - 1];
                for (int i = 0; i < stage.Count; i++)
                {
                    writers.Add($"stages.{k - 1}.{i}.{((ResNetBlock)stage[i]).LastLayer}.");
                    if (i > 0)
                    {
                        Read($"stages.{k - 1}.{i}", stage[i]);
                    }
                }
            }

            if (k < stages.Count)
            {
                Read($"stages.{k}.0", ((Sequential)stages[k])[0]);
            }

            yield return new ShiftedMap(shifts, writers, readers);

            void Read(string layer, UnaryModule block)
            {
                readers.Add($"{layer}.conv0.conv.weight");
                shifts.Add(layer, ((ResNetBlock)block).Fold);
            }
        }
    }
}

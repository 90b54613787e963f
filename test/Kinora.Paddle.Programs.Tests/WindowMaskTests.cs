using Google.Protobuf;
using Kinora.Paddle.Programs.Format;
using Kinora.Testing;

namespace Kinora.Paddle.Programs.Tests;

public sealed class WindowMaskTests
{
    [Theory]
    [InlineData(8, 14, 21, 8, 7, 7, 0, 3, 3)]
    [InlineData(16, 14, 14, 8, 7, 7, 4, 3, 3)]
    [InlineData(4, 6, 4, 2, 3, 4, 1, 1, 0)]
    public void Number_PlacesOfOneWindow_ShareARegionIfBothOrNeitherCameFromTheOtherEdge(
        int depth, int height, int width, int windowDepth, int windowHeight, int windowWidth, int shiftDepth, int shiftHeight, int shiftWidth)
    {
        int[] volume = [depth, height, width];
        int[] window = [windowDepth, windowHeight, windowWidth];
        int[] shift = [shiftDepth, shiftHeight, shiftWidth];
        float[] regions = WindowMasks.Number([.. volume.Select(n => (long)n)], [.. window.Select(n => (long)n)], [.. shift.Select(n => (long)n)]).Floats;
        int places = volume[0] * volume[1] * volume[2];
        Assert.Equal(places, regions.Length);
        for (int a = 0; a < places; a++)
        {
            for (int b = a + 1; b < places; b++)
            {
                (int[] p, int[] q) = (Place(a), Place(b));
                if (p.Zip(q, window).All(t => t.First / t.Third == t.Second / t.Third))
                {
                    bool neighbours = Enumerable.Range(0, 3).All(axis => Wrapped(p, axis) == Wrapped(q, axis));
                    Assert.True(neighbours == (regions[a] == regions[b]), $"[{string.Join(", ", p)}] and [{string.Join(", ", q)}]");
                }
            }
        }

        int[] Place(int i) => [i / (height * width), i / width % height, i % width];

        // After rolling back by the shift, the last places along an axis are the first ones of the original.
        bool Wrapped(int[] place, int axis) => place[axis] + shift[axis] >= volume[axis];
    }

    [Fact]
    public void Find_ShiftThatIsNotClear_IsReportedAndNotRepaired()
    {
        GoldenProgram golden = GoldenProgram.Read("videoswin");
        using var folder = new TemporaryFolder();
        golden.WriteParameters(folder["model.pdiparams"]);
        ProgramDesc program = ProgramDesc.Parser.ParseFrom(File.ReadAllBytes(golden.ModelPath));
        OpDesc roll = program.Blocks[0].Ops.First(op => op.Type == "roll");
        roll.Attrs.First(a => a.Name == "shifts").Longs.RemoveAt(0);
        File.WriteAllBytes(folder["model.pdmodel"], program.ToByteArray());

        (IReadOnlyList<ProgramRepair> repairs, IReadOnlyDictionary<ProgramOperator, Onnx.Export.Graph.Literal> regions) =
            WindowMasks.Find(PaddleProgram.Read(folder["model.pdmodel"]), repair: true);

        Assert.Equal([false, true, true], repairs.Select(repair => repair.Repaired));
        Assert.Contains("can't be restored", repairs[0].Description);
        Assert.Equal(2, regions.Count);
    }
}

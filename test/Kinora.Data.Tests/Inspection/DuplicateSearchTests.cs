using Kinora.Data.Synthetic;
using Kinora.Testing;

namespace Kinora.Data.Tests.Inspection;

public sealed class DuplicateSearchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Find_SmallClipsReencoded_EachWithItsOriginalAndNoOther(bool quick)
    {
        SyntheticMotions.Generate(_folder["set"], new SyntheticOptions { TrainClipsPerClass = 2, ValidationClipsPerClass = 0, TestClipsPerClass = 0, Width = 96, Height = 80 }, ct: Token);
        string[] originals = [.. Directory.EnumerateFiles(_folder["set"], "*.mp4", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        (string Name, int Quality, int ShortSide, int Stride)[] encodings = [("54", 23, 54, 1), ("40", 23, 40, 1), ("thinned", 30, 0, 2), ("56", 38, 56, 1)];
        var signatures = new List<ClipSignature?>();
        for (int i = 0; i < originals.Length; i++)
        {
            signatures.Add(Signature(originals[i], quick));
            foreach ((string name, int quality, int shortSide, int stride) in encodings)
            {
                string copy = _folder[$"{i}-{name}.mp4"];
                Reencoding.Write(originals[i], copy, quality, shortSide, stride);
                signatures.Add(Signature(copy, quick));
            }
        }

        List<List<int>> groups = DuplicateSearch.Find(signatures, 2, Token);

        int of = encodings.Length + 1;
        Assert.All(groups, g => Assert.Single(g.Select(i => i / of).Distinct()));
        int[] found = [.. Enumerable.Range(1, encodings.Length).Select(e => Enumerable.Range(0, originals.Length).Count(i => signatures[i * of]!.Distance(signatures[(i * of) + e]!) <= DuplicateSearch.SameVideo))];
        Assert.Equal([28, 28, 28], found[..3]);

        // Of 56 lines at crf 38 hardly anything is left: some are lost.
        Assert.InRange(found[3], 24, 28);
    }

    [Fact]
    public void Find_FirstSecondsShrunkAtLowQuality_TheSameInFullAndQuick()
    {
        string video = Path.Combine(SharedData.Require("data/handwash"), "train", "Step_1", "HandWash_002_A_01_G01.mp4");
        Reencoding.Write(video, _folder["a.mp4"], quality: 18, frames: 60);
        Reencoding.Write(video, _folder["b.mp4"], quality: 38, shortSide: 106, frames: 60);

        foreach (bool quick in new[] { false, true })
        {
            Assert.InRange(Signature(_folder["a.mp4"], quick).Distance(Signature(_folder["b.mp4"], quick)), 0, DuplicateSearch.SameVideo / 3);
        }
    }

    [Theory]
    [InlineData(96, 80, 64, 54)]
    [InlineData(96, 80, 10, 9)]
    [InlineData(240, 160, 33, 17)]
    public void Shrink_AnySize_SameBoxes(int width, int height, int otherWidth, int otherHeight)
    {
        float[] one = Shrunk(width, height), other = Shrunk(otherWidth, otherHeight);

        // A ramp from 0 to 240: the mean of a box is its middle. Pixels are rounded.
        float tolerance = Math.Min(otherWidth, otherHeight) < ClipSignature.Side ? 12 : 0.6f;
        for (int i = 0; i < one.Length; i++)
        {
            Assert.InRange(other[i], one[i] - tolerance, one[i] + tolerance);
            Assert.InRange(one[i], (float)(((i % 16) + 0.5) / 16 * 120) + (float)(((i / 16) + 0.5) / 16 * 120) - 0.6f, (float)(((i % 16) + 0.5) / 16 * 120) + (float)(((i / 16) + 0.5) / 16 * 120) + 0.6f);
        }

        static float[] Shrunk(int width, int height)
        {
            byte[] rgb = new byte[width * height * 3];
            for (int i = 0; i < rgb.Length; i++)
            {
                rgb[i] = (byte)Math.Round(((i / 3 % width) + 0.5) / width * 120 + ((i / 3 / width) + 0.5) / height * 120);
            }

            float[] grey = new float[ClipSignature.Side * ClipSignature.Side];
            ClipSignature.Shrink(rgb, width, height, grey);
            return grey;
        }
    }

    private static ClipSignature Signature(string path, bool quick) =>
        InspectedClip.Read(0, new VideoSample(path, 0), new DoctorOptions { Quick = quick }, Token).Signature!;
}

using Kinora.Media;

namespace Kinora.Training.Tests;

/// <summary>Folders of small clips whose classes differ in colour: quick to make, quick to learn.</summary>
internal static class ColourClips
{
    private static readonly (string Name, byte R, byte G, byte B)[] Colours = [("red", 200, 40, 40), ("green", 40, 190, 60), ("blue", 50, 60, 210)];

    public static string Create(string folder, int train = 6, int validation = 2, int test = 2, int damaged = 0)
    {
        foreach ((string split, int count) in new[] { ("train", train), ("val", validation), ("test", test) })
        {
            for (int c = 0; c < Colours.Length && count > 0; c++)
            {
                string place = Path.Combine(folder, split, Colours[c].Name);
                Directory.CreateDirectory(place);
                for (int i = 0; i < count; i++)
                {
                    Write(Path.Combine(place, $"clip_{i:00}.mp4"), c, new CounterRandom(7, c, i, split));
                }
            }
        }

        for (int i = 0; i < damaged; i++)
        {
            File.WriteAllText(Path.Combine(folder, "train", Colours[0].Name, $"damaged_{i}.mp4"), "not a video");
        }

        return folder;
    }

    private static void Write(string path, int colour, CounterRandom random)
    {
        const int width = 48, height = 40, frames = 8;
        using var writer = new VideoWriter(path, width, height, 10);
        var picture = new byte[width * height * 3];
        for (int t = 0; t < frames; t++)
        {
            for (int i = 0; i < picture.Length; i += 3)
            {
                int noise = random.NextInt32(-30, 31);
                picture[i] = Clamp(Colours[colour].R + noise);
                picture[i + 1] = Clamp(Colours[colour].G + noise);
                picture[i + 2] = Clamp(Colours[colour].B + noise);
            }

            writer.Write(picture);
        }

        writer.Finish();
        static byte Clamp(int value) => (byte)Math.Clamp(value, 0, 255);
    }
}

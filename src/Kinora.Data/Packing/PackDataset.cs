using Kinora.Media;

namespace Kinora.Data;

/// <summary>Packs as data sets: the parts, labels and order of what was packed.</summary>
internal static class PackDataset
{
    /// <summary>The parts as they were packed.</summary>
    public static (VideoDataset Train, VideoDataset? Validation, VideoDataset? Test, List<string> Ignored) Parts(string folder)
    {
        ClipPack pack = ClipPack.OpenShared(folder);
        var labels = new LabelMap(pack.Header.Classes);
        if (pack.Header.Parts.Count == 0)
        {
            return (Part(null, "train"), null, null, []);
        }

        return (Part("train", "train"), Optional("val"), Optional("test"), []);

        VideoDataset? Optional(string name) => pack.Header.Parts.Contains(name) ? Part(name, name) : null;

        VideoDataset Part(string? part, string name) => new([.. pack.Clips.Where(c => c.Part == part).Select(c => Sample(pack, c))], labels, name);
    }

    /// <summary>All clips together.</summary>
    public static VideoDataset All(string folder)
    {
        ClipPack pack = ClipPack.OpenShared(folder);
        return new([.. pack.Clips.Select(c => Sample(pack, c))], new LabelMap(pack.Header.Classes), Path.GetFileName(pack.Folder));
    }

    // A clip that couldn't be packed stays in the set: reading it says why.
    private static VideoSample Sample(ClipPack pack, PackEntry clip) =>
        new(pack.PathOf(clip), clip.Labels[0], clip.Error is null ? clip.Frames : null) { Labels = clip.Labels, Group = clip.Group };
}

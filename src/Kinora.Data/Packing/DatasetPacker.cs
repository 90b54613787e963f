using System.Security.Cryptography;
using System.Text;
using Kinora.Media;

namespace Kinora.Data;

/// <summary>
/// Decodes the videos of a data set once and keeps their frames in a pack, which <see cref="DatasetFolder.Load"/> then takes in
/// place of the videos. The pack is a function of videos and options alone, however many workers made it and however
/// often it was interrupted.
/// </summary>
public static class DatasetPacker
{
    /// <summary>Packs a data set, or goes on with packing it.</summary>
    /// <param name="splits">
    /// The data set. Parts that were only held out (<see cref="DatasetSplits.ValidationHeldOut"/>) go back into the training part,
    /// so that the pack divides as the videos do.
    /// </param>
    /// <param name="root">Folder below which the videos lie; clips are named by their path from there.</param>
    /// <param name="folder">The pack's folder.</param>
    /// <param name="options">Form of the frames; null: the defaults.</param>
    /// <param name="progress">Hears how many clips of how many are done, on any thread.</param>
    /// <param name="ct">Stops; what is done stays for the next time.</param>
    /// <returns>What is in the pack.</returns>
    /// <exception cref="ConfigException">An option is out of range.</exception>
    /// <exception cref="DatasetException">Nothing to pack.</exception>
    /// <exception cref="MediaException">The folder holds something else, or the disk failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static PackReport Pack(
        DatasetSplits splits, string root, string folder, PackOptions? options = null, Action<int, int>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(splits);
        ArgumentException.ThrowIfNullOrEmpty(root);
        options ??= new PackOptions();
        options.Validate();
        List<PackItem> items = Items(splits, Path.GetFullPath(root));
        if (items.Count == 0)
        {
            throw new DatasetException("pack: expected videos, found none", root);
        }

        PackHeader header = Header(splits, items, options);
        try
        {
            int found = items.Count;
            using (PackWriter? writer = PackWriter.Open(folder, header, options.Overwrite))
            {
                if (writer is not null)
                {
                    found = writer.Entries.Count;
                    new PackRun(items, writer, options, progress, ct).Run();
                    writer.Finish();
                }
            }

            ClipPack pack = ClipPack.Open(folder);
            return new PackReport(pack.Clips.Count, found, pack.Clips.Max(c => c.Shard) + 1, pack.TotalBytes, Failures(pack));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MediaException($"pack: {e.Message}; what is done is kept: run it again to go on", folder, e);
        }
    }

    private static List<FailedSample> Failures(ClipPack pack) =>
        [.. pack.Clips.Select((clip, i) => (clip, i)).Where(c => c.clip.Error is not null).Select(c => new FailedSample(c.i, pack.PathOf(c.clip), c.clip.Error!))];

    private static List<PackItem> Items(DatasetSplits splits, string root)
    {
        bool divided = !splits.ValidationHeldOut || (splits.Test is not null && !splits.TestHeldOut);
        var items = new List<PackItem>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Add(splits.Train, "train");
        Add(splits.Validation, splits.ValidationHeldOut ? "train" : "val");
        if (splits.Test is { } test)
        {
            Add(test, splits.TestHeldOut ? "train" : "test");
        }

        return items;

        void Add(VideoDataset set, string part)
        {
            foreach (VideoSample sample in set.Samples)
            {
                string plain = Name(sample, root), name = plain;
                for (int copy = 2; !names.Add(name); copy++)
                {
                    name = $"{plain}#{copy}";
                }

                items.Add(new PackItem(sample, name, divided ? part : null, PackItem.OriginOf(sample)));
            }
        }
    }

    private static string Name(VideoSample sample, string root)
    {
        string relative = Path.GetRelativePath(root, Path.GetFullPath(sample.Path));
        if (Path.IsPathRooted(relative) || relative.StartsWith("..", StringComparison.Ordinal))
        {
            string full = Path.GetFullPath(sample.Path);
            relative = full[Path.GetPathRoot(full)!.Length..];
        }

        string section = sample.Identity[sample.Path.Length..];
        string name = relative.Replace(Path.DirectorySeparatorChar, '/') + section;
        return name.Any(char.IsControl) ? string.Concat(name.Select(c => char.IsControl(c) ? '_' : c)) : name;
    }

    private static PackHeader Header(DatasetSplits splits, List<PackItem> items, PackOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (PackItem item in items)
        {
            string line = FormattableString.Invariant($"{item.Name}\n{item.Part}\n{string.Join(',', item.Sample.Labels)}\n{item.Sample.Group}\n{item.Origin.Bytes}\n{item.Origin.Modified}\n");
            hash.AppendData(Encoding.UTF8.GetBytes(line));
        }

        string[] parts = items[0].Part is null ? [] : [.. new[] { ("train", true), ("val", !splits.ValidationHeldOut), ("test", splits.Test is not null && !splits.TestHeldOut) }.Where(p => p.Item2).Select(p => p.Item1)];
        return new PackHeader(
            options.Pixels, options.Pixels == PackedPixels.Jpeg ? options.Quality : 0, options.Color, options.ShortSide, options.ShortSide > 0 ? options.Engine : default,
            options.Stride, options.Rate, options.ShardBytes, splits.Train.Labels.Names, parts, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

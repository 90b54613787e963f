using System.Collections.Concurrent;
using System.Globalization;

namespace Kinora.Data;

/// <summary>
/// Decoded pixels of small data sets, kept so that only the first epoch decodes. Batches are the same bits with and
/// without it. Several loaders (training and validation, the folds of a cross-validation) may share one.
/// </summary>
/// <remarks>
/// Thread-safe. Once the budget is used up, further videos are decoded anew each time; nothing is ever evicted, since
/// an epoch visits every video once and an evicting cache would then always miss.
/// </remarks>
public sealed class ClipCache
{
    // Longer videos are decoded sparsely each time: holding them whole would take longer than all the epochs.
    internal const int MaxFrames = 4096;

    private readonly ConcurrentDictionary<Key, Entry> _entries = new();
    private readonly ConcurrentDictionary<Key, bool> _refused = new();
    private long _used;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="budgetBytes">Most bytes of pixels to hold, 0 or more.</param>
    public ClipCache(long budgetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(budgetBytes);
        BudgetBytes = budgetBytes;
    }

    /// <summary>Half of the memory that is free now, as the operating system and the container say.</summary>
    public static long DefaultBudgetBytes
    {
        get
        {
            long free = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;
            const string meminfo = "/proc/meminfo";
            if (File.Exists(meminfo)
                && File.ReadLines(meminfo).FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal)) is string line
                && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes))
            {
                free = Math.Min(free, kilobytes * 1024);
            }

            return Math.Max(0, free / 2);
        }
    }

    /// <summary>Most bytes of pixels to hold.</summary>
    public long BudgetBytes { get; }

    /// <summary>Bytes of pixels held.</summary>
    public long UsedBytes => Interlocked.Read(ref _used);

    /// <summary>Videos held.</summary>
    public int Count => _entries.Count;

    internal bool TryGet(in Key key, out Entry entry) => _entries.TryGetValue(key, out entry!);

    /// <summary>Remembers that a video can't be held whole, so that nobody tries again.</summary>
    internal void Refuse(in Key key) => _refused.TryAdd(key, true);

    internal bool IsRefused(in Key key) => _refused.ContainsKey(key);

    /// <summary>Sets room aside; the caller fills it and calls <see cref="Add"/> or <see cref="Release"/>.</summary>
    internal bool TryReserve(long bytes)
    {
        if (bytes > Array.MaxLength)
        {
            return false;
        }

        if (Interlocked.Add(ref _used, bytes) <= BudgetBytes)
        {
            return true;
        }

        Release(bytes);
        return false;
    }

    internal void Release(long bytes) => Interlocked.Add(ref _used, -bytes);

    internal void Add(in Key key, Entry entry)
    {
        // Two loaders may have decoded the same video at the same time.
        if (!_entries.TryAdd(key, entry))
        {
            Release(entry.Pixels.Length);
        }
    }

    /// <summary>What identifies cached pixels: the file and everything that was done to its frames.</summary>
    /// <param name="Path">File or folder.</param>
    /// <param name="Color">YUV matrix.</param>
    /// <param name="Resize">Resize that was applied to whole frames, or null.</param>
    /// <param name="Crops">The specification whose evaluation crops these are, or null for whole videos.</param>
    internal readonly record struct Key(string Path, ColorMatrix Color, ResizeSpec? Resize, string? Crops);

    /// <summary>Pixels of one video, and its frame rate (0 if unknown).</summary>
    internal sealed record Entry(byte[] Pixels, int Width, int Height, double FramesPerSecond = 0);
}

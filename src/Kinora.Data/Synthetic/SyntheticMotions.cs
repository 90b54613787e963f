using System.Buffers;
using System.Text;
using Kinora.Data.Synthetic.Actions;
using Kinora.Data.Synthetic.Rendering;
using Kinora.Media;

namespace Kinora.Data.Synthetic;

/// <summary>
/// Renders labelled clips of an articulated figure that acts: data to try a network on without any download, and to
/// find out whether it sees time. Several classes come in pairs that show the same process in opposite order.
/// </summary>
public static class SyntheticMotions
{
    /// <summary>Version of the generator, written to the manifest; changes whenever the bytes change.</summary>
    public const int Version = 2;

    private static readonly string[] _splits = ["train", "val", "test"];

    // Every frame coded by itself: what a frame owes to those before it would tell the order apart.
    private static readonly VideoWriterOptions _encoding = new() { Quality = 28, KeyframeInterval = 1, BFrames = 0, Preset = EncoderPreset.VeryFast };

    /// <summary>All actions that can be rendered.</summary>
    public static IReadOnlyList<string> AllActions { get; } = [.. MotionCatalog.All.Select(m => m.Name)];

    /// <summary>The actions rendered unless others are named: four pairs that differ in time order alone, and six others.</summary>
    public static IReadOnlyList<string> DefaultActions { get; } =
    [
        "close_door", "fall_down", "get_up", "jump", "jumping_jack", "kick", "open_door",
        "pick_up", "punch", "put_down", "sit_down", "stand_up", "walk", "wave",
    ];

    /// <summary>Pairs of actions of which the second is the first with its frames in the opposite order.</summary>
    public static IReadOnlyList<(string Forward, string Backward)> ReversedPairs { get; } =
        [.. MotionCatalog.All.Where(m => m.Reversed).Select(m => (m.Partner!, m.Name))];

    /// <summary>Renders a set, encodes it as H.264 and writes its lists and manifest.json (last).</summary>
    /// <param name="folder">Where to; created. Files of the same names are replaced.</param>
    /// <param name="options">What to render; null: the defaults.</param>
    /// <param name="progress">Told after each clip, from the rendering threads.</param>
    /// <param name="ct">Stops between two frames; finished clips stay, no half file does.</param>
    /// <returns>The manifest, as written.</returns>
    /// <remarks>
    /// Each clip is a pure function of (seed, split, index), so neither the number of threads nor the other clips
    /// change it. Writes <c>classes.txt</c> (a name a line) and <c>train.list</c>, <c>val.list</c>, <c>test.list</c>
    /// (lines <c>path label</c>, paths relative to the folder) in both layouts.
    /// </remarks>
    /// <exception cref="ConfigException">An option is out of range or an action unknown.</exception>
    /// <exception cref="MediaException">A clip can't be encoded or written.</exception>
    public static SyntheticManifest Generate(string folder, SyntheticOptions? options = null, IProgress<SyntheticProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        options ??= new SyntheticOptions();
        options.Validate();
        string[] actions = Actions(options);
        List<SyntheticClip> plan = Plan(options, actions);
        var clips = new SyntheticClip[plan.Count];
        int done = 0;
        var parallel = new ParallelOptions
        {
            CancellationToken = ct,
            MaxDegreeOfParallelism = options.Workers > 0 ? options.Workers : Environment.ProcessorCount,
        };
        try
        {
            Parallel.For(0, plan.Count, parallel, i =>
            {
                SyntheticClip clip = plan[i];
                ClipRenderer renderer = Renderer(clip.Action, clip.Split, clip.Index, options);
                Encode(renderer, Path.Combine(folder, clip.Path), ct);
                clips[i] = clip with { Parameters = renderer.Parameters };
                progress?.Report(new(Interlocked.Increment(ref done), plan.Count));
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.Count > 0)
        {
            // The first failure tells the story; the others are mostly its echo.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        foreach (string split in _splits)
        {
            var lines = new StringBuilder();
            foreach (SyntheticClip clip in clips.Where(c => c.Split == split))
            {
                lines.Append(clip.Path).Append(' ').Append(clip.Label).Append('\n');
            }

            if (lines.Length > 0)
            {
                AtomicFile.WriteText(Path.Combine(folder, split + ".list"), lines.ToString());
            }
        }

        AtomicFile.WriteText(Path.Combine(folder, "classes.txt"), string.Concat(actions.Select(a => a + "\n")));
        var manifest = new SyntheticManifest("kinora synthetic motions", Version, options with { Workers = 0 }, actions, clips);
        AtomicFile.Write(Path.Combine(folder, "manifest.json"), stream => stream.Write(manifest.ToJson()));
        return manifest;
    }

    internal static ClipRenderer Renderer(string action, string split, int index, SyntheticOptions options) =>
        new(MotionCatalog.Find(action), options.Seed, Array.IndexOf(_splits, split), index, options);

    internal static void Encode(ClipRenderer renderer, string path, CancellationToken ct)
    {
        byte[] frame = ArrayPool<byte>.Shared.Rent(renderer.Width * renderer.Height * 3);
        Span<byte> rgb = frame.AsSpan(0, renderer.Width * renderer.Height * 3);
        using var writer = new VideoWriter(path, renderer.Width, renderer.Height, renderer.FramesPerSecond, _encoding);
        for (int i = 0; i < renderer.FrameCount; i++)
        {
            ct.ThrowIfCancellationRequested();
            renderer.Render(i, rgb);
            writer.Write(rgb);
        }

        writer.Finish();
        ArrayPool<byte>.Shared.Return(frame);
    }

    private static string[] Actions(SyntheticOptions options)
    {
        string[] actions = [.. options.Actions.Count == 0 ? DefaultActions : options.Actions];
        foreach (string action in actions)
        {
            if (!AllActions.Contains(action))
            {
                throw new ConfigException($"synthetic motions: actions: expected some of {string.Join(", ", AllActions)}; found '{action}'");
            }
        }

        if (actions.Distinct().Count() != actions.Length)
        {
            throw new ConfigException("synthetic motions: actions: expected different names, found one twice");
        }

        // Ordinal order: the labels that a folder of class folders gets.
        Array.Sort(actions, StringComparer.Ordinal);
        return actions;
    }

    private static List<SyntheticClip> Plan(SyntheticOptions options, string[] actions)
    {
        var plan = new List<SyntheticClip>();
        int[] counts = [options.TrainClipsPerClass, options.ValidationClipsPerClass, options.TestClipsPerClass];
        for (int split = 0; split < counts.Length; split++)
        {
            for (int index = 0; index < counts[split] * actions.Length; index++)
            {
                int label = index % actions.Length;
                string action = actions[label], name = _splits[split];
                string path = options.Layout == SyntheticLayout.ClassFolders
                    ? $"{name}/{action}/{action}_{index / actions.Length:00000}.mp4"
                    : $"clips/{name}_{index:000000}.mp4";
                plan.Add(new SyntheticClip(path, name, index, action, label, null!));
            }
        }

        return plan;
    }
}

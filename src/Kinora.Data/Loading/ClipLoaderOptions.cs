using Kinora.Media;

namespace Kinora.Data;

/// <summary>How <see cref="ClipLoader"/> makes batches.</summary>
public sealed record ClipLoaderOptions
{
    /// <summary>The way from a video to the network's input; training takes sampling rule, size, normalisation and layout from it.</summary>
    public required ClipSpec Spec { get; init; }

    /// <summary>How training clips are varied; null: evaluation, which follows <see cref="Spec"/> to the letter.</summary>
    public TrainingAugmentation? Augmentation { get; init; }

    /// <summary>Videos in a batch, 1 or more.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Seed of order, frames and augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>Decoding threads; 0: one for each core. Batches don't depend on it.</summary>
    public int Workers { get; init; }

    /// <summary>Batches made ahead of the one that is being used, 1 or more.</summary>
    public int Prefetch { get; init; } = 3;

    /// <summary>Whether each epoch has another order; null: in training only.</summary>
    public bool? Shuffle { get; init; }

    /// <summary>Whether a last batch that isn't full is left out. Never in evaluation.</summary>
    public bool DropLast { get; init; }

    /// <summary>
    /// Largest share of an epoch's videos that training may skip because they can't be read, rounded up to whole videos;
    /// one more ends the epoch with a <see cref="DatasetException"/>.
    /// </summary>
    public double FailureBudget { get; init; } = 0.05;

    /// <summary>
    /// Training: the class of a mirrored clip, one entry a class, −1 for a class whose clips are never mirrored; null:
    /// mirroring changes no class. "Turn left" mirrored is "turn right".
    /// </summary>
    public IReadOnlyList<int>? MirroredLabels { get; init; }

    /// <summary>
    /// Training: how many clips of each video come into its batch, 1 or more. They show the same frames, decoded once, each
    /// varied in its own way; a batch then has up to BatchSize · RepeatedViews clips (arXiv:1901.09335).
    /// </summary>
    public int RepeatedViews { get; init; } = 1;

    /// <summary>Training: how the clips of a batch are mixed with each other; null: not at all.</summary>
    public BatchMix? Mix { get; init; }

    /// <summary>Where decoded pixels are kept; null: decode every time. Stays the caller's, who may share it between loaders.</summary>
    public ClipCache? Cache { get; init; }

    /// <summary>
    /// Processes that share each epoch. Order and batches are those of one process with batches of
    /// Ranks · <see cref="BatchSize"/>: of each such batch this loader makes the part of <see cref="Rank"/>, the parts in
    /// order of rank. All processes see the same number of batches; where the last is short, a part may be empty.
    /// </summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Which part is this process's, in [0, <see cref="Ranks"/>).</summary>
    public int Rank { get; init; }

    internal void Validate()
    {
        Spec.Validate();
        Require(BatchSize is >= 1 and <= 65536, "batch size", "1 to 65536", BatchSize);
        Require(Workers is >= 0 and <= 1024, "workers", "0 to 1024", Workers);
        Require(Prefetch is >= 1 and <= 1024, "prefetch", "1 to 1024", Prefetch);
        Require(FailureBudget is >= 0 and <= 1, "failure budget", "0 to 1", FailureBudget);
        Require(RepeatedViews is >= 1 and <= 1024, "repeated views", "1 to 1024", RepeatedViews);
        Require(Augmentation is not null || RepeatedViews == 1, "repeated views", "1 in evaluation, which varies nothing", RepeatedViews);
        Require(Ranks is >= 1 and <= 65536, "ranks", "1 to 65536", Ranks);
        Require(Rank >= 0 && Rank < Ranks, "rank", $"0 to {Ranks - 1}", Rank);
        Mix?.Validate();
        Require(Augmentation is not null || Mix is null or { Kind: MixKind.None }, "mix", "none in evaluation", Mix!);
        Require(Augmentation is not null || !DropLast, "drop last", "false in evaluation, which covers every video", DropLast);

        static void Require(bool holds, string name, string expected, object found)
        {
            if (!holds)
            {
                throw new ConfigException($"clip loader: {name}: expected {expected}, found {found}");
            }
        }
    }
}

/// <summary>A video that couldn't be read.</summary>
/// <param name="SampleIndex">Its number in the data set.</param>
/// <param name="Path">File or folder.</param>
/// <param name="Reason">What the decoder said.</param>
public sealed record FailedSample(int SampleIndex, string Path, string Reason);

/// <summary>What a loader has done since it was made.</summary>
/// <param name="VideosDecoded">Videos opened and decoded.</param>
/// <param name="FramesDecoded">Frames decoded.</param>
/// <param name="CacheHits">Videos that came out of the cache.</param>
/// <param name="BuffersAllocated">Batch buffers allocated; stays as it is once the loader runs steadily.</param>
public readonly record struct ClipLoaderStatistics(long VideosDecoded, long FramesDecoded, long CacheHits, int BuffersAllocated);

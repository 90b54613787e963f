namespace Kinora.Data;

/// <summary>A training clip as pictures: the frames that an epoch chooses, plain and varied as <see cref="ClipLoader"/> varies them.</summary>
/// <param name="SampleIndex">Number of the video in the data set.</param>
/// <param name="FrameIndices">Numbers of the frames in the video.</param>
/// <param name="Size">Side of the square pictures, in pixels.</param>
/// <param name="Plain">The middle of each frame, [T, Size, Size, 3] bytes, RGB.</param>
/// <param name="Views">Each varied clip.</param>
public sealed record ClipPreview(int SampleIndex, IReadOnlyList<int> FrameIndices, int Size, byte[] Plain, IReadOnlyList<ClipPreviewView> Views)
{
    /// <summary>Reads one video.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="options">How training reads it, with an augmentation; RepeatedViews is the number of varied clips.</param>
    /// <param name="sampleIndex">Number of the video in the data set.</param>
    /// <param name="epoch">Epoch, from 0; decides frames and variation.</param>
    /// <param name="ct">Stops between frames.</param>
    /// <returns>The pictures; their pixels are those that the loader normalises, before batches are mixed.</returns>
    /// <exception cref="ConfigException">An option is out of range, or there is no augmentation.</exception>
    /// <exception cref="MediaException">The video can't be read, or its frames are too small.</exception>
    public static ClipPreview Read(VideoDataset dataset, ClipLoaderOptions options, int sampleIndex, int epoch = 0, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(sampleIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sampleIndex, dataset.Samples.Count);
        options.Validate();
        if (options.Augmentation is null)
        {
            throw new ConfigException("clip preview: augmentation: expected how training varies clips, found none");
        }

        return new SampleReader(options).Preview(dataset.Samples[sampleIndex], sampleIndex, epoch, options.RepeatedViews, ct);
    }
}

/// <summary>One varied clip.</summary>
/// <param name="Pixels">[T, Size, Size, 3] bytes, RGB.</param>
/// <param name="Label">The video's class, or that of its mirror image.</param>
public sealed record ClipPreviewView(byte[] Pixels, int Label);

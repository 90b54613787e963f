using System.Buffers;

namespace Kinora.Media;

/// <summary>
/// Carries out a <see cref="ClipSpec"/>: chooses frames, decodes them, resizes, crops, normalises and lays them out
/// as the network wants them. Validation, the command line and the server all go through here.
/// </summary>
/// <remarks>
/// Immutable and thread-safe; one call uses one thread and memory from the shared pool. A video gives
/// Views = clips · crops views; the view of crop c and clip k is number c · clips + k, as in PaddleVideo.
/// Results are the same bits on every processor.
/// </remarks>
public sealed class ClipPipeline
{
    private readonly float[] _table;
    private readonly ViewStrides _floats;
    private readonly ViewStrides _bytes;
    private readonly VectorWidth _width;
    private Plan? _plan;

    /// <summary>Prepares the execution of a specification.</summary>
    /// <param name="spec">The whole way from a video to the network's input.</param>
    /// <exception cref="ConfigException">The specification is invalid.</exception>
    public ClipPipeline(ClipSpec spec)
        : this(spec, Resize.BestWidth)
    {
    }

    internal ClipPipeline(ClipSpec spec, VectorWidth width)
    {
        ArgumentNullException.ThrowIfNull(spec);
        spec.Validate();
        Spec = spec;
        Sampler = FrameSampler.Create(spec.Sampling);
        Crops = CropViews.Count(spec.Crop.Method);
        _table = NormalizationTable.Create(spec.Normalization);
        _floats = ViewStrides.Of(spec.Layout, Frames, spec.Size);
        _bytes = ViewStrides.Of(ClipLayout.Nthwc, Frames, spec.Size);
        _width = width;
    }

    /// <summary>The specification.</summary>
    public ClipSpec Spec { get; }

    /// <summary>Chooses the frames.</summary>
    public FrameSampler Sampler { get; }

    /// <summary>T: frames of one view.</summary>
    public int Frames => Sampler.FramesPerClip;

    /// <summary>Clips of one video.</summary>
    public int Clips => Sampler.EvaluationClips;

    /// <summary>Crops of each clip.</summary>
    public int Crops { get; }

    /// <summary>Views of one video: clips times crops. A network sees them as a batch and its scores are averaged.</summary>
    public int Views => Clips * Crops;

    /// <summary>Numbers in one view: T · 3 · Size · Size.</summary>
    public int FloatsPerView => _floats.View;

    /// <summary>The lengths of the axes of one view, in the order of Spec.Layout without its N.</summary>
    public IReadOnlyList<int> ViewShape => Spec.Layout switch
    {
        ClipLayout.Ntchw => [Frames, 3, Spec.Size, Spec.Size],
        ClipLayout.Ncthw => [3, Frames, Spec.Size, Spec.Size],
        _ => [Frames, Spec.Size, Spec.Size, 3],
    };

    /// <summary>Decodes the frames that evaluation looks at.</summary>
    /// <param name="source">Video or frame folder; stays the caller's.</param>
    /// <param name="cancellationToken">Stops between frames.</param>
    /// <returns>Clips · Frames frames; the caller disposes it.</returns>
    /// <exception cref="MediaException">The source is empty or can't be read.</exception>
    public DecodedClip Decode(IFrameSource source, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Decode(source, EvaluationIndices(source), cancellationToken);
    }

    /// <summary>Decodes given frames instead of those of the specification's sampler.</summary>
    /// <param name="source">Video or frame folder; stays the caller's.</param>
    /// <param name="indices">Clips · Frames frame numbers.</param>
    /// <param name="cancellationToken">Stops between frames.</param>
    /// <returns>The frames; the caller disposes it.</returns>
    /// <exception cref="MediaException">A frame can't be read, or an index lies outside.</exception>
    public DecodedClip Decode(IFrameSource source, ReadOnlySpan<int> indices, CancellationToken cancellationToken = default) =>
        DecodedClip.Decode(source, indices, cancellationToken);

    /// <summary>Makes the network's input of decoded frames.</summary>
    /// <param name="clip">Clips · Frames frames; stays the caller's.</param>
    /// <param name="destination">Receives Views · FloatsPerView numbers, [Views, …ViewShape].</param>
    /// <exception cref="MediaException">The frames are too small for the crop.</exception>
    /// <exception cref="ArgumentException">Another number of frames, or too little memory.</exception>
    public void Transform(DecodedClip clip, Span<float> destination)
    {
        CheckClip(clip);
        CheckLength(destination.Length);
        Plan plan = PlanFor(clip.Width, clip.Height);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(plan.Resize.ScratchBytes);
        try
        {
            for (int position = 0; position < clip.Count; position++)
            {
                Transform(clip.Frame(position), clip.Width * 3, position, plan, scratch, destination);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }

        TakeDifferences(destination);
    }

    /// <summary>
    /// Makes the crops as bytes, before normalisation and differences: for thumbnails and for checks. Where the specification resizes after
    /// the normalisation (<see cref="ResizeEngine.Interpolate"/>) there are no such bytes, and Pillow's filter stands in.
    /// </summary>
    /// <param name="clip">Clips · Frames frames; stays the caller's.</param>
    /// <param name="destination">Receives Views · FloatsPerView bytes, [Views, T, Size, Size, 3] in every layout.</param>
    /// <exception cref="MediaException">The frames are too small for the crop.</exception>
    /// <exception cref="ArgumentException">Another number of frames, or too little memory.</exception>
    public void TransformBytes(DecodedClip clip, Span<byte> destination)
    {
        CheckClip(clip);
        CheckLength(destination.Length);
        Plan plan = PlanFor(clip.Width, clip.Height);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(plan.Resize.ScratchBytes);
        try
        {
            for (int position = 0; position < clip.Count; position++)
            {
                Span<byte> views = destination[Start(position, _bytes)..];
                var sink = new CopyingSink(views, _bytes, plan.Crops, Clips, plan.Resize.Window);
                plan.Resize.Run(clip.Frame(position), clip.Width * 3, scratch, _width, ref sink);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>
    /// Decodes and transforms in one go, holding one decoded frame at a time; for large frames or many views.
    /// </summary>
    /// <param name="source">Video or frame folder; stays the caller's.</param>
    /// <param name="destination">Receives Views · FloatsPerView numbers, [Views, …ViewShape].</param>
    /// <param name="cancellationToken">Stops between frames.</param>
    /// <exception cref="MediaException">The source is empty, can't be read, or its frames are too small.</exception>
    public void Process(IFrameSource source, Span<float> destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        CheckLength(destination.Length);
        int[] indices = EvaluationIndices(source);
        Plan plan = PlanFor(source.Width, source.Height);
        int frameBytes = checked(source.Width * source.Height * 3);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(plan.Resize.ScratchBytes), rented = ArrayPool<byte>.Shared.Rent(frameBytes);
        try
        {
            using FrameSequence frames = source.Frames(indices, cancellationToken);
            Span<byte> frame = rented.AsSpan(0, frameBytes);
            while (frames.Next(frame, out int index))
            {
                for (int position = 0; position < indices.Length; position++)
                {
                    if (indices[position] == index)
                    {
                        Transform(frame, source.Width * 3, position, plan, scratch, destination);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
            ArrayPool<byte>.Shared.Return(rented);
        }

        TakeDifferences(destination);
    }

    private void Transform(ReadOnlySpan<byte> frame, int stride, int position, Plan plan, byte[] scratch, Span<float> destination)
    {
        Span<float> views = destination[Start(position, _floats)..];
        if (plan.Interpolation is { } interpolation)
        {
            interpolation.Run(frame, _table, plan.Crops, Clips, _floats, views);
            return;
        }

        var sink = new NormalizingSink(views, _floats, plan.Crops, Clips, _table, plan.Resize.Window);
        plan.Resize.Run(frame, stride, scratch, _width, ref sink);
    }

    private void TakeDifferences(Span<float> views)
    {
        for (int view = 0; Spec.Input == ClipInput.Difference && view < Views; view++)
        {
            FrameDifference.Apply(views.Slice(view * FloatsPerView, FloatsPerView), Spec.Layout, Frames, Frames);
        }
    }

    private int Start(int position, ViewStrides strides) =>
        (position / Frames * strides.View) + (position % Frames * strides.Frame);

    private int[] EvaluationIndices(IFrameSource source) => source.FrameCount > 0
        ? Sampler.EvaluationIndices(source.FrameCount, source.FramesPerSecond)
        : throw new MediaException("choose frames: expected at least one frame, found none");

    private void CheckClip(DecodedClip clip)
    {
        ArgumentNullException.ThrowIfNull(clip);
        if (clip.Count != Clips * Frames)
        {
            throw new ArgumentException($"clip: expected {Clips} · {Frames} frames, found {clip.Count}", nameof(clip));
        }
    }

    private void CheckLength(int length)
    {
        long needed = (long)Views * FloatsPerView;
        if (length < needed)
        {
            throw new ArgumentException($"destination: expected at least {needed} elements for {Views} views, found {length}");
        }
    }

    // Videos of one collection mostly share a size, so the last plan is kept.
    private Plan PlanFor(int width, int height)
    {
        Plan? plan = Volatile.Read(ref _plan);
        if (plan is null || plan.InputWidth != width || plan.InputHeight != height)
        {
            plan = new Plan(Spec, width, height);
            Volatile.Write(ref _plan, plan);
        }

        return plan;
    }

    private sealed class Plan
    {
        public Plan(ClipSpec spec, int width, int height)
        {
            (InputWidth, InputHeight) = (width, height);
            (int resizedWidth, int resizedHeight) = ResizeTarget.Of(spec.Resize, width, height);
            Crops = CropViews.Of(spec.Crop, resizedWidth, resizedHeight);
            PixelWindow window = default;
            foreach (CropView crop in Crops)
            {
                window = window.Union(new PixelWindow(crop.X, crop.Y, spec.Size, spec.Size).ClipTo(resizedWidth, resizedHeight));
            }

            bool interpolates = spec.Resize is { Engine: ResizeEngine.Interpolate, Rule: not ResizeRule.None };
            Interpolation = interpolates ? new Interpolation(width, height, resizedWidth, resizedHeight) : null;
            ResizeEngine ofBytes = spec.Resize.Engine == ResizeEngine.Interpolate ? ResizeEngine.Pillow : spec.Resize.Engine;
            Resize = new ResizePlan(width, height, resizedWidth, resizedHeight, ofBytes, window);
        }

        public int InputWidth { get; }

        public int InputHeight { get; }

        public CropView[] Crops { get; }

        public ResizePlan Resize { get; }

        /// <summary>Takes the place of <see cref="Resize"/> where the resize comes after the normalisation.</summary>
        public Interpolation? Interpolation { get; }
    }
}

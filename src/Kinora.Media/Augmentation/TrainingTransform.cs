using System.Buffers;

namespace Kinora.Media;

/// <summary>Varies the frames of a training clip and makes the network's input of them.</summary>
/// <remarks>Immutable and thread-safe. The same stream gives the same bits on every processor.</remarks>
public sealed class TrainingTransform
{
    private readonly float[] _table;
    private readonly VectorWidth _width;

    /// <summary>Prepares the augmentation.</summary>
    /// <param name="augmentation">What is varied.</param>
    /// <param name="spec">Input size, normalisation and layout; the crop's size is the input's.</param>
    /// <exception cref="ConfigException">A value is out of range, or the crops don't end at the input size.</exception>
    public TrainingTransform(TrainingAugmentation augmentation, ClipSpec spec)
        : this(augmentation, spec, Kinora.Media.Resize.BestWidth)
    {
    }

    internal TrainingTransform(TrainingAugmentation augmentation, ClipSpec spec, VectorWidth width)
    {
        ArgumentNullException.ThrowIfNull(augmentation);
        ArgumentNullException.ThrowIfNull(spec);
        augmentation.Validate();
        spec.Validate();
        if (augmentation.MultiScaleCrop is { } crop && (crop.Size < spec.Size || (crop.Size > spec.Size && !augmentation.RandomCrop)))
        {
            throw new ConfigException(
                $"training augmentation: multiScaleCrop.size: expected {spec.Size}, the input size{(augmentation.RandomCrop ? ", or more" : string.Empty)}, found {crop.Size}");
        }

        (Augmentation, Spec, _width) = (augmentation, spec, width);
        _table = NormalizationTable.Create(spec.Normalization);
    }

    /// <summary>What is varied.</summary>
    public TrainingAugmentation Augmentation { get; }

    /// <summary>Input size, normalisation and layout.</summary>
    public ClipSpec Spec { get; }

    /// <summary>Varies and normalises one clip.</summary>
    /// <param name="clip">T frames; stays the caller's.</param>
    /// <param name="random">The stream that decides; its draws are used up.</param>
    /// <param name="destination">Receives T · 3 · Size · Size numbers in the order of Spec.Layout.</param>
    /// <exception cref="MediaException">The frames are too small for the crop.</exception>
    /// <exception cref="ArgumentException">Too little memory.</exception>
    public void Transform(DecodedClip clip, CounterRandom random, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(random);
        Transform(clip, new CounterDraws(random), destination);
    }

    /// <summary>
    /// As <see cref="Transform(DecodedClip, CounterRandom, Span{float})"/>, but bytes before normalisation and differences.
    /// Where the resize comes after it (<see cref="ResizeEngine.Interpolate"/>), Pillow's filter stands in.
    /// </summary>
    /// <param name="clip">T frames; stays the caller's.</param>
    /// <param name="random">The stream that decides; its draws are used up.</param>
    /// <param name="destination">Receives [T, Size, Size, 3] bytes.</param>
    /// <exception cref="MediaException">The frames are too small for the crop.</exception>
    /// <exception cref="ArgumentException">Too little memory.</exception>
    public void TransformBytes(DecodedClip clip, CounterRandom random, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(random);
        TransformBytes(clip, new CounterDraws(random), destination);
    }

    internal void Transform(DecodedClip clip, IDraws draws, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ViewStrides strides = ViewStrides.Of(Spec.Layout, clip.Count, Spec.Size);
        CheckLength(destination.Length, strides);
        var plan = new Plan(this, clip.Width, clip.Height, draws);
        if (Augmentation.VariesPixels)
        {
            TransformVaried(clip, plan, draws, strides, destination);
        }
        else
        {
            Transform(clip, plan, strides, destination);
        }

        if (Spec.Input == ClipInput.Difference)
        {
            FrameDifference.Apply(destination[..strides.View], Spec.Layout, clip.Count, Spec.Frames);
        }
    }

    internal void TransformBytes(DecodedClip clip, IDraws draws, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(clip);
        ViewStrides strides = ViewStrides.Of(ClipLayout.Nthwc, clip.Count, Spec.Size);
        CheckLength(destination.Length, strides);
        TransformBytes(clip, new Plan(this, clip.Width, clip.Height, draws), draws, strides, destination);
    }

    private void Transform(DecodedClip clip, Plan plan, ViewStrides strides, Span<float> destination)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(plan.ScratchBytes);
        try
        {
            for (int t = 0; t < clip.Count; t++)
            {
                Span<float> frame = destination[(t * strides.Frame)..];
                if (plan.Interpolation is { } interpolation)
                {
                    interpolation.Run(clip.Frame(t), _table, plan.Crop, 1, strides, frame);
                    continue;
                }

                var sink = new NormalizingSink(frame, strides, plan.Crop, 1, _table, plan.Window);
                plan.Run(clip.Frame(t), clip.Width * 3, scratch, _width, ref sink);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    // Changes of pixels look at the whole clip, so it is made as bytes first.
    private void TransformVaried(DecodedClip clip, Plan plan, IDraws draws, ViewStrides strides, Span<float> destination)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(strides.View);
        try
        {
            Span<byte> pixels = rented.AsSpan(0, strides.View);
            TransformBytes(clip, plan, draws, ViewStrides.Of(ClipLayout.Nthwc, clip.Count, Spec.Size), pixels);
            int row = Spec.Size * 3;
            CropView[] whole = [default];
            for (int t = 0; t < clip.Count; t++)
            {
                var sink = new NormalizingSink(destination[(t * strides.Frame)..], strides, whole, 1, _table, new PixelWindow(0, 0, Spec.Size, Spec.Size));
                for (int y = 0; y < Spec.Size; y++)
                {
                    sink.Accept(y, pixels.Slice(((t * Spec.Size) + y) * row, row));
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void TransformBytes(DecodedClip clip, Plan plan, IDraws draws, ViewStrides strides, Span<byte> destination)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(plan.ScratchBytes);
        try
        {
            for (int t = 0; t < clip.Count; t++)
            {
                var sink = new CopyingSink(destination[(t * strides.Frame)..], strides, plan.Crop, 1, plan.Window);
                plan.Run(clip.Frame(t), clip.Width * 3, scratch, _width, ref sink);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }

        if (Augmentation.VariesPixels)
        {
            foreach (PixelStep step in PixelSteps.Draw(Augmentation, Spec.Normalization, Spec.Size, draws))
            {
                step(destination[..strides.View], Spec.Size);
            }
        }
    }

    private static void CheckLength(int length, ViewStrides strides)
    {
        if (length < strides.View)
        {
            throw new ArgumentException($"destination: expected at least {strides.View} elements, found {length}");
        }
    }

    /// <summary>What the draws decided for one clip: a resize, perhaps of a part of a resized frame, and a crop.</summary>
    private sealed class Plan
    {
        // Set where a region is cut out of a resized (or padded) frame, and resized again.
        private readonly ResizePlan? _first;
        private readonly PixelWindow _region;
        private readonly ResizePlan _last;

        public Plan(TrainingTransform transform, int width, int height, IDraws draws)
        {
            TrainingAugmentation augmentation = transform.Augmentation;
            int size = transform.Spec.Size;
            ResizeEngine engine = augmentation.FirstEngine;
            (int resizedWidth, int resizedHeight) = ResizeTarget.Of(augmentation.Resize, width, height);
            if (augmentation.Jitter is { } jitter)
            {
                int side = (int)Math.Round(draws.Real(jitter.Min, jitter.Max), MidpointRounding.ToEven);
                (resizedWidth, resizedHeight) = ResizeTarget.OfJitter(side, width, height);
            }

            PixelWindow? drawn =
                augmentation.MultiScaleCrop is { } multi ? RandomWindows.MultiScale(multi, resizedWidth, resizedHeight, draws)
                : augmentation.RandomResizedCrop is { } random ? RandomWindows.ResizedCrop(random, resizedWidth, resizedHeight, draws)
                : null;
            if (drawn is not { } region)
            {
                Crop = [FinalCrop(resizedWidth, resizedHeight)];
                if (augmentation.ResizesNormalised)
                {
                    Interpolation = new Interpolation(width, height, resizedWidth, resizedHeight);
                    engine = ResizeEngine.Pillow;
                }

                _last = new ResizePlan(width, height, resizedWidth, resizedHeight, engine, CropWindow());
                return;
            }

            int square = augmentation.MultiScaleCrop?.Size ?? size;
            ResizeEngine regionEngine = augmentation.MultiScaleCrop?.Engine ?? augmentation.RandomResizedCrop!.Engine;
            _region = region;
            if (resizedWidth != width || resizedHeight != height || !region.IsInside(width, height))
            {
                _first = new ResizePlan(width, height, resizedWidth, resizedHeight, engine, region.ClipTo(resizedWidth, resizedHeight));
            }

            Crop = [FinalCrop(square, square)];
            _last = new ResizePlan(region.Width, region.Height, square, square, regionEngine, CropWindow());

            CropView FinalCrop(int availableWidth, int availableHeight)
            {
                CropView crop = default;
                if (augmentation.RandomCrop)
                {
                    CropViews.RequireSize("random crop", size, availableWidth, availableHeight);
                    int x = draws.Integer(0, availableWidth - size + 1);
                    crop = new(x, draws.Integer(0, availableHeight - size + 1));
                }
                else if (availableWidth != size || availableHeight != size)
                {
                    crop = CropViews.Center(transform.Spec.Crop, availableWidth, availableHeight);
                }

                return crop with { Flip = draws.Unit() < augmentation.FlipProbability };
            }

            PixelWindow CropWindow() => new(Crop[0].X, Crop[0].Y, size, size);
        }

        public CropView[] Crop { get; }

        /// <summary>Makes the values where the resize comes after the normalisation; the rest then serves bytes alone.</summary>
        public Interpolation? Interpolation { get; }

        public PixelWindow Window => _last.Window;

        public int ScratchBytes => _first is null
            ? _last.ScratchBytes
            : Math.Max(_first.ScratchBytes, _last.ScratchBytes) + (_region.Width * _region.Height * 3);

        public void Run<TSink>(ReadOnlySpan<byte> frame, int stride, Span<byte> scratch, VectorWidth width, ref TSink sink)
            where TSink : struct, IRowSink, allows ref struct
        {
            if (_first is null)
            {
                _last.Run(frame[((_region.Y * stride) + (_region.X * 3))..], stride, scratch, width, ref sink);
                return;
            }

            int regionStride = _region.Width * 3, regionBytes = regionStride * _region.Height;
            Span<byte> region = scratch[..regionBytes], rest = scratch[regionBytes..];
            PixelWindow inside = _first.Window;
            if (inside != _region)
            {
                region.Clear();
            }

            var picture = new PictureSink(region[((inside.X - _region.X) * 3)..], regionStride, _region.Y);
            _first.Run(frame, stride, rest, width, ref picture);
            _last.Run(region, regionStride, rest, width, ref sink);
        }
    }
}

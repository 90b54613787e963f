using System.Numerics;

namespace Kinora.Media;

/// <summary><see cref="ClipInput.Difference"/>: each normalised frame minus the one before it; the first becomes zeros.</summary>
internal static class FrameDifference
{
    /// <summary>Replaces frames by their differences, each rounded to 32 bits.</summary>
    /// <param name="values">All values of the frames.</param>
    /// <param name="layout">Axis order.</param>
    /// <param name="frames">Frames, at least 1.</param>
    /// <param name="framesPerClip">T: each clip of so many frames begins with zeros.</param>
    public static void Apply(Span<float> values, ClipLayout layout, int frames, int framesPerClip)
    {
        // Only with channels before frames are there several runs of frames.
        int runs = layout == ClipLayout.Ncthw ? 3 : 1, length = values.Length / runs, frame = length / frames;
        for (int run = 0; run < runs; run++)
        {
            Span<float> part = values.Slice(run * length, length);
            for (int t = frames - 1; t >= 0; t--)
            {
                Span<float> target = part.Slice(t * frame, frame);
                if (t % framesPerClip == 0)
                {
                    target.Clear();
                }
                else
                {
                    Subtract(target, part.Slice((t - 1) * frame, frame));
                }
            }
        }
    }

    private static void Subtract(Span<float> target, ReadOnlySpan<float> other)
    {
        int i = 0;
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(target[i..]) - new Vector<float>(other[i..])).CopyTo(target[i..]);
        }

        for (; i < target.Length; i++)
        {
            target[i] -= other[i];
        }
    }
}

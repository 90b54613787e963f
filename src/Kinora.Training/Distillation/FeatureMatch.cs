using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// Draws the student's features, as they reach its classifier, towards the teacher's: 1 − cosine of the angle between a
/// learned projection of the one and the other, averaged over clips.
/// </summary>
/// <remarks>Features of several frames are averaged first. Hints of FitNets, arXiv:1412.6550, with directions instead of distances.</remarks>
internal sealed class FeatureMatch : IDisposable
{
    private readonly Tap _student;
    private readonly Tap _teacher;

    /// <summary>Watches both networks' classifiers.</summary>
    /// <param name="student">Stays the caller's.</param>
    /// <param name="teacher">Stays the caller's.</param>
    /// <param name="seed">Keys the projection's initial values.</param>
    /// <exception cref="ConfigException">A network without a linear classifier.</exception>
    public FeatureMatch(VideoNetwork student, VideoNetwork teacher, ulong seed)
    {
        _student = new Tap(student);
        _teacher = new Tap(teacher);
        Projection = new Linear(_student.Width, _teacher.Width);
        Initializers.Normal(Projection.Weight, new CounterRandom(seed, "feature projection"), Math.Sqrt(1.0 / _student.Width));
        Projection.To(student.NamedParameters().First().Value.DType);
    }

    /// <summary>What is learned beside the student.</summary>
    public Linear Projection { get; }

    /// <summary>The loss of what both networks have just seen.</summary>
    /// <param name="clips">N.</param>
    /// <param name="dtype">Float32 or Float64.</param>
    /// <returns>New tensor, [], in the current scope.</returns>
    public Tensor Loss(long clips, DType dtype)
    {
        using Tensor student = _student.Take(), teacher = _teacher.Take();
        using var scope = new TensorScope();
        Tensor projected = Unit(Projection.Forward(PerClip(student, clips, dtype)));
        Tensor wanted = Unit(PerClip(teacher, clips, dtype).Detach());
        return (1 - (projected * wanted).Sum([1]).Mean()).MoveToOuterScope();
    }

    public void Dispose()
    {
        _student.Dispose();
        _teacher.Dispose();
        Projection.Dispose();
    }

    private static Tensor PerClip(Tensor features, long clips, DType dtype)
    {
        long width = features.Shape[^1];
        return features.To(dtype).Reshape(clips, -1, width).Mean([1]); // [N, width]
    }

    private static Tensor Unit(Tensor features) => features / ((features * features).Sum([1], keepDim: true) + 1e-12).Sqrt();

    /// <summary>Keeps what a network's classifier is given.</summary>
    private sealed class Tap : IDisposable
    {
        private readonly Linear _classifier;
        private Tensor? _seen;

        public Tap(VideoNetwork network)
        {
            _classifier = network.NamedModules().Select(m => m.Module).OfType<Linear>().LastOrDefault(l => l.Weight.Shape[0] == network.Classes)
                ?? throw new ConfigException($"train: distillation.featureWeight: expected a network with a linear classifier, found {network.Name}");
            _classifier.InputObserver = x =>
            {
                _seen?.Dispose();
                _seen = x.Reshape(x.Shape.ToArray()).EscapeScope(); // a view that outlives the network's own scopes
            };
        }

        public long Width => _classifier.Weight.Shape[1];

        public Tensor Take()
        {
            Tensor seen = _seen ?? throw new InvalidOperationException("feature match: expected a forward pass before it");
            _seen = null;
            return seen;
        }

        public void Dispose()
        {
            _classifier.InputObserver = null;
            _seen?.Dispose();
        }
    }
}

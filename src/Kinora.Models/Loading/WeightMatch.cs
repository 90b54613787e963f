using Kinora.Tensors;

namespace Kinora.Models;

/// <summary>The tensors of a file laid beside those of a network; nothing is read.</summary>
internal sealed class WeightMatch
{
    private readonly List<ReportedTensor> _matched = [], _reshaped = [], _missing = [], _misshapen = [], _unused = [];
    private readonly List<(WeightName Target, string Source, Func<Tensor, Tensor>? Adapt)> _taken = [];
    private readonly WeightNaming _naming;
    private readonly NameStyle _style;

    private WeightMatch(IReadOnlyList<WeightInfo> tensors, WeightNaming naming, NameStyle style, LoadRules rules)
    {
        (_naming, _style) = (naming, style);
        var given = Given(tensors, rules);
        Known = given.Count;
        foreach (WeightName target in naming.Tensors)
        {
            if (target.Kinora is null)
            {
                if (given.TryGetValue(target.Name, out WeightInfo? idle))
                {
                    _unused.Add(new ReportedTensor(idle.Name, Found: idle.Shape, Note: $"{naming.Family} stores it without using it"));
                }

                continue;
            }

            string? copied = null;
            if (!given.TryGetValue(target.Name, out WeightInfo? info) && (copied = style.Substitute(target.Name)) is not null)
            {
                _ = given.TryGetValue(copied, out info);
            }

            Place(target, info, copied, rules);
        }
    }

    /// <summary>The network's tensors that get values: from which tensor of the file, and how they are fitted.</summary>
    public IReadOnlyList<(WeightName Target, string Source, Func<Tensor, Tensor>? Adapt)> Taken => _taken;

    /// <summary>Number of the file's tensors whose names are known.</summary>
    public int Known { get; }

    /// <summary>The way in which the names were read.</summary>
    public NameStyle Style => _style;

    /// <summary>
    /// How alike the two sets of names are, from 0 to 1: tensors met by name over tensors of both, those excused left
    /// out. Shapes don't count.
    /// </summary>
    public double Likeness
    {
        get
        {
            int met = _matched.Count + _reshaped.Count + _misshapen.Count;
            return 2.0 * met / ((2 * met) + _missing.Count + _unused.Count(t => t.Note is null));
        }
    }

    /// <summary>Lays a file beside a network in every way its names may be read, and keeps the best.</summary>
    /// <param name="tensors">The file's tensors.</param>
    /// <param name="namings">The families and styles to try, the most likely first.</param>
    /// <param name="rules">What may be missing.</param>
    /// <returns>The match with the most tensors that fit; of equal ones the first.</returns>
    public static WeightMatch Best(IReadOnlyList<WeightInfo> tensors, IReadOnlyList<WeightNaming> namings, LoadRules rules) => namings
        .SelectMany(naming => naming.Styles.Select(style => new WeightMatch(tensors, naming, style, rules)))
        .MaxBy(match => (match._matched.Count + match._reshaped.Count, match._misshapen.Count))!;

    /// <summary>The report.</summary>
    /// <param name="file">The file.</param>
    /// <param name="network">Catalogue name of the network.</param>
    public LoadReport Report(string file, string network) => new()
    {
        File = Path.GetFileName(file),
        Network = network,
        Family = _naming.Family,
        Style = _style.Description,
        Matched = _matched,
        Reshaped = _reshaped,
        Missing = _missing,
        Misshapen = _misshapen,
        Unused = _unused,
    };

    /// <summary>Sizes that the file has at given places.</summary>
    /// <param name="places">Family's name and axis.</param>
    /// <returns>The sizes of those tensors that the file has.</returns>
    public IEnumerable<long> Sizes(IEnumerable<(string Name, int Axis)> places)
    {
        var found = _matched.Concat(_misshapen).ToDictionary(t => t.Name, t => t.Found!, StringComparer.Ordinal);
        return places.Where(p => found.TryGetValue(p.Name, out IReadOnlyList<long>? shape) && p.Axis < shape.Count).Select(p => found[p.Name][p.Axis]);
    }

    private Dictionary<string, WeightInfo> Given(IReadOnlyList<WeightInfo> tensors, LoadRules rules)
    {
        HashSet<string> known = [.. _naming.Tensors.Select(t => t.Name)];
        var given = new Dictionary<string, WeightInfo>(StringComparer.Ordinal);
        foreach (WeightInfo info in tensors)
        {
            string? name = _style.Translate(info.Name);
            if (name is null)
            {
                Unused($"isn't {_style.Description}");
            }
            else if (!known.Contains(name) || !given.TryAdd(name, info))
            {
                Unused(_style.Excuse(info.Name));
            }

            void Unused(string? excuse)
            {
                string? pattern = rules.Unused(info.Name);
                _unused.Add(new ReportedTensor(info.Name, Found: info.Shape, Note: pattern is null ? excuse : $"allowed by '{pattern}'"));
            }
        }

        return given;
    }

    private void Place(WeightName target, WeightInfo? info, string? copied, LoadRules rules)
    {
        string? allowed = rules.Missing(target) is { } pattern ? $"allowed by '{pattern}'" : null;
        if (info is null)
        {
            _missing.Add(new ReportedTensor(target.Name, target.Kinora, target.Shape, Note: allowed));
        }
        else if (info.Shape.SequenceEqual(target.Shape))
        {
            (copied is null ? _matched : _reshaped).Add(
                new ReportedTensor(target.Name, target.Kinora, target.Shape, info.Shape, copied is null ? null : $"copied from {copied}"));
            _taken.Add((target, info.Name, null));
        }
        else if (_style.Adapt(target.Name, info.Shape, target.Shape) is { } adapt)
        {
            _reshaped.Add(new ReportedTensor(target.Name, target.Kinora, target.Shape, info.Shape, copied is null ? "fitted" : $"fitted from {copied}"));
            _taken.Add((target, info.Name, adapt));
        }
        else
        {
            _misshapen.Add(new ReportedTensor(target.Name, target.Kinora, target.Shape, info.Shape, allowed));
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>What becomes of each parameter of one network: the groups of an optimiser, and what stays as it is.</summary>
public sealed class ParameterPlan
{
    private readonly VideoNetwork _network;
    private readonly HashSet<string> _frozen;
    private readonly HashSet<BatchNorm> _frozenNorms;

    private ParameterPlan(VideoNetwork network, IReadOnlyList<ParameterGroup> groups, HashSet<string> frozen, IReadOnlyList<(string Name, BatchNorm Norm)> norms)
    {
        _network = network;
        Groups = groups;
        _frozen = frozen;
        _frozenNorms = [.. norms.Select(n => n.Norm)];
        Frozen = [.. network.NamedParameters().Select(p => p.Name).Where(frozen.Contains)];
        FrozenBatchNorms = [.. norms.Select(n => n.Name)];
    }

    /// <summary>Groups of the parameters that are trained, ready for an optimiser, in the order in which their first parameter is registered.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; }

    /// <summary>Names of the parameters that stay as they are.</summary>
    public IReadOnlyList<string> Frozen { get; }

    /// <summary>Names of the batch norms that keep their running statistics.</summary>
    public IReadOnlyList<string> FrozenBatchNorms { get; }

    /// <summary>Works out the plan; nothing in the network changes until <see cref="Apply"/>.</summary>
    /// <param name="network">The network; it stays the caller's.</param>
    /// <param name="rules">The run's rules.</param>
    /// <param name="tokenName">
    /// The name in which <see cref="ParameterRules.WithoutDecay"/> is looked for, given a parameter's name: PaddleVideo's,
    /// for its recipes. Null looks in the name itself.
    /// </param>
    /// <returns>The plan.</returns>
    /// <exception cref="ConfigException">A number is out of range, a pattern matches nothing, or nothing is left to train.</exception>
    public static ParameterPlan For(VideoNetwork network, ParameterRules rules, Func<string, string>? tokenName = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(rules);
        Validate(rules);
        (string Name, Tensor Value)[] parameters = [.. network.NamedParameters()];
        HashSet<string> frozen = Matches(parameters, rules.Frozen);
        var norms = new List<(string Name, BatchNorm Norm)>();
        bool isFirst = true;
        foreach ((string name, Module module) in network.NamedModules())
        {
            if (module is not BatchNorm norm)
            {
                continue;
            }

            string[] own = [.. norm.NamedParameters().Select(p => $"{name}.{p.Name}")];
            if (rules.PartialBatchNorm && !isFirst)
            {
                frozen.UnionWith(own);
            }

            if (own.All(frozen.Contains))
            {
                norms.Add((name, norm));
            }

            isFirst = false;
        }

        Dictionary<string, int> depths = Depths(network, out int last);
        string head = parameters[^1].Name.Split('.')[0];
        ParameterGroup[] groups =
        [
            .. parameters.Where(p => !frozen.Contains(p.Name)).GroupBy(p => Treatment(p.Name)).Select(g => new ParameterGroup(
                [.. g], g.Key.Factor, g.Key.L2, g.Key.L1, g.Key.Decoupled)),
        ];
        return groups.Length > 0
            ? new ParameterPlan(network, groups, frozen, norms)
            : throw new ConfigException($"freeze: expected parameters left to train, found all {parameters.Length} frozen");

        (double Factor, double L2, double L1, double Decoupled) Treatment(string name)
        {
            ParameterRule rule = network.RuleFor(name);
            double factor = (name.Split('.')[0] == head ? rules.HeadFactor : null) ?? rule.LearningRateFactor;
            factor *= Math.Pow(rules.LayerDecay, last - depths[name]);
            double decay = rule.WeightDecay ?? rules.WeightDecay;
            string searched = tokenName?.Invoke(name) ?? name;
            if (decay == 0 || rules.WithoutDecay.Any(token => searched.Contains(token, StringComparison.Ordinal)))
            {
                return (factor, 0, 0, 0);
            }

            return rules.Decay switch
            {
                DecayKind.Decoupled => (factor, 0, 0, decay),
                DecayKind.L1 when rule.WeightDecay is null => (factor, 0, decay, 0),
                _ => (factor, decay, 0, 0),
            };
        }
    }

    /// <summary>
    /// Puts the plan into force: frozen parameters get no gradients, frozen batch norms stay in evaluation mode whenever the
    /// network trains. What another plan had frozen is freed.
    /// </summary>
    public void Apply()
    {
        foreach ((string name, Tensor value) in _network.NamedParameters())
        {
            bool trains = !_frozen.Contains(name);
            if (value.RequiresGrad != trains)
            {
                value.Grad = null;
                value.RequiresGrad = trains;
            }
        }

        foreach (BatchNorm norm in _network.NamedModules().Select(m => m.Module).OfType<BatchNorm>())
        {
            norm.StaysInEvaluation = _frozenNorms.Contains(norm);
        }

        _network.Train(_network.IsTraining);
    }

    // Depth of every parameter; the stages are the last of the network's children that is a numbered list.
    private static Dictionary<string, int> Depths(VideoNetwork network, out int last)
    {
        (string Name, Module Child)[] children = [.. network.Children.Where(c => c.Child.NamedParameters().Any())];
        int body = Array.FindLastIndex(children, c => IsNumbered(c.Child));
        int stages = body < 0 ? 0 : children[body].Child.Children.Count();
        var places = children.Select((child, index) => (child.Name, index)).ToDictionary(c => c.Name, c => c.index, StringComparer.Ordinal);
        last = stages + 1;
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((string name, _) in network.NamedParameters())
        {
            string[] parts = name.Split('.');
            int place = places.GetValueOrDefault(parts[0], -1); // the network's own parameters stand before its children
            depths[name] = place < body || place < 0 ? 0
                : place > body ? last
                : int.Parse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture) + 1;
        }

        return depths;

        static bool IsNumbered(Module module)
        {
            int index = 0;
            return module.Children.Any() && module.Children.All(c => c.Name == (index++).ToString(CultureInfo.InvariantCulture));
        }
    }

    private static HashSet<string> Matches((string Name, Tensor Value)[] parameters, IReadOnlyList<string> patterns)
    {
        var matched = new HashSet<string>(StringComparer.Ordinal);
        foreach (string pattern in patterns)
        {
            string expression = $"^{Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal)}$";
            string[] names = [.. parameters.Select(p => p.Name).Where(name => Regex.IsMatch(name, expression, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking))];
            if (names.Length == 0)
            {
                throw new ConfigException($"freeze: expected a pattern of parameter names such as '{parameters[0].Name}' or 'stages.0.*', found '{pattern}', which matches none");
            }

            matched.UnionWith(names);
        }

        return matched;
    }

    private static void Validate(ParameterRules rules)
    {
        Require(double.IsFinite(rules.WeightDecay) && rules.WeightDecay >= 0, "weight decay", "a number from 0 on", rules.WeightDecay);
        Require(rules.LayerDecay is > 0 and <= 1, "layer decay", "a factor in (0, 1]", rules.LayerDecay);
        Require(rules.HeadFactor is null || (double.IsFinite(rules.HeadFactor.Value) && rules.HeadFactor >= 0), "head factor", "a number from 0 on", rules.HeadFactor);
        Require(rules.WithoutDecay.All(token => token.Length > 0), "names without decay", "texts that aren't empty", "an empty one");

        static void Require(bool holds, string key, string expected, object? found)
        {
            if (!holds)
            {
                throw new ConfigException(FormattableString.Invariant($"parameter rules: {key}: expected {expected}, found {found}"));
            }
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Kinora.Models;

namespace Kinora.Paddle;

/// <summary>
/// Under which names PaddleVideo's and PaddleClas's files hold the tensors of a network: whole recognisers
/// ("backbone.", "head."), backbones alone, one network out of a file of several (distillation), and PaddleClas's newer
/// names of ResNets.
/// </summary>
public static partial class PaddleNaming
{
    private const string Backbone = "backbone.";
    private const string Head = "head.";
    private const string Teacher = "Teacher";

    // More wrappings than that are the first words of ordinary names.
    private const int MaxWrappings = 8;

    /// <summary>Lists the families and styles to try. A network that PaddleVideo hasn't is looked for by Kinora's names.</summary>
    /// <param name="network">The network.</param>
    /// <param name="tensors">What the file holds.</param>
    /// <returns>At least one.</returns>
    public static IReadOnlyList<WeightNaming> For(VideoNetwork network, IReadOnlyList<WeightInfo> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        WeightNaming own = WeightNaming.Kinora(network);
        if (!PaddleNames.Supports(network))
        {
            return [own];
        }

        WeightName[] names = [.. PaddleNames.For(network).Tensors.Select(t =>
            new WeightName(t.Paddle, t.Kinora, t.Shape, t.Transposed ? static value => value.Transpose(0, 1) : null))];
        return [new WeightNaming("PaddleVideo", names, Styles(names, tensors, ImageWeights.Style(network, ClassifierExcuse))), own];
    }

    private static List<NameStyle> Styles(WeightName[] names, IReadOnlyList<WeightInfo> tensors, NameStyle? image)
    {
        List<NameStyle> plain =
        [
            NameStyle.Plain,

            // A sequence of backbone and head: the student that distillation saves.
            new NameStyle("below 0. and 1.", name => Replace(name, "0.", Backbone) ?? Replace(name, "1.", Head)),
            new NameStyle("without backbone.", name => Backbone + name) { Excuse = ClassifierExcuse },
        ];
        if (ResNetStyle(names, tensors) is { } residual)
        {
            plain.Add(residual);
        }

        if (image is not null)
        {
            plain.Add(image);
        }

        // Any of these may lie below a name of its own: Student. and Teacher. of a distilled pair, model. of a training state.
        HashSet<string> ordinary = [.. names.Select(n => First(n.Name))];
        IEnumerable<string> wrappings = tensors.Select(t => First(t.Name)).Distinct(StringComparer.Ordinal).Where(f => !ordinary.Contains(f)).Take(MaxWrappings);
        return [.. plain, .. wrappings.SelectMany(wrapping => plain.Select(style => Below(wrapping, style)))];

        static string First(string name) => name.Split('.', 2)[0];
    }

    private static NameStyle Below(string wrapping, NameStyle style)
    {
        string prefix = wrapping + ".";
        return style with
        {
            Description = style == NameStyle.Plain ? $"below {prefix}" : $"below {prefix}, {style.Description}",
            Translate = name => name.StartsWith(prefix, StringComparison.Ordinal) ? style.Translate(name[prefix.Length..]) : null,

            // Of a distilled pair the student is what is used.
            Rank = wrapping == Teacher ? 1 : 0,
        };
    }

    // Backbones are published with the classifier of ImageNet.
    private static string? ClassifierExcuse(string name) =>
        name.Split('.') is [.., "out" or "fc" or "head" or "classifier", "weight" or "bias"] ? "a classifier of another data set" : null;

    /// <summary>
    /// PaddleClas's newer ResNets: stem.0, stem.1 …, and all blocks numbered through, where PaddleVideo names stages.
    /// </summary>
    private static NameStyle? ResNetStyle(WeightName[] names, IReadOnlyList<WeightInfo> tensors)
    {
        int blocks = tensors.Select(t => BlockNumber().Match(t.Name)).Where(m => m.Success).Select(m => Int(m.Groups[1].Value) + 1).DefaultIfEmpty().Max();
        int[]? stages = blocks switch
        {
            8 => [2, 2, 2, 2],
            16 => [3, 4, 6, 3],
            33 => [3, 4, 23, 3],
            50 => [3, 8, 36, 3],
            _ => null,
        };
        if (stages is null)
        {
            return null;
        }

        HashSet<string> layers = [.. names.Select(n => n.Name[..n.Name.LastIndexOf('.')])];
        bool deepStem = layers.Contains("backbone.conv1_1._conv");
        bool numbered = layers.Contains("backbone.bb_0_0.conv0._conv");
        return new NameStyle("of PaddleClas's newer ResNets", Translate) { Excuse = ClassifierExcuse };

        string? Translate(string name)
        {
            string[] parts = name.Split('.');
            return parts switch
            {
                ["stem", var number, .. var rest] when int.TryParse(number, CultureInfo.InvariantCulture, out int index) =>
                    $"backbone.{(deepStem ? string.Create(CultureInfo.InvariantCulture, $"conv1_{index + 1}") : "conv")}.{Layer(rest)}",
                ["blocks", var number, .. var rest] when int.TryParse(number, CultureInfo.InvariantCulture, out int index) && index >= 0 && index < blocks =>
                    $"backbone.{Block(index)}.{Layer(rest)}",
                _ => name,
            };
        }

        string Block(int index)
        {
            int stage = 0;
            for (; index >= stages[stage]; stage++)
            {
                index -= stages[stage];
            }

            // Names of single stages as PaddleVideo has them: a, b, c, or from 101 layers on a, b1, b2 in the third.
            return numbered
                ? string.Create(CultureInfo.InvariantCulture, $"bb_{stage}_{index}")
                : string.Create(CultureInfo.InvariantCulture, $"res{stage + 2}{(stage == 2 && stages[2] > 6 && index > 0 ? $"b{index}" : (char)('a' + index))}");
        }

        static string Layer(string[] rest) => string.Join('.', rest.Select(part => part switch
        {
            "conv" => "_conv",
            "bn" => "_batch_norm",
            _ => part,
        }));
    }

    private static string? Replace(string name, string prefix, string other) =>
        name.StartsWith(prefix, StringComparison.Ordinal) ? other + name[prefix.Length..] : null;

    private static int Int(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?:^|\.)blocks\.(\d{1,4})\.conv0\.")]
    private static partial Regex BlockNumber();
}

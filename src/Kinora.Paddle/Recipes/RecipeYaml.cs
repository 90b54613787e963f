using System.Globalization;
using System.Text.RegularExpressions;
using Kinora.Training;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kinora.Paddle;

/// <summary>
/// Reads YAML as PaddleVideo does: PyYAML's safe loader (YAML 1.1, so <c>yes</c> is True and <c>1e-4</c> a text), and after
/// it the texts that are values of keys as Python literals (so <c>1e-4</c> is a number after all), but not inside lists.
/// </summary>
/// <remarks>Depth, size and what aliases multiply are bounded; tags that would build objects are refused.</remarks>
internal sealed partial class RecipeYaml
{
    private const int MaxDepth = 32;
    private const int MaxSize = 100_000;

    private readonly IParser _parser;
    private readonly string? _path;
    private readonly Dictionary<AnchorName, RecipeNode> _anchors = [];
    private readonly List<IgnoredKey> _ignored;

    private RecipeYaml(IParser parser, string? path, List<IgnoredKey> ignored) => (_parser, _path, _ignored) = (parser, path, ignored);

    /// <summary>Reads the one document of a text.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="path">The file it comes from, for messages.</param>
    /// <param name="ignored">Receives the keys that are given twice.</param>
    /// <returns>The document's keys.</returns>
    /// <exception cref="ConfigException">No YAML, beyond a limit, or not one document of keys.</exception>
    public static RecipeMap Read(string yaml, string? path, List<IgnoredKey> ignored)
    {
        var reader = new RecipeYaml(new Parser(new StringReader(yaml)), path, ignored);
        try
        {
            reader._parser.Consume<StreamStart>();
            if (!reader._parser.TryConsume<DocumentStart>(out _))
            {
                throw new ConfigException("PaddleVideo recipe: expected keys with values, found an empty file", path);
            }

            RecipeNode root = reader.ReadNode(0, convert: true, "");
            reader._parser.Consume<DocumentEnd>();
            if (!reader._parser.Accept<StreamEnd>(out _))
            {
                throw new ConfigException($"PaddleVideo recipe: line {reader._parser.Current?.Start.Line}: expected one YAML document, found another", path);
            }

            return root as RecipeMap
                ?? throw new ConfigException($"PaddleVideo recipe: line {root.Line}: expected keys with values, found {root.Found}", path);
        }
        catch (YamlException e)
        {
            throw ConfigText.Syntax("PaddleVideo recipe", e, path);
        }
        catch (InvalidOperationException e)
        {
            // YamlDotNet's scanner says so of a flow mapping that is never closed.
            throw new ConfigException($"PaddleVideo recipe: line {reader._parser.Current?.End.Line ?? 1}: expected YAML, found brackets or quotes that aren't closed; close them there", path, e);
        }
    }

    /// <summary>Reads one value as the value of a key.</summary>
    /// <param name="text">YAML or a Python literal; what is neither is a text.</param>
    /// <param name="option">The option that the text comes from, <c>key=value</c>.</param>
    /// <returns>The value.</returns>
    public static RecipeNode ReadValue(string text, string option)
    {
        object? value = Resolve(text);
        return RecipeNode.Of(value is string and not "" && PythonLiteral.TryParse(text, out object? literal) ? literal : value, 0, option);
    }

    private RecipeNode ReadNode(int depth, bool convert, string key)
    {
        ParsingEvent next = _parser.Current ?? throw Refuse(0, "expected more, found the end");
        int line = Line(next);
        if (depth > MaxDepth)
        {
            throw Refuse(line, $"{key}: expected at most {MaxDepth} levels");
        }

        if (next is AnchorAlias alias)
        {
            _parser.MoveNext();
            return _anchors.TryGetValue(alias.Value, out RecipeNode? known) ? known : throw Refuse(line, $"{key}: alias '{alias.Value}' isn't defined before it");
        }

        AnchorName anchor = ((NodeEvent)next).Anchor;
        RecipeNode node = next switch
        {
            Scalar => ReadScalar(_parser.Consume<Scalar>(), convert, key),
            SequenceStart => ReadList(_parser.Consume<SequenceStart>(), depth, key),
            _ => ReadMap(_parser.Consume<MappingStart>(), depth, convert, key),
        };
        if (node.Size > MaxSize)
        {
            throw Refuse(line, $"{key}: expected at most {MaxSize} values, found {node.Size}");
        }

        if (!anchor.IsEmpty)
        {
            _anchors[anchor] = node;
        }

        return node;
    }

    private RecipeList ReadList(SequenceStart start, int depth, string key)
    {
        RefuseTag(start, "tag:yaml.org,2002:seq", key);
        List<RecipeNode> items = [];
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            // PaddleVideo's second pass leaves lists alone, and the keys inside them.
            items.Add(ReadNode(depth + 1, convert: false, $"{key}[{items.Count}]"));
        }

        return new RecipeList(items, Line(start));
    }

    private RecipeMap ReadMap(MappingStart start, int depth, bool convert, string key)
    {
        RefuseTag(start, "tag:yaml.org,2002:map", key);
        List<RecipeEntry> entries = [];
        List<RecipeEntry> merged = [];
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (_parser.Current is not Scalar)
            {
                throw Refuse(Line(_parser.Current!), $"{key}: expected a name as key, found a list or keys");
            }

            Scalar name = _parser.Consume<Scalar>();
            string full = key.Length == 0 ? name.Value : $"{key}.{name.Value}";
            RecipeNode value = ReadNode(depth + 1, convert, full);
            if (name is { Style: ScalarStyle.Plain, Value: "<<" })
            {
                // Of several merged mappings the first wins.
                merged.AddRange(Merged(value, full).Where(e => merged.TrueForAll(m => m.Key != e.Key)));
                continue;
            }

            int before = entries.FindIndex(e => e.Key == name.Value);
            if (before >= 0)
            {
                _ignored.Add(new IgnoredKey(full, entries[before].Line, $"given again in line {Line(name)}, which wins"));
                entries.RemoveAt(before);
            }

            entries.Add(new RecipeEntry(name.Value, Line(name), value));
        }

        merged.RemoveAll(m => entries.Exists(e => e.Key == m.Key));
        return new RecipeMap([.. merged, .. entries], Line(start));
    }

    private IEnumerable<RecipeEntry> Merged(RecipeNode value, string key) => value switch
    {
        RecipeMap map => map.Entries,
        RecipeList list when list.Items.All(i => i is RecipeMap) => list.Items.SelectMany(i => ((RecipeMap)i).Entries),
        _ => throw Refuse(value.Line, $"{key}: expected keys to merge, found {value.Found}"),
    };

    private RecipeNode ReadScalar(Scalar scalar, bool convert, string key)
    {
        int line = Line(scalar);
        object? value = scalar.Tag.IsEmpty
            ? scalar.Style == ScalarStyle.Plain ? Resolve(scalar.Value) : scalar.Value
            : Tagged(scalar, key);
        return convert && value is string text && PythonLiteral.TryParse(text, out object? literal)
            ? RecipeNode.Of(literal, line)
            : new RecipeScalar(value, line);
    }

    private object? Tagged(Scalar scalar, string key)
    {
        string tag = scalar.Tag.IsNonSpecific ? "tag:yaml.org,2002:str" : scalar.Tag.Value;
        object? resolved = Resolve(scalar.Value);
        return tag switch
        {
            "tag:yaml.org,2002:str" => scalar.Value,
            "tag:yaml.org,2002:null" => null,
            "tag:yaml.org,2002:int" when resolved is long => resolved,
            "tag:yaml.org,2002:bool" when resolved is bool => resolved,
            "tag:yaml.org,2002:float" when resolved is long whole => (double)whole,
            "tag:yaml.org,2002:float" when resolved is double => resolved,
            "tag:yaml.org,2002:float" when PythonLiteral.TryParse(scalar.Value, out object? number) && number is double => number,
            _ => throw Refuse(Line(scalar), $"{key}: expected a plain value, found '{scalar.Value}' with the tag {tag}; remove the tag"),
        };
    }

    private void RefuseTag(NodeEvent node, string known, string key)
    {
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific && node.Tag.Value != known)
        {
            throw Refuse(Line(node), $"{key}: expected plain values, found the tag {node.Tag.Value}; remove the tag");
        }
    }

    // YAML 1.1 as PyYAML resolves plain scalars. Dates stay texts, as nothing in a recipe is one.
    private static object? Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON":
                return true;
            case "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF":
                return false;
            case ".nan" or ".NaN" or ".NAN":
                return double.NaN;
        }

        if (!WholeNumber().IsMatch(text) && !RealNumber().IsMatch(text))
        {
            return text;
        }

        bool minus = text[0] == '-';
        string digits = text.TrimStart('+', '-').Replace("_", "", StringComparison.Ordinal);
        if (digits.Contains(':', StringComparison.Ordinal))
        {
            // Base 60: 1:30 is 90.
            double sum = digits.Split(':').Aggregate(0.0, (a, part) => (a * 60) + double.Parse(part, CultureInfo.InvariantCulture));
            sum = minus ? -sum : sum;
            return text.Contains('.', StringComparison.Ordinal) ? sum : (object)(long)sum;
        }

        if (digits.TrimStart('.') is "inf" or "Inf" or "INF")
        {
            return minus ? double.NegativeInfinity : double.PositiveInfinity;
        }

        if (digits.Contains('.', StringComparison.Ordinal))
        {
            double real = double.Parse(digits, CultureInfo.InvariantCulture);
            return minus ? -real : real;
        }

        int radix = digits.StartsWith("0x", StringComparison.Ordinal) ? 16 : digits.StartsWith("0b", StringComparison.Ordinal) ? 2 : digits is ['0', _, ..] ? 8 : 10;
        try
        {
            long whole = radix == 10 ? long.Parse(digits, CultureInfo.InvariantCulture) : Convert.ToInt64(radix == 8 ? digits : digits[2..], radix);
            return minus ? -whole : whole;
        }
        catch (Exception e) when (e is OverflowException or FormatException or ArgumentException)
        {
            // Python's integers have no end, and its 0b_ is an error; no recipe has a use for either.
            return text;
        }
    }

    [GeneratedRegex("^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(:[0-5]?[0-9])*)$")]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF))$")]
    private static partial Regex RealNumber();

    private static int Line(ParsingEvent parsed) => (int)parsed.Start.Line;

    private ConfigException Refuse(int line, string problem) => new($"PaddleVideo recipe: line {line}: {problem}", _path);
}

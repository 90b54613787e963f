using System.Globalization;

namespace Kinora.Paddle;

/// <summary>
/// Reads the arguments of one PaddleVideo class by name. What nobody asked for is an error, so that no value is lost
/// unnoticed. Where they come from a recipe, mistakes name its file and line, and what has no effect is listed.
/// </summary>
internal sealed class PaddleArguments
{
    private readonly string _owner;
    private readonly IReadOnlyDictionary<string, object?> _values;
    private readonly RecipeSection? _at;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Wraps arguments.</summary>
    /// <param name="owner">The class they are for, for messages.</param>
    /// <param name="values">By name.</param>
    /// <param name="at">Where in a recipe they stand, if they do.</param>
    public PaddleArguments(string owner, IReadOnlyDictionary<string, object?> values, RecipeSection? at = null) => (_owner, _values, _at) = (owner, values, at);

    /// <summary>The class they are for.</summary>
    public string Owner => _owner;

    /// <summary>What only the network of the catalogue can have, with what was asked for in its place: such a network can be built, but no configuration names it.</summary>
    public List<ConfigException> BeyondCatalog { get; } = [];

    /// <summary>A whole number.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public int Int(string name, int fallback) => Value(name) switch
    {
        null => fallback,
        long and >= int.MinValue and <= int.MaxValue and var number => (int)(long)number,
        int number => number,
        double number when number == Math.Floor(number) && Math.Abs(number) < int.MaxValue => (int)number,
        var other => throw Wrong(name, "a whole number", other),
    };

    /// <summary>A number.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public double Number(string name, double fallback) => Value(name) switch
    {
        null => fallback,
        long number => number,
        int number => number,
        double number => number,
        var other => throw Wrong(name, "a number", other),
    };

    /// <summary>A truth value.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public bool Flag(string name, bool fallback) => Value(name) switch
    {
        null => fallback,
        bool flag => flag,
        var other => throw Wrong(name, "True or False", other),
    };

    /// <summary>A text.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public string Text(string name, string fallback) => Value(name) switch
    {
        null => fallback,
        string text => text,
        var other => throw Wrong(name, "a text", other),
    };

    /// <summary>Whole numbers.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public int[] Ints(string name, params int[] fallback) => Value(name) switch
    {
        null => fallback,
        IEnumerable<object?> list when list.All(v => v is long or int) => [.. list.Select(v => Convert.ToInt32(v, CultureInfo.InvariantCulture))],
        var other => throw Wrong(name, "a list of whole numbers", other),
    };

    /// <summary>Accepts an argument only with the one value that Kinora's network has.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="value">The value; also PaddleVideo's default, or the default does the same.</param>
    public void Expect(string name, object? value)
    {
        object? found = Value(name);
        if (found is not null && !(found is int number ? Equals((long)number, value) : Equals(found, value)))
        {
            throw Wrong(name, value is null ? "nothing" : $"'{value}'", found);
        }
    }

    /// <summary>Numbers.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="fallback">PaddleVideo's default.</param>
    public double[] Numbers(string name, params double[] fallback) => Value(name) switch
    {
        null => fallback,
        IEnumerable<object?> list when list.All(v => v is long or int or double) => [.. list.Select(v => Convert.ToDouble(v, CultureInfo.InvariantCulture))],
        var other => throw Wrong(name, "a list of numbers", other),
    };

    /// <summary>Accepts an argument with one value, the only one that Kinora's network has.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="only">The value: a whole number, or the numbers of a list or of lists one after the other.</param>
    /// <exception cref="ConfigException">It has another value.</exception>
    public void ExpectNumbers(string name, params int[] only)
    {
        if (Value(name) is { } value && !Flat(value).SequenceEqual(only.Select(v => (object?)(long)v)))
        {
            throw Wrong(name, string.Join(", ", only), string.Join(", ", Flat(value)));
        }

        static IEnumerable<object?> Flat(object? value) => value switch
        {
            IEnumerable<object?> list => list.SelectMany(Flat),
            int number => [(long)number],
            _ => [value],
        };
    }

    /// <summary>Accepts arguments that don't change the network, and lists those that are given.</summary>
    /// <param name="reason">Why they have no effect.</param>
    /// <param name="names">Arguments.</param>
    public void Ignore(string reason, params string[] names)
    {
        _known.UnionWith(names);
        _at?.Ignore(reason, names);
    }

    /// <summary>Accepts arguments that are read elsewhere.</summary>
    /// <param name="names">Arguments.</param>
    public void Elsewhere(params string[] names) => _known.UnionWith(names);

    /// <summary>Accepts an argument that has one value here; another is listed.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="only">The value that Kinora's network has.</param>
    /// <param name="reason">Why another has no effect.</param>
    public void Settled(string name, double only, string reason)
    {
        if (Number(name, only) != only)
        {
            _at?.Ignore(reason, name);
        }
    }

    /// <summary>Accepts the layout of pixels in memory. It is not that of the network's input, and changes no result.</summary>
    public void Layout()
    {
        string layout = Text("data_format", "NCHW");
        if (layout == "NHWC")
        {
            _at?.Ignore("Kinora's networks keep channels before height and width; results are the same", "data_format");
        }
        else if (layout != "NCHW")
        {
            throw Wrong("data_format", "NCHW or NHWC", layout);
        }
    }

    /// <summary>Takes a value that shapes don't show and that a configuration can't carry, so that training has the catalogue's.</summary>
    /// <typeparam name="T">Number, truth value.</typeparam>
    /// <param name="name">Argument.</param>
    /// <param name="found">Its value.</param>
    /// <param name="catalog">The value of the catalogue's network.</param>
    /// <returns>The value that was found.</returns>
    public T Catalogued<T>(string name, T found, T catalog)
        where T : notnull
    {
        if (!found.Equals(catalog))
        {
            string expected = string.Create(CultureInfo.InvariantCulture, $"{catalog}, which the network of the catalogue has");
            string fallback = string.Create(CultureInfo.InvariantCulture, $"{found}");
            BeyondCatalog.Add(_at?.Wrong(name, expected, fallback) ?? Wrong(name, expected, found));
        }

        return found;
    }

    /// <summary>Ends the reading.</summary>
    /// <exception cref="ConfigException">There is an argument that nobody asked for.</exception>
    public void Finish()
    {
        if (_values.Keys.FirstOrDefault(name => !_known.Contains(name)) is { } unknown)
        {
            throw _at?.Wrong(unknown, $"no such argument of {_owner} (known are {string.Join(", ", _known.Order(StringComparer.Ordinal))})") ?? new ConfigException(
                $"PaddleVideo model: {_owner}: argument '{unknown}' isn't known; known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}");
        }
    }

    private object? Value(string name)
    {
        _known.Add(name);
        return _values.GetValueOrDefault(name);
    }

    /// <summary>An argument that isn't what it must be.</summary>
    /// <param name="name">Argument.</param>
    /// <param name="expected">What it must be.</param>
    /// <param name="found">What it is.</param>
    /// <returns>The exception to throw.</returns>
    public ConfigException Wrong(string name, string expected, object? found) => _at?.Wrong(name, expected, string.Create(CultureInfo.InvariantCulture, $"{found}"))
        ?? new(string.Create(CultureInfo.InvariantCulture, $"PaddleVideo model: {_owner}: {name}: expected {expected}, found '{found}'"));
}

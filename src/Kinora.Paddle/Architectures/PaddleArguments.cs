using System.Globalization;

namespace Kinora.Paddle;

/// <summary>
/// Reads the arguments of one PaddleVideo class by name. What nobody asked for is an error, so that no value is lost
/// unnoticed.
/// </summary>
internal sealed class PaddleArguments
{
    private readonly string _owner;
    private readonly IReadOnlyDictionary<string, object?> _values;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Wraps arguments.</summary>
    /// <param name="owner">The class they are for, for messages.</param>
    /// <param name="values">By name.</param>
    public PaddleArguments(string owner, IReadOnlyDictionary<string, object?> values) => (_owner, _values) = (owner, values);

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

    /// <summary>Accepts arguments that don't change the network: initial weights, layouts, spreads of initial values.</summary>
    /// <param name="names">Arguments.</param>
    public void Ignore(params string[] names) => _known.UnionWith(names);

    /// <summary>Ends the reading.</summary>
    /// <exception cref="ConfigException">There is an argument that nobody asked for.</exception>
    public void Finish()
    {
        if (_values.Keys.FirstOrDefault(name => !_known.Contains(name)) is { } unknown)
        {
            throw new ConfigException(
                $"PaddleVideo model: {_owner}: argument '{unknown}' isn't known; known are {string.Join(", ", _known.Order(StringComparer.Ordinal))}");
        }
    }

    private object? Value(string name)
    {
        _known.Add(name);
        return _values.GetValueOrDefault(name);
    }

    private ConfigException Wrong(string name, string expected, object? found) =>
        new(string.Create(CultureInfo.InvariantCulture, $"PaddleVideo model: {_owner}: {name}: expected {expected}, found '{found}'"));
}

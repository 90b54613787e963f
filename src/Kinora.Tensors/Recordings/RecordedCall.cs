namespace Kinora.Tensors;

/// <summary>One operator that was called.</summary>
/// <param name="Operator">Qualified name, such as "aten::conv2d".</param>
/// <param name="Overload">Overload name, often empty.</param>
/// <param name="Arguments">All arguments in schema order, defaults filled in.</param>
/// <param name="Outputs">Ids of the tensors that came out.</param>
public sealed record RecordedCall(string Operator, string Overload, IReadOnlyList<RecordedArgument> Arguments, IReadOnlyList<int> Outputs)
{
    /// <summary>The argument with a schema name.</summary>
    /// <param name="name">Such as "stride".</param>
    /// <exception cref="KeyNotFoundException">The schema has no such argument.</exception>
    public RecordedArgument this[string name] =>
        Arguments.FirstOrDefault(argument => argument.Name == name)
        ?? throw new KeyNotFoundException($"{Operator} has no argument '{name}', but {string.Join(", ", Arguments.Select(a => a.Name))}");
}

/// <summary>What a recorded argument holds.</summary>
public enum RecordedKind
{
    /// <summary>Nothing: the schema's None.</summary>
    None,

    /// <summary>A tensor's id.</summary>
    Tensor,

    /// <summary>An integer; element types and memory formats too.</summary>
    Int,

    /// <summary>A real number.</summary>
    Double,

    /// <summary>A truth value.</summary>
    Bool,

    /// <summary>A text.</summary>
    String,

    /// <summary>Integers; a single number given for a list is repeated to its length.</summary>
    Ints,

    /// <summary>Real numbers.</summary>
    Doubles,

    /// <summary>Tensor ids; -1 where one is missing.</summary>
    Tensors,
}

/// <summary>One argument of a recorded call; the property that <paramref name="Kind"/> names holds the value.</summary>
/// <param name="Name">The schema's name of the argument.</param>
/// <param name="Kind">Which property is set.</param>
public sealed record RecordedArgument(string Name, RecordedKind Kind)
{
    /// <summary>Whether the argument is None.</summary>
    public bool IsNone => Kind == RecordedKind.None;

    /// <summary>Tensor id.</summary>
    public int TensorId { get; init; } = -1;

    /// <summary>Integer.</summary>
    public long Int { get; init; }

    /// <summary>Real number.</summary>
    public double Double { get; init; }

    /// <summary>Truth value.</summary>
    public bool Bool { get; init; }

    /// <summary>Text.</summary>
    public string String { get; init; } = string.Empty;

    /// <summary>Integers.</summary>
    public IReadOnlyList<long> Ints { get; init; } = [];

    /// <summary>Real numbers.</summary>
    public IReadOnlyList<double> Doubles { get; init; } = [];

    /// <summary>Tensor ids.</summary>
    public IReadOnlyList<int> TensorIds { get; init; } = [];

    /// <summary>The number, whether it was given as an integer or a real number.</summary>
    public double Number => Kind == RecordedKind.Int ? Int : Double;
}

using System.Globalization;
using System.Text;
using Kinora.Onnx.Export.Graph;
using Kinora.Onnx.Export.Simplify;

namespace Kinora.Paddle.Programs;

/// <summary>The frames of a program that takes several views in a row, when it is to take one.</summary>
/// <param name="Program">Frames of all views: the number that its reshapes mention.</param>
/// <param name="View">Frames of one.</param>
internal readonly record struct FrameCut(long Program, long View);

/// <summary>
/// Runs a program operator by operator on symbols instead of numbers. Sizes stay known up to the number of clips, so
/// shapes follow and conditions are decided here; what depends on the clip becomes nodes of the graph.
/// </summary>
internal sealed class ProgramImporter
{
    // Branches inside branches can multiply; no honest program comes near.
    private const int MaximumSteps = 100_000;
    private const int MaximumRank = 16;

    // What an attribute says about the making of the program rather than about the operator.
    private static readonly HashSet<string> Bookkeeping = new(StringComparer.Ordinal)
    {
        "op_callstack", "op_namescope", "op_role", "op_role_var", "op_device", "with_quant_attr",
    };

    private readonly PaddleProgram _program;
    private readonly ClipInput _clips;
    private readonly IReadOnlyDictionary<ProgramOperator, Literal> _replaced;
    private readonly IReadOnlyDictionary<string, string>? _names;
    private readonly Dictionary<string, Symbol> _variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Symbol[]> _computed = new(StringComparer.Ordinal);
    private readonly Dictionary<Value, int> _numbers = [];
    private readonly HashSet<Value> _folded = [];
    private int _steps;
    private Symbol? _output;

    private ProgramImporter(
        PaddleProgram program, ClipInput clips, IReadOnlyDictionary<ProgramOperator, Literal> replaced, IReadOnlyDictionary<string, string>? names)
    {
        _program = program;
        _clips = clips;
        _replaced = replaced;
        _names = names;
        Build = new GraphBuilder(clips.Input);
    }

    public GraphBuilder Build { get; }

    /// <summary>The program's file, for messages.</summary>
    public string Path => _program.Path;

    /// <summary>The cut that reshapes have to follow, if the program is cut into views.</summary>
    public FrameCut? Cut => _clips.Cut;

    /// <summary>Defects met on the way.</summary>
    public List<ProgramRepair> Repairs { get; } = [];

    /// <summary>Translates a whole program.</summary>
    /// <param name="program">The program.</param>
    /// <param name="clips">Its inputs.</param>
    /// <param name="replaced">Constants that take the place of what an operator fills in.</param>
    /// <param name="names">Layer names by parameter names, or null.</param>
    /// <returns>What the program answers, and the defects met on the way.</returns>
    /// <exception cref="CheckpointException">An operator isn't known, can't be expressed, or contradicts the declared shapes; the message names it.</exception>
    public static (Value Output, IReadOnlyList<ProgramRepair> Repairs) Import(
        PaddleProgram program, ClipInput clips, IReadOnlyDictionary<ProgramOperator, Literal> replaced, IReadOnlyDictionary<string, string>? names)
    {
        var importer = new ProgramImporter(program, clips, replaced, names);
        importer.Run(program.Blocks[0]);
        return importer._output is TensorSymbol { Kind: ElementKind.Real } output
            ? (output.Value, importer.Repairs)
            : throw new CheckpointException(
                $"converting program: expected an output of real numbers, found {(importer._output is { } other ? OperatorCall.Describe(other) : "none")}", program.Path);
    }

    /// <summary>What a variable holds.</summary>
    public Symbol Read(string name, OperatorCall reader)
    {
        if (_variables.TryGetValue(name, out Symbol? symbol))
        {
            return symbol;
        }

        if (!_program.Parameters.TryGetValue(name, out Literal? literal))
        {
            throw reader.Refuse($"it reads '{name}', which nothing before it computes");
        }

        Value value = GraphBuilder.Constant(literal, _names?.GetValueOrDefault(name) ?? name);
        return _variables[name] = new TensorSymbol(value, literal.IsInteger ? ElementKind.Integer : ElementKind.Real);
    }

    /// <summary>Runs the branch of a condition.</summary>
    public void RunBranch(long block, OperatorCall from)
    {
        // Branches come after the block that they are in, so this can't go round in circles.
        if (block <= from.Operator.Block || block >= _program.Blocks.Count)
        {
            throw from.Refuse($"expected a block from {from.Operator.Block + 1} to {_program.Blocks.Count - 1}, found {block}");
        }

        Run(_program.Blocks[(int)block]);
    }

    /// <summary>Takes the program's answer.</summary>
    public void Fetch(Symbol output, OperatorCall call)
    {
        if (_output is not null)
        {
            throw call.Refuse("a program with two outputs can't be converted; export the network for inference again");
        }

        _output = output;
    }

    /// <summary>The clips, as the program takes them.</summary>
    public Symbol Feed(string name, OperatorCall call) => _clips.Feeds.TryGetValue(name, out Value? value)
        ? new TensorSymbol(value)
        : throw call.Refuse($"the input '{name}' isn't declared");

    private void Run(ProgramBlock block)
    {
        foreach (ProgramOperator op in block.Operators)
        {
            var call = new OperatorCall(op, this);
            if (++_steps > MaximumSteps)
            {
                throw call.Refuse($"the program takes more than {MaximumSteps} steps");
            }

            try
            {
                Store(call, Compute(call));
            }
            catch (ShapeException e)
            {
                throw call.Refuse(e.Message.Replace("export: ", "", StringComparison.Ordinal), e);
            }
            catch (OverflowException e)
            {
                throw call.Refuse("its sizes are too large", e);
            }
        }
    }

    private Symbol[] Compute(OperatorCall call)
    {
        ProgramOperator op = call.Operator;
        if (_replaced.TryGetValue(op, out Literal? literal))
        {
            return [new TensorSymbol(GraphBuilder.Constant(literal))];
        }

        if (!ProgramOperators.TryFind(op.Type, out Translation? translate))
        {
            string[] others = [.. _program.Operators.Keys.Where(type => type != op.Type && !ProgramOperators.TryFind(type, out _)).Order(StringComparer.Ordinal)];
            throw call.Refuse($"this operator has no translation{(others.Length == 0 ? "" : $", nor have {string.Join(", ", others)}")}; take the network's weights (.pdparams) instead, if Kinora has the network");
        }

        if (ProgramOperators.Acts(op.Type))
        {
            return translate(call);
        }

        // The same computation on the same operands gives the same value: views that are fed alike become one.
        string key = Key(call);
        if (!_computed.TryGetValue(key, out Symbol[]? symbols))
        {
            symbols = _computed[key] = [.. translate(call).Select(Settle)];
        }

        return symbols;
    }

    private void Store(OperatorCall call, Symbol[] symbols)
    {
        IReadOnlyList<string> results = call.Operator.Results;
        if (symbols.Length > 0 && symbols.Length != results.Count)
        {
            throw call.Refuse($"expected {symbols.Length} result variables, found {results.Count}");
        }

        for (int i = 0; i < symbols.Length; i++)
        {
            Check(call, results[i], symbols[i]);
            _variables[results[i]] = symbols[i];
        }
    }

    // The exporter noted the shape of every variable: a second opinion on each translation.
    private void Check(OperatorCall call, string name, Symbol symbol)
    {
        if (symbol is not TensorSymbol { Value.Shape: var shape })
        {
            return;
        }

        (long count, int power) = (1, 0);
        foreach (Dimension size in shape)
        {
            count = size.Count < 1 ? throw call.Refuse($"it makes an empty tensor {Shapes.Text(shape)}") : checked(count * size.Count);
            power += size.PerClip ? 1 : 0;
        }

        if (count > int.MaxValue || power > 1 || shape.Length > MaximumRank)
        {
            throw call.Refuse($"{Shapes.Text(shape)} is larger than a tensor can be");
        }

        ProgramVariable? declared = _program.Blocks[call.Operator.Block].Variables.GetValueOrDefault(name) ?? _program.Blocks[0].Variables.GetValueOrDefault(name);
        if (declared?.Type is null || Cut is not null || (count == 1 && power == 0))
        {
            return;
        }

        bool fits = declared.Shape.Count == shape.Length
            && shape.Zip(declared.Shape).All(pair => pair.Second < 0 || pair.First.PerClip || pair.First.Count == pair.Second);
        if (!fits)
        {
            throw call.Refuse($"its result has the shape {Shapes.Text(shape)}, the program declares [{string.Join(", ", declared.Shape)}]");
        }
    }

    // Computes what is constant at once, so that later operators can look at the numbers.
    private Symbol Settle(Symbol symbol) => symbol is TensorSymbol tensor ? tensor with { Value = Folded(tensor.Value) } : symbol;

    private Value Folded(Value value)
    {
        if (value.Producer is not { } node || !_folded.Add(value) || node.Operator == "Expand")
        {
            return value;
        }

        node.Inputs = [.. node.Inputs.Select(input => input is null ? null : Folded(input))];
        return node.Outputs.Length == 1 && node.Inputs.All(input => input is null or { Literal: not null }) && FoldConstants.Evaluate(node) is { } literal
            ? GraphBuilder.Constant(literal, node.Inputs.FirstOrDefault(input => input?.Name is not null)?.Name)
            : value;
    }

    private string Key(OperatorCall call)
    {
        var key = new StringBuilder(call.Operator.Type);
        foreach ((string name, object value) in call.Operator.Attributes.Where(a => !Bookkeeping.Contains(a.Key)).OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            key.Append('|').Append(name).Append('=').Append(value switch
            {
                long[] list => string.Join(',', list),
                double[] list => string.Join(',', list.Select(x => x.ToString("R", CultureInfo.InvariantCulture))),
                _ => Convert.ToString(value, CultureInfo.InvariantCulture),
            });
        }

        foreach ((string parameter, IReadOnlyList<string> names) in call.Operator.Inputs.OrderBy(i => i.Key, StringComparer.Ordinal))
        {
            key.Append('|').Append(parameter);
            foreach (Symbol symbol in call.Symbols(parameter))
            {
                key.Append(' ').Append(symbol switch
                {
                    KnownSymbol known => $"{known.Kind}{known.IsScalar}{Shapes.Text(known.Items)}",
                    TensorSymbol tensor => $"#{Number(tensor.Value)}",
                    _ => throw new InvalidOperationException($"{symbol.GetType()} has no key"),
                });
            }
        }

        return key.ToString();
    }

    private int Number(Value value) => _numbers.TryGetValue(value, out int number) ? number : _numbers[value] = _numbers.Count;
}

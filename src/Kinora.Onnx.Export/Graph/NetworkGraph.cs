namespace Kinora.Onnx.Export.Graph;

/// <summary>A network as a graph of ONNX operators, from one input to one output.</summary>
/// <remarks>
/// Only the links from values to their producers are stored; the order of the nodes follows from them. A pass
/// changes links, then calls <see cref="Refresh"/>, which also forgets what nothing uses any more.
/// </remarks>
internal sealed class NetworkGraph
{
    private Dictionary<Value, List<Node>> _users = [];

    public NetworkGraph(Value input, Value output)
    {
        Input = input;
        Output = output;
        Refresh();
    }

    public Value Input { get; }

    public Value Output { get; private set; }

    /// <summary>All nodes, producers before users.</summary>
    public IReadOnlyList<Node> Nodes { get; private set; } = [];

    /// <summary>The nodes that read a value.</summary>
    public IReadOnlyList<Node> Users(Value value) => _users.TryGetValue(value, out List<Node>? users) ? users : [];

    /// <summary>Whether exactly one node reads the value, and nobody else does.</summary>
    public bool HasOneUser(Value value) => value != Output && Users(value).Count == 1;

    /// <summary>Makes everything that reads <paramref name="old"/> read <paramref name="replacement"/>.</summary>
    public void Replace(Value old, Value replacement)
    {
        foreach (Node user in Users(old))
        {
            user.Inputs = [.. user.Inputs.Select(input => input == old ? replacement : input)];
        }

        if (Output == old)
        {
            Output = replacement;
        }
    }

    /// <summary>Makes <paramref name="node"/> the one that computes <paramref name="value"/>.</summary>
    public static void Produce(Value value, Node node)
    {
        node.Outputs = [value, .. node.Outputs.Skip(1)];
        value.Producer = node;
    }

    /// <summary>Puts the nodes in order and drops those that the output doesn't need.</summary>
    public void Refresh()
    {
        var order = new List<Node>();
        var entered = new HashSet<Node>();
        var open = new Stack<(Node Node, int Next)>();
        Enter(Output);
        while (open.TryPop(out (Node Node, int Next) top))
        {
            if (top.Next == top.Node.Inputs.Length)
            {
                order.Add(top.Node);
                continue;
            }

            open.Push((top.Node, top.Next + 1));
            Enter(top.Node.Inputs[top.Next]);
        }

        Nodes = order;
        _users = [];
        foreach (Node node in order)
        {
            foreach (Value? input in node.Inputs.Distinct())
            {
                if (input is not null)
                {
                    (_users.TryGetValue(input, out List<Node>? users) ? users : _users[input] = []).Add(node);
                }
            }
        }

        void Enter(Value? value)
        {
            if (value?.Producer is { } node && entered.Add(node))
            {
                open.Push((node, 0));
            }
        }
    }
}

using System.Text.Json;

namespace Kinora.Media.Tests;

/// <summary>Answers draws with recorded values, and checks that each is asked for in the recorded way.</summary>
internal sealed class ForcedDraws : IDraws
{
    private readonly Queue<(string Draw, double Value, double[]? Arguments)> _draws = new();
    private readonly bool _cropsMissTheEnd;

    /// <param name="forced">Records with draw, value and perhaps args; null where nothing is drawn.</param>
    /// <param name="cropsMissTheEnd">Whether numpy drew crops, which leave out the last place: recorded ranges may be one short.</param>
    public ForcedDraws(JsonElement? forced, bool cropsMissTheEnd = false)
    {
        _cropsMissTheEnd = cropsMissTheEnd;
        if (forced is not { ValueKind: JsonValueKind.Array } list)
        {
            return;
        }

        foreach (JsonElement record in list.EnumerateArray())
        {
            string draw = record.Text("draw");
            double[]? arguments = record.TryGetProperty("args", out JsonElement args) && args.ValueKind == JsonValueKind.Array ? args.Doubles() : null;
            JsonElement value = record.GetProperty("value");
            foreach (double one in value.ValueKind == JsonValueKind.Array ? value.Doubles() : [value.GetDouble()])
            {
                _draws.Enqueue((draw, one, arguments));
            }
        }
    }

    public int Left => _draws.Count;

    /// <summary>Adds an answer to a draw that Kinora makes and the recorded code doesn't.</summary>
    public void Append(string draw, double value) => _draws.Enqueue((draw, value, null));

    public int Integer(int low, int exclusiveHigh)
    {
        (string draw, double value, double[]? arguments) = Next("randint", "np_randint");
        if (arguments is not null)
        {
            // Python's randint includes its upper end, numpy's does not.
            double recordedLow = arguments.Length == 1 ? 0 : arguments[0];
            double recordedHigh = arguments[^1] + (draw == "randint" ? 1 : 0);
            Assert.Equal((recordedLow, recordedHigh), (low, exclusiveHigh - (_cropsMissTheEnd && draw == "np_randint" ? 1 : 0)));
        }

        Assert.InRange(value, low, exclusiveHigh - 1);
        return (int)value;
    }

    public int Choice(int count)
    {
        int value = (int)Next("choice").Value;
        return value < 0 ? count + value : value;
    }

    public double Real(double low, double high)
    {
        // A draw from a single value needs no answer.
        if (low == high && _draws.Count == 0)
        {
            return low;
        }

        (_, double value, double[]? arguments) = Next("uniform", "np_uniform");
        if (arguments is not null)
        {
            Assert.Equal(arguments[0], low, 1e-12);
            Assert.Equal(arguments[1], high, 1e-12);
        }

        return value;
    }

    public double Unit() => Next("random").Value;

    private (string Draw, double Value, double[]? Arguments) Next(params ReadOnlySpan<string> kinds)
    {
        Assert.True(_draws.Count > 0, "more draws than recorded");
        (string Draw, double Value, double[]? Arguments) next = _draws.Dequeue();
        Assert.Contains(next.Draw, kinds.ToArray());
        return next;
    }
}

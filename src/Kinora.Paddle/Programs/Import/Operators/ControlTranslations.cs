namespace Kinora.Paddle.Programs;

/// <summary>Inputs and outputs of the program, and conditions, which are decided while it is translated.</summary>
internal static class ControlTranslations
{
    public static Dictionary<string, Translation> Table { get; } = new()
    {
        ["feed"] = c => [.. c.Operator.Results.Select(name => c.Importer.Feed(name, c))],
        ["fetch"] = Fetch,
        ["conditional_block"] = Branch,
        ["select_input"] = Select,
    };

    private static Symbol[] Fetch(OperatorCall c)
    {
        c.Importer.Fetch(c.Symbol("X"), c);
        return [];
    }

    // The branch itself assigns to the variables around it.
    private static Symbol[] Branch(OperatorCall c)
    {
        if (Decided(c, "Cond") != 0)
        {
            c.Importer.RunBranch(c.Int("sub_block"), c);
        }

        return [];
    }

    private static Symbol[] Select(OperatorCall c)
    {
        IReadOnlyList<string> choices = c.Operator.InputsOf("X");
        long chosen = Decided(c, "Mask");
        return chosen >= 0 && chosen < choices.Count
            ? [c.Importer.Read(choices[(int)chosen], c)]
            : throw c.Refuse($"expected a choice among {choices.Count} variables, found {chosen}");
    }

    private static long Decided(OperatorCall c, string parameter) => OperatorCall.AsKnown(c.Symbol(parameter)) is { Items: [{ PerClip: false } answer] }
        ? answer.Count
        : throw c.Refuse($"{parameter} is {OperatorCall.Describe(c.Symbol(parameter))}, which isn't known before a clip is seen; networks that decide by their input can't be converted");
}

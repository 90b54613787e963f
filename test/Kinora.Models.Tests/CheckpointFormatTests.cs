using Kinora.Testing;

namespace Kinora.Models.Tests;

/// <summary>Names and shapes of every tensor are a file format: changing one breaks every checkpoint ever written.</summary>
public sealed class CheckpointFormatTests
{
    public static TheoryData<string> Names => [.. ModelCatalog.Entries.Select(e => e.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void StateDict_EveryNetwork_KeepsItsNamesAndShapes(string name)
    {
        using VideoNetwork network = ModelCatalog.Create(name, new ModelOptions(10));
        var parameters = network.NamedParameters().Select(p => p.Name).ToHashSet();
        string found = string.Join('\n', network.StateDict().Select(t =>
            $"{(parameters.Contains(t.Name) ? "parameter" : "buffer")} {t.Name} {string.Join('x', t.Value.Shape.ToArray())}")) + "\n";

        string approved = Path.Combine(SharedData.Checkout, "test", "Kinora.Models.Tests", "Snapshots", $"{name}.txt");
        if (!File.Exists(approved) || File.ReadAllText(approved) != found)
        {
            File.WriteAllText(approved + ".received", found);
        }

        Assert.True(File.Exists(approved), $"no snapshot of {name}: check {approved}.received and rename it");
        Assert.Equal(File.ReadAllText(approved), found);
    }
}

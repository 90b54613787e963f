using System.Reflection;
using System.Xml.Linq;
using Kinora.Testing;

namespace Kinora.Architecture.Tests;

/// <summary>Who may use whom. A reference that isn't listed here needs a decision record first.</summary>
public sealed class LayeringTests
{
    private static readonly Dictionary<string, string[]> Permitted = new(StringComparer.Ordinal)
    {
        ["Kinora.Core"] = [],
        ["Kinora.Media"] = ["Kinora.Core"],
        ["Kinora.Tensors"] = ["Kinora.Core"],
        ["Kinora.Models"] = ["Kinora.Core", "Kinora.Tensors"],
        ["Kinora.Data"] = ["Kinora.Core", "Kinora.Media", "Kinora.Tensors"],
        ["Kinora.Training"] = ["Kinora.Core", "Kinora.Media", "Kinora.Tensors", "Kinora.Models", "Kinora.Data"],
        ["Kinora.Onnx"] = ["Kinora.Core", "Kinora.Media", "Microsoft.ML.OnnxRuntime"],
        ["Kinora.Onnx.Export"] = ["Kinora.Core", "Kinora.Tensors", "Kinora.Models"],
        ["Kinora.Paddle"] = ["Kinora.Core", "Kinora.Media", "Kinora.Tensors", "Kinora.Models", "Kinora.Data", "Kinora.Training", "Kinora.Onnx.Export"],
    };

    public static TheoryData<string> Libraries => [.. Permitted.Keys];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Assembly_CompiledReferences_OnlyPermitted(string library)
    {
        string[] found = [.. Assembly.Load(library).GetReferencedAssemblies().Select(a => a.Name!).Where(IsOurs)];
        Assert.Empty(found.Except(Permitted[library]));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Project_DeclaredReferences_OnlyPermitted(string library)
    {
        XDocument project = XDocument.Load(Path.Combine(SharedData.Checkout, "src", library, $"{library}.csproj"));
        string[] found = [.. project.Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
            .Select(name => name == "OnnxRuntime" ? "Microsoft.ML.OnnxRuntime" : name)];
        Assert.Empty(found.Except(Permitted[library]));
    }

    [Fact]
    public void Source_EveryLibrary_HasARule()
    {
        string[] found = [.. Directory.EnumerateDirectories(Path.Combine(SharedData.Checkout, "src"), "Kinora.*").Select(p => Path.GetFileName(p)!)];
        Assert.Empty(found.Except(Permitted.Keys).Except(["Kinora.Cli"]));
    }

    [Theory]
    [InlineData("Kinora.Media")]
    [InlineData("Kinora.Onnx")]
    public void Assembly_ClosureOfReferences_HasNoTensors(string library)
    {
        HashSet<string> seen = [];
        Stack<string> open = new([library]);
        while (open.TryPop(out string? name))
        {
            if (seen.Add(name))
            {
                foreach (AssemblyName reference in Assembly.Load(name).GetReferencedAssemblies().Where(a => IsOurs(a.Name!)))
                {
                    open.Push(reference.Name!);
                }
            }
        }

        Assert.DoesNotContain("Kinora.Tensors", seen);
    }

    [Fact]
    public void Source_AllFolders_HoldNoPython()
    {
        string[] folders = ["src", "test", "bench", "eng", "native", "samples", "docs"];
        string[] found =
        [
            .. folders.Select(folder => Path.Combine(SharedData.Checkout, folder)).Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*.py*", SearchOption.AllDirectories)),
        ];
        Assert.Empty(found);
    }

    private static bool IsOurs(string name) => name.StartsWith("Kinora.", StringComparison.Ordinal) || name == "Microsoft.ML.OnnxRuntime";
}

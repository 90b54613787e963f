using System.Diagnostics;
using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Onnx.Tests.Runtime;

/// <summary>The compiled sources and NuGet's package stand in for each other by one build property.</summary>
public sealed class BuildPropertyTests
{
    [Theory]
    [InlineData("false", false)]
    [InlineData("true", true)]
    public async Task OnnxRuntimeFromNuGet_Set_PackageTakesThePlaceOfTheProject(string value, bool fromNuGet)
    {
        using JsonDocument items = await Evaluate($"-p:OnnxRuntimeFromNuGet={value}", "-p:OnnxRuntimeVersion=1.30.0");

        Assert.Equal(fromNuGet, Names(items, "PackageReference").Contains("Microsoft.ML.OnnxRuntime"));
        Assert.Equal(!fromNuGet, Names(items, "ProjectReference").Any(n => n.EndsWith("OnnxRuntime.csproj", StringComparison.Ordinal)));
        JsonElement version = items.RootElement.GetProperty("Items").GetProperty("PackageVersion").EnumerateArray()
            .Single(i => i.GetProperty("Identity").GetString() == "Microsoft.ML.OnnxRuntime");
        Assert.Equal("1.30.0", version.GetProperty("Version").GetString());
    }

    private static HashSet<string> Names(JsonDocument items, string kind) =>
        [.. items.RootElement.GetProperty("Items").GetProperty(kind).EnumerateArray().Select(i => i.GetProperty("Identity").GetString()!)];

    private static async Task<JsonDocument> Evaluate(params string[] properties)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = SharedData.Checkout };
        foreach (string argument in (string[])["msbuild", "src/Kinora.Onnx/Kinora.Onnx.csproj", "-nodeReuse:false", "-getItem:PackageReference", "-getItem:ProjectReference", "-getItem:PackageVersion", .. properties])
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await errors);
        return JsonDocument.Parse(output);
    }
}

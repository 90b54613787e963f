using System.Diagnostics;

namespace Kinora.Media.Tests;

/// <summary>The resize tests again, each time in a process of its own whose runtime hides some instructions.</summary>
public sealed class InstructionSetTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task ResizeTests_InstructionsSwitchedOff_StillPass(string variable)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ResizeTests).Assembly.Location, "-class", typeof(ResizeTests).FullName!, "-noColor"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[variable] = "0";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await errors);
        Assert.Contains("Failed: 0", output, StringComparison.Ordinal);
    }
}

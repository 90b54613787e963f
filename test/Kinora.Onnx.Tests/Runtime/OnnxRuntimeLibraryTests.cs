using System.Diagnostics;
using Kinora.Testing;

namespace Kinora.Onnx.Tests.Runtime;

public sealed class OnnxRuntimeLibraryTests
{
    [Fact]
    public void EnsureLoaded_Checkout_FindsANewEnoughLibrary()
    {
        OnnxRuntimeLibrary.EnsureLoaded();

        Assert.True(Version.Parse(OnnxRuntimeLibrary.Version) >= OnnxRuntimeLibrary.MinimumVersion);
        Assert.Contains("CPUExecutionProvider", OnnxRuntimeLibrary.Providers);
        Assert.True(File.Exists(OnnxRuntimeLibrary.Location));
    }

    [Fact]
    public void Load_NothingThere_SaysWhatToRun()
    {
        using TemporaryFolder folder = new();

        NativeException e = Assert.Throws<NativeException>(() => OnnxRuntimeLibrary.Load([folder["libonnxruntime.so"], "libno_such_onnxruntime.so"]));

        Assert.Contains("found none", e.Message, StringComparison.Ordinal);
        Assert.Contains("kinora doctor", e.Message, StringComparison.Ordinal);
        Assert.Contains(folder["libonnxruntime.so"], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_DamagedFile_SaysWhichFile()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["libonnxruntime.so"], "not a library");

        NativeException e = Assert.Throws<NativeException>(() => OnnxRuntimeLibrary.Load([folder["libonnxruntime.so"]]));

        Assert.EndsWith($"[{folder["libonnxruntime.so"]}]", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Load_OtherLibrary_SaysThatItIsNotOnnxRuntime()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs libc.so.6");

        Assert.Contains("isn't ONNX Runtime", Assert.Throws<NativeException>(() => OnnxRuntimeLibrary.Load(["libc.so.6"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.28.1", false)]
    [InlineData("1.9.0", false)]
    [InlineData("", false)]
    [InlineData("next", false)]
    [InlineData("1.29.0", true)]
    [InlineData("1.30.0-dev", true)]
    [InlineData("2.0", true)]
    public void CheckVersion_Version_IsComparedAsNumber(string version, bool accepted)
    {
        NativeException? e = Record.Exception(() => OnnxRuntimeLibrary.CheckVersion(version, "/lib/x.so")) as NativeException;

        Assert.Equal(accepted, e is null);
        Assert.True(e is null || e.Message.Contains("1.29", StringComparison.Ordinal));
    }

    // Telemetry would write below the user's cache folder and the temporary folder: a child process whose folders are
    // all empty ones loads a model and runs it, and must leave every folder as it was.
    [Fact]
    public async Task Run_InProcessOfItsOwn_WritesNoFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "folders are set through XDG variables");
        using TemporaryFolder folder = new();
        string[] variables = ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"];
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Directory.CreateDirectory(folder["work"]).FullName };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(OnnxRuntimeLibraryTests).Assembly.Location);
        }

        start.ArgumentList.Add("-method");
        start.ArgumentList.Add("Kinora.Onnx.Tests.Networks.OnnxNetworkTests.Run_FixedBatchOfTwo_CutsAndRefusesTheRest");
        foreach (string variable in variables)
        {
            start.Environment[variable] = Directory.CreateDirectory(folder[variable]).FullName;
        }

        start.Environment.Remove("ORT_DISABLE_TELEMETRY");
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // .NET's own sockets lie in the temporary folder
        using Process child = Process.Start(start)!;
        string output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(child.ExitCode == 0, output);
        Assert.Empty(Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories));
    }
}

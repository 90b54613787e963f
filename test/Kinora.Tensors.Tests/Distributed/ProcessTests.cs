using System.Diagnostics;
using System.Globalization;

namespace Kinora.Tensors.Tests;

/// <summary>Ranks as processes of the operating system (test/Kinora.Ranks), killed for real.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task TwoProcesses_HalfABatchEach_TheLossesOfOneWithAllOfIt()
    {
        const int steps = 30;
        using var alone = new Rank(null, 1, 0, steps);
        double[] expected = await alone.NumbersAsync();
        Assert.Equal(steps + 1, expected.Length);
        Assert.True(expected[steps - 1] != expected[0], "nothing was learnt");
        int port = Ranks.FreePort();
        using var first = new Rank(0, 2, port, steps);
        using var second = new Rank(1, 2, port, steps);
        foreach (double[] shared in new[] { await first.NumbersAsync(), await second.NumbersAsync() })
        {
            Assert.Equal(expected.Length, shared.Length);
            Assert.All(expected.Zip(shared), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task AProcessIsKilled_TheOtherStopsWithAClearError(int victim)
    {
        int port = Ranks.FreePort();
        using var first = new Rank(0, 2, port, 1_000_000);
        using var second = new Rank(1, 2, port, 1_000_000);
        Rank[] ranks = [first, second];
        await ranks[1 - victim].OutputAsync(lines: 5);
        long start = Stopwatch.GetTimestamp();
        ranks[victim].Kill();
        (int code, string error) = await ranks[1 - victim].EndAsync();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), "took longer than 30 s");
        Assert.Equal(1, code);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Contains($"rank {1 - victim} of 2: ", error, StringComparison.Ordinal);
        Assert.Contains("another process ended", error, StringComparison.Ordinal);
    }

    private sealed class Rank : IDisposable
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
        private readonly Process _process;

        public Rank(int? rank, int size, int port, int steps)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in new[] { Path.Combine(AppContext.BaseDirectory, "Kinora.Ranks.dll"), steps.ToString(CultureInfo.InvariantCulture), "8" })
            {
                start.ArgumentList.Add(argument);
            }

            if (rank is int number)
            {
                start.Environment["RANK"] = start.Environment["LOCAL_RANK"] = number.ToString(CultureInfo.InvariantCulture);
                start.Environment["WORLD_SIZE"] = size.ToString(CultureInfo.InvariantCulture);
                start.Environment["MASTER_ADDR"] = "127.0.0.1";
                start.Environment["MASTER_PORT"] = port.ToString(CultureInfo.InvariantCulture);
            }

            _process = Process.Start(start)!;
        }

        /// <summary>Everything it prints, once it has ended well.</summary>
        public async Task<double[]> NumbersAsync()
        {
            Task<string> output = _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            (int code, string error) = await EndAsync();
            Assert.True(code == 0, error);
            string[] lines = (await output).TrimEnd().Split('\n');
            Assert.StartsWith("weights ", lines[^1], StringComparison.Ordinal);
            return [.. lines.Select(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))];
        }

        /// <summary>Waits for some lines, and lets the rest run into the void.</summary>
        public async Task OutputAsync(int lines)
        {
            for (int i = 0; i < lines; i++)
            {
                Assert.NotNull(await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline));
            }

            _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        }

        public async Task<(int Code, string Error)> EndAsync()
        {
            string error = await _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
            return (_process.ExitCode, error);
        }

        public void Kill() => _process.Kill();

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            _process.Dispose();
        }
    }
}

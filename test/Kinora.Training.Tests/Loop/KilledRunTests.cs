using System.Diagnostics;
using System.Globalization;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>A run whose process is killed again and again (test/Kinora.TrainingHost).</summary>
[Collection(ComputeTests.Name)]
public sealed class KilledRunTests : IDisposable
{
    private const int Kills = 50;
    private const int Epochs = 56;
    private const int LeastWordsOfAnEpoch = 10; // five steps, two checkpoints inside, an evaluation, a checkpoint and the epoch
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Resume_KilledFiftyTimesAtRandomMoments_EqualsTheUninterruptedRunBitForBit()
    {
        string clips = ColourClips.Create(_folder["clips"]);
        string whole = _folder["whole"], killed = _folder["killed"];
        using (var host = new Host(whole, clips, workers: 2))
        {
            await host.ReadyAsync();
            host.Go(int.MaxValue);
            await host.CompletedAsync();
        }

        int mostWords = 0, begun = 0, midEpoch = 0;
        Host next = new(killed, clips, workers: 1);
        try
        {
            for (int kill = 0; kill < Kills; kill++)
            {
                var random = new CounterRandom(50, 0, kill, "kill");
                using Host host = next;
                await host.ReadyAsync();

                // Some die while they plan and load, some between two things they do, most some words later, in the midst of
                // what comes then.
                int kind = random.NextInt32(0, 10), words = kind < 3 ? 0 : random.NextInt32(1, 10), limit = kind is 3 or 4 ? words : words + 5;
                double delay = random.NextDouble(0, words == 0 ? 0.2 : 0.006);
                mostWords += limit;
                host.Go(limit);
                next = new Host(killed, clips, workers: 1 + (kill % 3));
                await host.WordsAsync(words);
                for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < delay;)
                {
                    Thread.SpinWait(20);
                }

                await host.KillAsync();
                begun += File.Exists(Path.Combine(killed, "last.safetensors")) ? 1 : 0;
                midEpoch += Checkpointed(killed) is { Step: > 0 } ? 1 : 0;
            }

            Assert.True(mostWords < Epochs * LeastWordsOfAnEpoch, $"{mostWords} words may end the run before the last kill");
            await next.ReadyAsync();
            next.Go(int.MaxValue);
            await next.CompletedAsync();
        }
        finally
        {
            next.Dispose();
        }

        Assert.InRange(begun, Kills / 2, Kills);
        Assert.InRange(midEpoch, 5, Kills);
        Assert.Equal((Epochs * 6) + 2, SameRuns.Figures(whole).Length); // five steps and an end each, two evaluations
        SameRuns.AssertEqual(whole, killed);
        Assert.Contains("resumed at epoch", await File.ReadAllTextAsync(Path.Combine(killed, "log.txt"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static RunState? Checkpointed(string run)
    {
        string last = Path.Combine(run, "last.safetensors");
        return File.Exists(last) ? RunState.FromJson(Checkpoint.Read(last).TrainingState!, last) : null;
    }

    private sealed class Host : IDisposable
    {
        private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);
        private readonly Process _process;
        private readonly Task<string> _error;

        public Host(string run, string clips, int workers)
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
            string[] arguments = [Path.Combine(AppContext.BaseDirectory, "Kinora.TrainingHost.dll"), run, clips, Text(Epochs), Text(workers)];
            Array.ForEach(arguments, start.ArgumentList.Add);
            _process = Process.Start(start)!;
            _error = _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        }

        public async Task ReadyAsync() => Assert.Equal("ready", await LineAsync());

        public void Go(int limit) => _process.StandardInput.WriteLine($"go {Text(limit)}");

        public async Task WordsAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Assert.NotEqual("completed", await LineAsync());
            }
        }

        public async Task CompletedAsync()
        {
            string? line;
            do
            {
                line = await LineAsync();
            }
            while (line != "completed");
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
        }

        public async Task KillAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                _process.WaitForExit();
            }

            _process.Dispose();
        }

        private async Task<string> LineAsync() =>
            await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline)
                ?? throw new InvalidOperationException($"the host ended: {await _error}");

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}

using System.Diagnostics;
using Kinora.Bench.Classify;

namespace Kinora.Bench.Startup;

/// <summary>Starts the published command line again and again and waits for its first line with a label.</summary>
internal static class StartupBench
{
    public static int Run(BenchArguments arguments)
    {
        string program = arguments.Text("program", Path.Combine(BenchFolder.Checkout, "kinora"));
        int runs = arguments.Number("runs", 15);
        string clip = arguments.Files.Count > 0 ? arguments.Files[0] : BenchVideos.Kinetics(1)[0];
        string model = arguments.Text("model", "");
        List<double> first = [], whole = [];
        for (int i = 0; i < runs + 1; i++)
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
            foreach (string argument in (string[])["classify", .. model.Length > 0 ? (string[])["--model", model] : [], clip])
            {
                start.ArgumentList.Add(argument);
            }

            long begin = Stopwatch.GetTimestamp();
            using Process process = Process.Start(start)!;
            string? line = process.StandardOutput.ReadLine();
            double toFirst = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            _ = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (line is null || process.ExitCode != 0)
            {
                Console.WriteLine($"{program} classify ended with {process.ExitCode} and '{line}'");
                return 1;
            }

            // The first run pays for the disk cache.
            if (i > 0)
            {
                first.Add(toFirst);
                whole.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            }
        }

        first.Sort();
        whole.Sort();
        Console.WriteLine($"{program} classify {clip}: {runs} runs");
        Console.WriteLine($"first line: best {first[0]:0} ms, median {first[runs / 2]:0} ms; end of the process: best {whole[0]:0} ms, median {whole[runs / 2]:0} ms");
        return 0;
    }
}

using System.Text.Json;
using Kinora.Testing;

namespace Kinora.Training.Tests;

/// <summary>Every schedule of golden/training/lr.json at every recorded step, and again after a resume.</summary>
public sealed class GoldenScheduleTests
{
    private const string File = "golden/training/lr.json";

    public static TheoryData<string, int> Cases()
    {
        var data = new TheoryData<string, int>();
        foreach (string list in new[] { "schedules", "extra", "switched_iter_step" })
        {
            for (int i = 0; i < Count(list); i++)
            {
                data.Add(list, i);
            }
        }

        if (data.Count == 0)
        {
            data.Add("schedules", 0);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rate_EveryRecordedStep_EqualsPaddle(string list, int index)
    {
        using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllText(SharedData.Require(File)));
        JsonElement record = document.RootElement.GetProperty(list)[index];
        JsonElement rule = record.GetProperty("learning_rate");
        int epochs = record.GetProperty("epochs").GetInt32();
        foreach (JsonProperty run in record.GetProperty("runs").EnumerateObject())
        {
            int n = int.Parse(run.Name);
            JsonElement expected = run.Value;
            if (expected.TryGetProperty("build", out _) || expected.TryGetProperty("step", out _))
            {
                // The original crashes with this combination; here it is refused when the schedule is built.
                Assert.Throws<ConfigException>(() => PaddleSchedule.Create(rule, n));
                continue;
            }

            LearningRateSchedule? schedule = PaddleSchedule.Create(rule, n);
            Assert.SkipWhen(schedule is null, $"schedule not supported: {rule.GetProperty("name").GetString()}");
            double[] rates = Rates(schedule, epochs, n, 0);
            Compare(expected.GetProperty("initial").GetDouble(), rates[0]);
            if (expected.TryGetProperty("per_epoch", out JsonElement perEpoch))
            {
                double[] recorded = Numbers(perEpoch);
                for (int e = 0; e < recorded.Length; e++)
                {
                    Compare(recorded[e], rates[e * n]);
                    Compare(recorded[e], rates[(e * n) + n - 1]);
                }
            }

            if (expected.TryGetProperty("per_iteration", out JsonElement perStep))
            {
                ComparePerIteration(perStep, rates);
            }

            if (expected.TryGetProperty("resume", out JsonElement resume))
            {
                CompareResume(resume, schedule, rates, epochs, n);
            }
        }
    }

    private static void ComparePerIteration(JsonElement recorded, double[] rates)
    {
        if (recorded.TryGetProperty("all", out JsonElement all))
        {
            double[] values = Numbers(all);
            Assert.Equal(values.Length, rates.Length);
            for (int i = 0; i < values.Length; i++)
            {
                Compare(values[i], rates[i]);
            }
        }

        if (recorded.TryGetProperty("first50", out JsonElement first))
        {
            double[] values = Numbers(first);
            for (int i = 0; i < values.Length; i++)
            {
                Compare(values[i], rates[i]);
            }

            double[] sparse = Numbers(recorded.GetProperty("every37"));
            for (int i = 0; i < sparse.Length; i++)
            {
                Compare(sparse[i], rates[i * 37]);
            }

            Assert.Equal(recorded.GetProperty("count").GetInt32(), rates.Length);
            Compare(recorded.GetProperty("last").GetDouble(), rates[^1]);
            Assert.Equal(recorded.GetProperty("sum").GetDouble(), rates.Sum(), Math.Abs(rates.Sum()) * 1e-12);
        }

        if (recorded.TryGetProperty("changes", out JsonElement changes))
        {
            int at = 0;
            foreach (JsonElement change in changes.EnumerateArray())
            {
                int next = change[0].GetInt32();
                for (; at < next; at++)
                {
                    Compare(rates[Math.Max(0, at - 1)], at == 0 ? rates[0] : rates[at]);
                }

                Compare(change[1].GetDouble(), rates[next]);
                at = next + 1;
            }
        }
    }

    private static void CompareResume(JsonElement resume, LearningRateSchedule schedule, double[] rates, int epochs, int n)
    {
        int after = resume.GetProperty("after_epochs").GetInt32();
        double[] resumed = Rates(schedule, epochs, n, after);
        Assert.Equal(rates.AsSpan(after * n).ToArray(), resumed);
        if (!resume.GetProperty("equals_uninterrupted").GetBoolean())
        {
            return; // The original forgets its counters (CustomWarmupCosineStepDecay); here the run goes on.
        }

        if (resume.TryGetProperty("first20", out JsonElement first))
        {
            double[] values = Numbers(first);
            for (int i = 0; i < values.Length; i++)
            {
                Compare(values[i], resumed[i]);
            }

            Compare(resume.GetProperty("last").GetDouble(), resumed[^1]);
        }

        if (resume.TryGetProperty("per_epoch", out JsonElement perEpoch))
        {
            double[] values = Numbers(perEpoch);
            for (int e = 0; e < values.Length; e++)
            {
                Compare(values[e], resumed[e * n]);
            }
        }
    }

    // The rate that each step uses, stepping the way the training loop does.
    private static double[] Rates(LearningRateSchedule schedule, int epochs, int stepsPerEpoch, int fromEpoch)
    {
        schedule.Restore(schedule.Interval == ScheduleInterval.Epoch ? fromEpoch : (long)fromEpoch * stepsPerEpoch);
        var rates = new List<double>();
        for (int epoch = fromEpoch; epoch < epochs; epoch++)
        {
            for (int step = 0; step < stepsPerEpoch; step++)
            {
                rates.Add(schedule.Rate);
                if (schedule.Interval == ScheduleInterval.Step)
                {
                    schedule.MoveNext();
                }
            }

            if (schedule.Interval == ScheduleInterval.Epoch)
            {
                schedule.MoveNext();
            }
        }

        return [.. rates];
    }

    // "exact for schedules except their last two digits"
    private static void Compare(double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 2e-14 * Math.Abs(expected), $"expected {expected:R}, found {actual:R}");

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];

    private static int Count(string list)
    {
        string? path = SharedData.Root is null ? null : Path.Combine(SharedData.Root, File);
        if (path is null || !System.IO.File.Exists(path))
        {
            return 0;
        }

        using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllText(path));
        return document.RootElement.TryGetProperty(list, out JsonElement records) ? records.GetArrayLength() : 0;
    }
}

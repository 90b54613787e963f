using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kinora.Training;

/// <summary>
/// Where a run stands, apart from weights and velocities: all that continuing it exactly needs, since random choices
/// are functions of (seed, epoch, sample, operation) and schedules of their position.
/// </summary>
internal sealed class RunState
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>The epoch under way, from 0; equals the number of epochs when all are done.</summary>
    public int Epoch { get; set; }

    /// <summary>Steps done in it.</summary>
    public int Step { get; set; }

    /// <summary>Position of the schedule.</summary>
    public long SchedulePosition { get; set; }

    /// <summary>Sum of the epoch's losses, each times its clips.</summary>
    public double LossSum { get; set; }

    /// <summary>The epoch's right answers on training clips.</summary>
    public int Right { get; set; }

    /// <summary>Of the epoch's training clips those whose class was among the best five.</summary>
    public int RightInFive { get; set; }

    /// <summary>The epoch's training clips so far.</summary>
    public int Seen { get; set; }

    /// <summary>The epoch's unreadable training clips so far.</summary>
    public int Failures { get; set; }

    /// <summary>Rate of the last step.</summary>
    public double LastRate { get; set; }

    /// <summary>Time of the epoch's training part so far.</summary>
    public double TrainSeconds { get; set; }

    /// <summary>Of it, time spent waiting for clips.</summary>
    public double WaitSeconds { get; set; }

    /// <summary>Best epoch, from 1; 0 before the first evaluation.</summary>
    public int BestEpoch { get; set; }

    /// <summary>Validation accuracy of the best epoch.</summary>
    public double BestTop1 { get; set; } = double.NegativeInfinity;

    /// <summary>Highest validation accuracy of any epoch; the best epoch's may be a little lower (<see cref="BestEpochRule"/>).</summary>
    public double HighestTop1 { get; set; } = double.NegativeInfinity;

    /// <summary>Validation loss of the best epoch.</summary>
    public double BestLoss { get; set; } = double.PositiveInfinity;

    /// <summary>Evaluations since the best one.</summary>
    public int EvaluationsWithoutBest { get; set; }

    /// <summary>Time of earlier calls that this one continues.</summary>
    public double EarlierSeconds { get; set; }

    /// <summary>Figures of the epochs that are over.</summary>
    public List<EpochRecord> Epochs { get; set; } = [];

    /// <summary>Unreadable clips and what was wrong with each.</summary>
    public SortedDictionary<string, string> Unreadable { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Fingerprint of the clips and labels of all splits.</summary>
    public ulong Clips { get; set; }

    /// <summary>Bytes of decoded frames, as planned.</summary>
    public long CacheBytes { get; set; }

    /// <summary>Processes that shared the run when this was written; steps count their joint batches.</summary>
    public int Processes { get; set; } = 1;

    /// <summary>Processor facts that decide the last bits of results.</summary>
    public string Arithmetic { get; set; } = "";

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static RunState FromJson(string json, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RunState>(json, Json) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"resume: state of the run can't be understood: {e.Message}", path, e);
        }
    }

    /// <summary>Starts counting an epoch.</summary>
    public void BeginEpoch()
    {
        (Step, LossSum, Right, RightInFive, Seen, Failures, TrainSeconds, WaitSeconds) = (0, 0, 0, 0, 0, 0, 0, 0);
    }

    /// <summary>The figures of the epoch under way.</summary>
    /// <param name="validation">Its evaluation, if it has one.</param>
    /// <param name="evaluationSeconds">Time of that.</param>
    public EpochRecord Record(EvaluationResult? validation, double evaluationSeconds) => new()
    {
        Epoch = Epoch + 1,
        TrainLoss = LossSum / Math.Max(1, Seen),
        TrainTop1 = (double)Right / Math.Max(1, Seen),
        TrainTop5 = (double)RightInFive / Math.Max(1, Seen),
        LearningRate = LastRate,
        ValidationLoss = validation?.Loss,
        ValidationTop1 = validation?.Top1,
        ValidationTop5 = validation?.Top5,
        ValidationMeanAveragePrecision = validation?.MeanAveragePrecision,
        Failures = Failures,
        ClipsPerSecond = Seen / Math.Max(1e-9, TrainSeconds),
        LoaderShare = WaitSeconds / Math.Max(1e-9, TrainSeconds),
        TrainSeconds = TrainSeconds,
        EvaluationSeconds = evaluationSeconds,
    };
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Kinora.Training;

/// <summary>The folder of a run and its text files.</summary>
internal sealed partial class RunFolder : IDisposable
{
    public const string BestFile = "best.safetensors";
    public const string LastFile = "last.safetensors";
    public const string ConfigFile = "config.yaml";
    public const string LogFile = "log.txt";
    public const string MetricsFile = "metrics.csv";
    public const string JournalFile = "metrics.jsonl";
    public const string EventFolder = "tensorboard";
    public const string ReportFile = "report.html";
    private const string LockFile = ".lock";

    private readonly TimeProvider _clock;
    private readonly FileStream? _lock;
    private readonly StreamWriter? _log;

    /// <summary>Opens the folder.</summary>
    /// <param name="path">It is made if it isn't there.</param>
    /// <param name="clock">For the log.</param>
    /// <param name="writes">False for a process that leaves writing to another: nothing is made or changed.</param>
    /// <exception cref="TrainingException">Another process writes this run at this moment.</exception>
    public RunFolder(string path, TimeProvider clock, bool writes = true)
    {
        Path = System.IO.Path.GetFullPath(path);
        _clock = clock;
        Writes = writes;
        if (!writes)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"train: expected to make the folder of the run, found that it can't be made: {e.Message.TrimEnd('.')}; choose another folder for runs (output, --output)", Path, e);
        }

        _lock = Lock();
        RemoveUnfinished();
        EndTornLine(this[LogFile]);
        var stream = new FileStream(this[LogFile], FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        _log = new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
    }

    public string Path { get; }

    /// <summary>Whether this process writes the run's files.</summary>
    public bool Writes { get; }

    public string this[string file] => System.IO.Path.Combine(Path, file);

    /// <summary>Appends one line to log.txt; it is in the file when this returns.</summary>
    public void Log(string message) =>
        _log?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z {message.ReplaceLineEndings(" ")}"));

    /// <summary>Writes metrics.csv anew: it always holds the epochs of the run, once each, whatever was interrupted.</summary>
    public void WriteMetrics(IEnumerable<EpochRecord> epochs)
    {
        if (!Writes)
        {
            return;
        }

        var text = new StringBuilder("epoch,train_loss,train_top1,learning_rate,validation_loss,validation_top1,validation_top5,validation_map,failures,clips_per_second,loader_share,train_seconds,evaluation_seconds\n");
        foreach (EpochRecord e in epochs)
        {
            text.Append(CultureInfo.InvariantCulture, $"{e.Epoch},{e.TrainLoss:G9},{e.TrainTop1:G9},{e.LearningRate:G9},{e.ValidationLoss:G9},{e.ValidationTop1:G9},{e.ValidationTop5:G9},{e.ValidationMeanAveragePrecision:G9},");
            text.Append(CultureInfo.InvariantCulture, $"{e.Failures},{e.ClipsPerSecond:0.###},{e.LoaderShare:0.####},{e.TrainSeconds:0.###},{e.EvaluationSeconds:0.###}\n");
        }

        AtomicFile.WriteText(this[MetricsFile], text.ToString());
    }

    /// <summary>Keeps the last checkpoint under the epoch's name, and so many of those.</summary>
    /// <param name="epoch">From 1.</param>
    /// <param name="keep">How many stay; null for all.</param>
    public void KeepEpoch(int epoch, int? keep)
    {
        if (!Writes)
        {
            return;
        }

        AtomicFile.WriteNamed(this[EpochFile(epoch)], unfinished => File.Copy(this[LastFile], unfinished));
        foreach (string old in KeptEpochs(Path).Skip(keep ?? int.MaxValue))
        {
            File.Delete(old);
        }
    }

    /// <summary>The kept checkpoints of a run, the newest first.</summary>
    /// <param name="folder">The run's folder.</param>
    public static IReadOnlyList<string> KeptEpochs(string folder) => !Directory.Exists(folder)
        ? []
        : [.. Directory.EnumerateFiles(folder, "epoch_*.safetensors").Where(f => KeptName().IsMatch(System.IO.Path.GetFileName(f))).OrderByDescending(f => System.IO.Path.GetFileName(f).Length).ThenByDescending(f => f, StringComparer.Ordinal)];

    /// <summary>The name of a kept checkpoint.</summary>
    /// <param name="epoch">From 1.</param>
    public static string EpochFile(int epoch) => string.Create(CultureInfo.InvariantCulture, $"epoch_{epoch:00000}.safetensors");

    public void Dispose()
    {
        _log?.Dispose();
        _lock?.Dispose();
    }

    // The system lets go of it when the process ends, however it ends.
    private FileStream Lock()
    {
        try
        {
            return new FileStream(this[LockFile], FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new TrainingException($"train: expected a run that nobody else is writing, found another process at work in its folder ({e.Message.TrimEnd('.')}); wait for it or end it", Path);
        }
    }

    // A process that was killed while it wrote leaves what it had under a temporary name.
    private void RemoveUnfinished()
    {
        foreach (string file in Directory.EnumerateFiles(Path).Where(f => UnfinishedName().IsMatch(System.IO.Path.GetFileName(f))))
        {
            File.Delete(file);
        }
    }

    private static void EndTornLine(string path)
    {
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (file.Length > 0)
        {
            file.Position = file.Length - 1;
            if (file.ReadByte() != '\n')
            {
                file.WriteByte((byte)'\n');
            }
        }
    }

    [GeneratedRegex(@"^epoch_\d{5,}\.safetensors$")]
    private static partial Regex KeptName();

    [GeneratedRegex(@"^(\.(best|last|epoch_\d+|metrics|config|report)\.[0-9a-f]+-[0-9a-f]+\.tmp\.\w+|epoch_\d+\.safetensors\.tmp)$")]
    private static partial Regex UnfinishedName();
}

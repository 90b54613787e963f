using System.Globalization;
using System.Text;

namespace Kinora.Training;

/// <summary>The folder of a run and its text files.</summary>
internal sealed class RunFolder : IDisposable
{
    public const string BestFile = "best.safetensors";
    public const string LastFile = "last.safetensors";
    public const string ConfigFile = "config.yaml";
    public const string LogFile = "log.txt";
    public const string MetricsFile = "metrics.csv";
    public const string ReportFile = "report.html";

    private readonly TimeProvider _clock;
    private readonly StreamWriter? _log;

    /// <summary>Opens the folder.</summary>
    /// <param name="path">It is made if it isn't there.</param>
    /// <param name="clock">For the log.</param>
    /// <param name="writes">False for a process that leaves writing to another: nothing is made or changed.</param>
    public RunFolder(string path, TimeProvider clock, bool writes = true)
    {
        Path = System.IO.Path.GetFullPath(path);
        _clock = clock;
        Writes = writes;
        if (!writes)
        {
            return;
        }

        Directory.CreateDirectory(Path);
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

        string target = this[EpochFile(epoch)], unfinished = target + ".tmp";
        File.Copy(this[LastFile], unfinished, overwrite: true);
        File.Move(unfinished, target, overwrite: true);
        foreach (string old in Directory.EnumerateFiles(Path, "epoch_?????.safetensors").OrderDescending(StringComparer.Ordinal).Skip(keep ?? int.MaxValue))
        {
            File.Delete(old);
        }
    }

    /// <summary>The name of a kept checkpoint.</summary>
    /// <param name="epoch">From 1.</param>
    public static string EpochFile(int epoch) => string.Create(CultureInfo.InvariantCulture, $"epoch_{epoch:00000}.safetensors");

    public void Dispose() => _log?.Dispose();
}

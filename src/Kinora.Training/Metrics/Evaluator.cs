using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>Measures a network on a data set: every clip once, none replaced, unreadable ones wrong.</summary>
public static class Evaluator
{
    /// <summary>Evaluates a checkpoint.</summary>
    /// <param name="checkpoint">A checkpoint that was read; its ClipSpec is used.</param>
    /// <param name="dataset">Clips; its labels must be the checkpoint's.</param>
    /// <param name="batchSize">Clips a forward pass.</param>
    /// <param name="threads">Threads of the compute library; null for one a core.</param>
    /// <param name="progress">Receives the number of clips done, from the compute thread.</param>
    /// <param name="ct">Ends the evaluation.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="DatasetException">The data set's classes aren't the checkpoint's.</exception>
    public static EvaluationResult Evaluate(
        Checkpoint checkpoint, VideoDataset dataset, int batchSize = 8, int? threads = null, IProgress<int>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(dataset);
        if (!dataset.Labels.Names.SequenceEqual(checkpoint.Labels.Names))
        {
            string extra = string.Join(", ", dataset.Labels.Names.Except(checkpoint.Labels.Names).Take(3));
            throw new DatasetException(
                $"evaluate: expected the {checkpoint.Labels.Count} classes of the checkpoint in its order, found {dataset.Labels.Count}{(extra.Length > 0 ? $" (unknown: {extra})" : "")}", dataset.Name);
        }

        return ComputeThread.Run(() =>
        {
            Torch.Threads = threads ?? Torch.Threads;
            using VideoNetwork network = checkpoint.LoadNetwork();
            network.ToMemoryFormat(MemoryFormat.ChannelsLast);
            using var loader = new ClipLoader(dataset, new ClipLoaderOptions { Spec = checkpoint.ClipSpec, BatchSize = batchSize });
            return Evaluate(network, loader, dataset, TimeProvider.System, bfloat16: false, checkpoint.Config.Loss.Kind == LossKind.Binary, progress, ct);
        });
    }

    /// <summary>Evaluates on the calling thread.</summary>
    internal static EvaluationResult Evaluate(
        VideoNetwork network, ClipLoader loader, VideoDataset dataset, TimeProvider clock, bool bfloat16, bool multiLabel, IProgress<int>? progress, CancellationToken ct, DistributedContext? processes = null)
    {
        processes ??= DistributedContext.Single;
        long start = clock.GetTimestamp();
        int classes = network.Classes;
        ScoreBoard? board = null;
        var failures = new Dictionary<int, string>();
        int done = 0;
        bool wasTraining = network.IsTraining, stopped = false;
        network.Eval();
        try
        {
            foreach (ClipBatch batch in loader.Epoch(0, 0, ct))
            {
                using (batch)
                {
                    board ??= new ScoreBoard(dataset.Samples.Count, classes, batch.Views);
                    foreach (FailedSample failed in batch.Failures)
                    {
                        failures[failed.SampleIndex] = failed.Reason;
                    }

                    if (batch.Count > 0)
                    {
                        float[] logits = Logits(network, batch, bfloat16);
                        for (int i = 0; i < batch.Count; i++)
                        {
                            for (int view = 0; view < batch.Views; view++)
                            {
                                ReadOnlySpan<float> row = logits.AsSpan(((i * batch.Views) + view) * classes, classes);
                                board.Add(batch.SampleIndices[i], view, batch.Labels[i], row);
                            }
                        }
                    }

                    done += batch.Count + batch.Failures.Count;
                    progress?.Report(Math.Min(done * processes.Size, dataset.Samples.Count));
                }
            }
        }
        catch (OperationCanceledException) when (processes.IsDistributed && ct.IsCancellationRequested)
        {
            stopped = true; // the others must hear of it
        }
        finally
        {
            network.Train(wasTraining);
        }

        if (processes.Sum(stopped ? 1 : 0)[0] > 0)
        {
            throw new OperationCanceledException("evaluation cancelled", ct);
        }

        board ??= new ScoreBoard(dataset.Samples.Count, classes, loader.Views);
        foreach (int index in failures.Keys)
        {
            board.AddFailure(index, dataset.Samples[index].Label);
        }

        board.Join(processes);
        failures = processes.IsDistributed ? Joined(processes, failures) : failures;

        IReadOnlyList<int> missing = board.Missing();
        if (missing.Count > 0)
        {
            throw new InvalidOperationException($"evaluation of {dataset.Name}: {missing.Count} of {dataset.Samples.Count} clips never arrived, such as {dataset.Samples[missing[0]].Path}");
        }

        EvaluationResult result = Summarize(board, dataset, failures, clock.GetElapsedTime(start));
        return multiLabel ? WithSeveralLabels(result, board, dataset) : result;
    }

    // What every process couldn't read.
    private static Dictionary<int, string> Joined(DistributedContext processes, Dictionary<int, string> failures)
    {
        string[] all = processes.Gather(string.Join('\n', failures.Select(f => $"{f.Key} {f.Value.ReplaceLineEndings(" ")}")));
        return all.SelectMany(text => text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Select(line => line.Split(' ', 2))
            .ToDictionary(parts => int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture), parts => parts[1]);
    }

    /// <summary>Runs one batch through a network in evaluation mode.</summary>
    internal static float[] Logits(VideoNetwork network, ClipBatch batch, bool bfloat16)
    {
        using var scope = new TensorScope();
        using IDisposable mode = Grad.Disable();
        using IDisposable? cast = bfloat16 ? Autocast.BFloat16() : null;
        DType dtype = network.NamedParameters().First().Value.DType;
        return network.Forward(ToTensor(batch).To(dtype)).To(DType.Float32).ToArray<float>();
    }

    /// <summary>The pixels of a batch as a tensor.</summary>
    internal static Tensor ToTensor(ClipBatch batch) =>
        Tensor.From<float>(batch.Pixels.Span, [.. batch.Shape]);

    // An unreadable clip ranks behind all others for its labels.
    private static EvaluationResult WithSeveralLabels(EvaluationResult result, ScoreBoard board, VideoDataset dataset)
    {
        var precision = new MeanAveragePrecision(board.Classes);
        double loss = 0;
        int right = 0;
        var scores = new double[board.Classes];
        SampleAnswer[] answers = [.. result.Answers];
        for (int i = 0; i < board.Samples; i++)
        {
            int[] labels = [.. dataset.Samples[i].Labels];
            bool readable = result.Answers[i].Failure is null;
            double own = 0;
            for (int c = 0; c < scores.Length; c++)
            {
                double x = scores[c] = readable ? board.Sums(i)[c] / board.ViewsSeen(i) : double.NaN;
                own += Math.Max(x, 0) - (labels.Contains(c) ? x : 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
            }

            precision.Add(scores, labels);
            loss += readable ? own / scores.Length : 0;
            if (labels.Contains(answers[i].Predicted))
            {
                answers[i] = answers[i] with { Label = answers[i].Predicted, LabelProbability = answers[i].Probability };
                right++;
            }
        }

        AveragePrecisions precisions = precision.Compute();
        return result with
        {
            Answers = answers,
            ClassPrecisions = precisions.OfClass,
            Top1 = (double)right / Math.Max(1, board.Samples),
            Loss = loss / Math.Max(1, board.Samples - result.Failures),
            MeanAveragePrecision = precisions.Mean,
        };
    }

    private static EvaluationResult Summarize(ScoreBoard board, VideoDataset dataset, Dictionary<int, string> failures, TimeSpan elapsed)
    {
        var answers = new SampleAnswer[board.Samples];
        double loss = 0;
        var probabilities = new double[board.Classes];
        for (int i = 0; i < answers.Length; i++)
        {
            VideoSample sample = dataset.Samples[i];
            if (failures.TryGetValue(i, out string? reason))
            {
                answers[i] = new SampleAnswer(i, sample.Path, sample.Label, -1, 0, 0, reason);
                continue;
            }

            double logNormalizer = Softmax(board.Sums(i), board.ViewsSeen(i), probabilities);
            int best = Ranking.Best(board.Sums(i));
            double own = probabilities[sample.Label];
            answers[i] = new SampleAnswer(i, sample.Path, sample.Label, best, best < 0 ? 0 : probabilities[best], double.IsNaN(own) ? 0 : own, null);
            loss += logNormalizer - (board.Sums(i)[sample.Label] / board.ViewsSeen(i));
        }

        ConfusionMatrix confusion = board.Confusion();
        return new EvaluationResult
        {
            Clips = board.Samples,
            Failures = failures.Count,
            Top1 = board.TopK(1),
            Top5 = board.TopK(5),
            MeanClassAccuracy = confusion.MeanClassAccuracy(),
            Loss = loss / Math.Max(1, board.Samples - failures.Count),
            Confusion = confusion,
            Answers = answers,
            Elapsed = elapsed,
        };
    }

    // Probabilities of the mean logits over the views; returns the logarithm of the sum of their exponentials.
    private static double Softmax(ReadOnlySpan<double> sums, int views, Span<double> probabilities)
    {
        double max = double.NegativeInfinity;
        foreach (double sum in sums)
        {
            max = Math.Max(max, sum / views);
        }

        double total = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            probabilities[i] = Math.Exp((sums[i] / views) - max);
            total += probabilities[i];
        }

        for (int i = 0; i < sums.Length; i++)
        {
            probabilities[i] /= total;
        }

        return max + Math.Log(total);
    }
}

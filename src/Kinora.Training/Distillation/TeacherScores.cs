using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Kinora.Data;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>
/// What a teacher says about each training clip as evaluation sees it: asked once, kept on the disk, good for every later
/// run with the same teacher, clips and way of reading them.
/// </summary>
internal sealed class TeacherScores
{
    private const int ClipsPerFile = 4096;
    private const string TensorName = "scores";
    private const string ClipsKey = "clips";
    private readonly float[] _scores;
    private readonly int _classes;

    private TeacherScores(float[] scores, int classes) => (_scores, _classes) = (scores, classes);

    /// <summary>The logits of one clip, averaged over the views of the teacher's evaluation.</summary>
    /// <param name="sample">Index of the clip in its data set.</param>
    /// <returns>[classes].</returns>
    public ReadOnlySpan<float> Of(int sample) => _scores.AsSpan(sample * _classes, _classes);

    /// <summary>Reads the scores that are on the disk and asks the teacher about the others.</summary>
    /// <param name="folder">Folder of the files; made where it is missing.</param>
    /// <param name="teacher">The network, in evaluation mode.</param>
    /// <param name="identity">What tells this teacher from others, such as the hash of its weights.</param>
    /// <param name="spec">How the teacher sees a clip.</param>
    /// <param name="dataset">The clips.</param>
    /// <param name="batchSize">Clips a forward pass.</param>
    /// <param name="progress">Receives the number of clips done.</param>
    /// <param name="ct">Stops between batches; files that are finished stay.</param>
    /// <returns>The scores of all clips; those of unreadable ones are 0, as training never sees them.</returns>
    public static TeacherScores Prepare(
        string folder, VideoNetwork teacher, string identity, ClipSpec spec, VideoDataset dataset, int batchSize, IProgress<int>? progress, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        int classes = teacher.Classes, count = dataset.Samples.Count;
        var scores = new float[checked(count * classes)];
        for (int start = 0; start < count; start += ClipsPerFile)
        {
            int before = start;
            VideoSample[] part = [.. dataset.Samples.Skip(start).Take(ClipsPerFile)];
            string clips = Fingerprint(part);
            string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Key(identity, spec, clips)}.safetensors"));
            Span<float> target = scores.AsSpan(start * classes, part.Length * classes);
            if (!TryRead(file, clips, target))
            {
                Ask(teacher, spec, dataset with { Samples = part }, batchSize, target, new Relay(done => progress?.Report(before + done)), ct);
                Write(file, clips, target, part.Length, classes);
            }

            progress?.Report(start + part.Length);
        }

        return new TeacherScores(scores, classes);
    }

    private static void Ask(VideoNetwork teacher, ClipSpec spec, VideoDataset part, int batchSize, Span<float> target, IProgress<int> progress, CancellationToken ct)
    {
        int classes = teacher.Classes, done = 0;
        using var loader = new ClipLoader(part, new ClipLoaderOptions { Spec = spec, BatchSize = batchSize });
        foreach (ClipBatch batch in loader.Epoch(0, 0, ct))
        {
            using (batch)
            {
                float[] logits = batch.Count == 0 ? [] : Evaluator.Logits(teacher, batch, bfloat16: false);
                for (int row = 0; row < batch.Count * batch.Views; row++)
                {
                    Span<float> own = target.Slice(batch.SampleIndices[row / batch.Views] * classes, classes);
                    for (int c = 0; c < classes; c++)
                    {
                        own[c] += logits[(row * classes) + c] / batch.Views;
                    }
                }

                done += batch.Count + batch.Failures.Count;
                progress.Report(done);
            }
        }
    }

    private static bool TryRead(string path, string clips, Span<float> target)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var scope = new TensorScope();
            using SafetensorsFile file = SafetensorsFile.Open(path);
            float[] values = file.Metadata.GetValueOrDefault(ClipsKey) == clips ? file.Read(TensorName).ToArray<float>() : [];
            values.AsSpan(0, Math.Min(values.Length, target.Length)).CopyTo(target);
            return values.Length == target.Length;
        }
        catch (CheckpointException)
        {
            return false; // damaged: asked again and written anew
        }
    }

    private static void Write(string path, string clips, ReadOnlySpan<float> values, int count, int classes)
    {
        using var scope = new TensorScope();
        SafetensorsFile.Save(path, [(TensorName, Tensor.From(values, [count, classes]))], new Dictionary<string, string> { [ClipsKey] = clips });
    }

    private static string Key(string identity, ClipSpec spec, string clips) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{identity}\n{spec.ToJson()}\n{clips}")))[..20];

    // Names, sections and what the file system says of each file: another video under the same name is another clip.
    private static string Fingerprint(VideoSample[] samples)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (VideoSample sample in samples)
        {
            var file = new FileInfo(sample.Path);
            long size = file.Exists ? file.Length : 0, time = file.Exists ? file.LastWriteTimeUtc.Ticks : 0;
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{Path.GetFullPath(sample.Path)}\n{sample.StartSeconds} {sample.EndSeconds} {sample.FrameCount} {size} {time}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

using System.Security.Cryptography;
using Kinora.Models;
using Kinora.Tensors;

namespace Kinora.Training;

/// <summary>The second network of a distillation.</summary>
/// <param name="Network">The network.</param>
/// <param name="Spec">How it sees a clip at evaluation.</param>
/// <param name="Identity">What tells it from others, such as the hash of its weights.</param>
internal sealed record SecondNetwork(VideoNetwork Network, ClipSpec Spec, string Identity) : IDisposable
{
    public void Dispose() => Network.Dispose();
}

/// <summary>Builds the second network of a distillation.</summary>
internal static class PartnerNetwork
{
    /// <summary>Folder of <see cref="TeacherScores"/> inside the folder of runs.</summary>
    public const string ScoresFolder = ".teacher-scores";

    /// <summary>Builds it.</summary>
    /// <param name="config">The run, filled in.</param>
    /// <param name="student">The network that it helps.</param>
    /// <param name="spec">The student's input.</param>
    /// <param name="labels">The run's classes.</param>
    /// <param name="options">Surroundings.</param>
    /// <param name="notes">Receives what is worth telling.</param>
    /// <returns>It; null where there is none. The caller disposes it.</returns>
    /// <exception cref="ConfigException">A teacher of other classes or of another input.</exception>
    public static SecondNetwork? Create(
        TrainingConfig config, VideoNetwork student, ClipSpec spec, LabelMap labels, TrainerOptions options, List<string> notes)
    {
        DistillationConfig d = config.Distillation;
        if (d.Kind == DistillationKind.None)
        {
            return null;
        }

        if (d.TeacherWeights is string file && !Path.Exists(file))
        {
            throw new ConfigException("train: distillation.teacherWeights: expected a run or a checkpoint, found nothing; train the teacher first, or name another", file);
        }

        if (d.Teacher is null)
        {
            Checkpoint checkpoint = Checkpoint.Read(d.TeacherWeights!);
            if (!checkpoint.Labels.Names.SequenceEqual(labels.Names))
            {
                throw new ConfigException($"train: distillation.teacherWeights: expected a network of the same {labels.Count} classes, found one of {checkpoint.Labels.Count} with other names or order", d.TeacherWeights);
            }

            VideoNetwork trained = checkpoint.LoadNetwork(options.NetworkFactory);
            return Fitting(trained, checkpoint.ClipSpec, Hash(checkpoint.Path!));
        }

        bool pretrained = d.TeacherPretrained && d.TeacherWeights is null && ModelCatalog.Find(d.Teacher).HasPretrainedWeights;
        bool own = d is { Kind: DistillationKind.Teacher, CacheScores: true };
        var wanted = new ModelOptions(labels.Count, own ? null : student.Frames, own ? null : student.Size, config.Seed + 1, Pretrained: pretrained);
        VideoNetwork network = options.NetworkFactory?.Invoke(d.Teacher, wanted) ?? ModelCatalog.Create(d.Teacher, wanted);
        if (d.TeacherWeights is string weights)
        {
            LoadReport report = (options.StartWeights ?? Checkpoint.LoadMatching)(network, weights);
            notes.Add($"the second network starts from {weights}: {report.Matched.Count} tensors matched, {report.Missing.Count + report.Misshapen.Count} new");
            if (d.Kind == DistillationKind.Teacher && report.Missing.Count + report.Misshapen.Count > 0)
            {
                network.Dispose();
                throw new ConfigException($"train: distillation.teacherWeights: expected weights for the whole teacher, found {report.Missing.Count + report.Misshapen.Count} tensors missing or of another shape, such as the classifier of other classes", weights);
            }
        }

        return Fitting(network, own ? network.EvaluationSpec : spec, d.TeacherWeights is null ? network.Name : Hash(d.TeacherWeights));

        SecondNetwork Fitting(VideoNetwork second, ClipSpec itsSpec, string identity)
        {
            if (config.Loop.Precision == Precision.Fp64)
            {
                second.To(DType.Float64);
            }

            second.ToMemoryFormat(MemoryFormat.ChannelsLast);
            bool alike = second.Frames == student.Frames && itsSpec.Normalization == spec.Normalization && itsSpec.Layout == spec.Layout;
            if (alike || d.CacheScores)
            {
                return new SecondNetwork(second, itsSpec, identity);
            }

            string found = $"{second.Frames} frames, {itsSpec.Normalization}";
            second.Dispose();
            throw new ConfigException($"train: distillation: expected a second network that takes the student's clips ({student.Frames} frames, {spec.Normalization}), found one for {found}; set distillation.cacheScores, or choose another");
        }
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}

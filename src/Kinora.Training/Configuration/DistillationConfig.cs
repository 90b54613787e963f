namespace Kinora.Training;

/// <summary>How a second network helps the first one learn.</summary>
public enum DistillationKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Both learn, from the labels and from each other (deep mutual learning, arXiv:1706.00384).</summary>
    Mutual,

    /// <summary>A trained network that stays as it is shows its scores (arXiv:1503.02531).</summary>
    Teacher,
}

/// <summary>Learning from a second network. The run's model is the student: it alone is evaluated and exported.</summary>
public sealed record DistillationConfig
{
    /// <summary>The rule.</summary>
    public DistillationKind Kind { get; init; }

    /// <summary>Catalogue name of the second network. Null: that of the checkpoint in <see cref="TeacherWeights"/>.</summary>
    [None]
    public string? Teacher { get; init; }

    /// <summary>
    /// Checkpoint or run folder of the second network; a <see cref="DistillationKind.Teacher"/> must have one, trained on
    /// the same classes.
    /// </summary>
    [None]
    public string? TeacherWeights { get; init; }

    /// <summary>Whether a mutual partner without weights starts from ImageNet's, where they come with it.</summary>
    public bool TeacherPretrained { get; init; } = true;

    /// <summary>T: both networks' scores are divided by it before they are compared. Null: 1 for mutual learning, 4 for a teacher.</summary>
    public double? Temperature { get; init; }

    /// <summary>Weight of the comparison in the loss.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Weight of the labels in the loss.</summary>
    public double LabelWeight { get; init; } = 1;

    /// <summary>Weight of the angle between the student's features, projected, and the teacher's; 0 looks at scores only.</summary>
    public double FeatureWeight { get; init; }

    /// <summary>
    /// Ask a teacher once about each clip as evaluation sees it and keep its scores on the disk, instead of asking about every
    /// varied clip: epochs then cost no more than without it.
    /// </summary>
    public bool CacheScores { get; init; }

    internal void Validate(ConfigCheck check)
    {
        check.Require(Kind == DistillationKind.None || Teacher is not null || TeacherWeights is not null, "teacher", "a model's name, or teacherWeights", null);
        check.Require(Kind != DistillationKind.Teacher || TeacherWeights is not null, "teacherWeights", "a checkpoint or run folder", null);
        check.Require(Temperature is null or > 0, "temperature", "above 0", Temperature);
        check.Require(Weight >= 0, "weight", "0 or more", Weight);
        check.Require(LabelWeight >= 0, "labelWeight", "0 or more", LabelWeight);
        check.Require(FeatureWeight >= 0, "featureWeight", "0 or more", FeatureWeight);
        check.Require(FeatureWeight == 0 || (Kind == DistillationKind.Teacher && !CacheScores), "featureWeight", "0 unless a teacher is asked about every clip", FeatureWeight);
        check.Require(!CacheScores || Kind == DistillationKind.Teacher, "cacheScores", "false unless kind is teacher", CacheScores);
    }
}

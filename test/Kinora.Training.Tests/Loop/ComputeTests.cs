namespace Kinora.Training.Tests;

/// <summary>Tests that compute run one after the other: the number of threads is the process's, and results hang on it.</summary>
[CollectionDefinition(Name)]
public sealed class ComputeTests
{
    public const string Name = "compute";
}

namespace Kinora.Testing;

/// <summary>A folder of one test's own; disposing it deletes it with everything inside.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("kinora-test-").FullName;

    /// <summary>A path below the folder.</summary>
    /// <param name="name">File or folder name.</param>
    /// <returns>The full path; nothing is created.</returns>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}

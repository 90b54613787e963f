namespace Kinora.Models;

/// <summary>Finds the files that travel with Kinora in the folder models/: beside the program, else in the checkout.</summary>
public static class BundledFiles
{
    /// <summary>Looks for a file beside the program and then, walking up from it, in the checkout.</summary>
    /// <param name="name">File name below models/.</param>
    /// <returns>The full path, or null.</returns>
    public static string? Find(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "models", name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Looks for a file that must be there.</summary>
    /// <param name="name">File name below models/.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="CheckpointException">It isn't there.</exception>
    public static string Require(string name) => Find(name)
        ?? throw new CheckpointException($"bundled file: expected models/{name} beside the program or in the checkout, found none; restore it (git checkout models)", AppContext.BaseDirectory);
}

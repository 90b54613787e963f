namespace Kinora.Bench;

/// <summary>Where benchmarks keep what they generate once: <c>artifacts/bench</c> of the checkout.</summary>
internal static class BenchFolder
{
    /// <summary>Root of the checkout.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>A file of the folder, made on first use.</summary>
    /// <param name="name">File name; change it when the content's recipe changes.</param>
    /// <param name="make">Writes the file.</param>
    /// <returns>Full path.</returns>
    public static string Cached(string name, Action<string> make)
    {
        string path = Path.Combine(Checkout, "artifacts", "bench", name);
        if (!File.Exists(path))
        {
            Console.WriteLine($"preparing {path}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            make(path);
        }

        return path;
    }

    private static string FindCheckout()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props")))
            {
                return folder.FullName;
            }
        }

        throw new ConfigException("benchmarks must run from inside a checkout");
    }
}

using Xunit;

namespace Kinora.Testing;

/// <summary>
/// The reference material that isn't part of the repository: recorded answers and real clips. Its place is the
/// environment variable KINORA_SHARED, by default the folder <c>shared</c> beside the checkout.
/// Tests that need it are visibly skipped where it is missing.
/// </summary>
public static class SharedData
{
    /// <summary>The root of the checkout.</summary>
    public static string Checkout { get; } = FindCheckout();

    /// <summary>The folder, or null where there is none.</summary>
    public static string? Root { get; } = FindRoot();

    /// <summary>The path of a file or folder; skips the running test if the material or the entry is missing.</summary>
    /// <param name="relative">Path below the folder, such as "golden/pipeline/chains.json".</param>
    /// <returns>The full path.</returns>
    public static string Require(string relative)
    {
        Assert.SkipWhen(Root is null, "no reference material: set KINORA_SHARED or put it beside the checkout as 'shared'");
        string path = Path.Combine(Root!, relative);
        Assert.SkipUnless(Path.Exists(path), $"not in the reference material: {relative}");
        return path;
    }

    /// <summary>The files of a folder in name order; empty where the material is missing (for theory data).</summary>
    /// <param name="folder">Folder below the root.</param>
    /// <param name="pattern">File name pattern.</param>
    /// <returns>Full paths.</returns>
    public static IReadOnlyList<string> Files(string folder, string pattern)
    {
        string? path = Root is null ? null : Path.Combine(Root, folder);
        return path is null || !Directory.Exists(path)
            ? []
            : [.. Directory.EnumerateFiles(path, pattern).Order(StringComparer.Ordinal)];
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

        throw new DirectoryNotFoundException("the tests must run from inside a checkout of Kinora");
    }

    private static string? FindRoot()
    {
        string? set = Environment.GetEnvironmentVariable("KINORA_SHARED");
        string root = string.IsNullOrEmpty(set) ? Path.Combine(Checkout, "..", "shared") : set;
        return Directory.Exists(root) ? Path.GetFullPath(root) : null;
    }
}

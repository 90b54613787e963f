namespace Kinora.Paddle;

/// <summary>Where files from elsewhere are kept.</summary>
public static class CacheFolder
{
    /// <summary>
    /// The folder: <c>$KINORA_CACHE</c>, else <c>kinora</c> in the user's cache folder (<c>$XDG_CACHE_HOME</c> or
    /// <c>~/.cache</c>; on Windows the local application data). Nothing is created.
    /// </summary>
    /// <returns>Full path.</returns>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable("KINORA_CACHE") is { Length: > 0 } own)
        {
            return Path.GetFullPath(own);
        }

        // The specification of these folders has relative paths ignored.
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        string user = Path.IsPathFullyQualified(cache ?? "") ? cache!
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(user, "kinora");
    }
}

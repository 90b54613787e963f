namespace Kinora.Paddle;

/// <summary>Turns a pulled file into what Kinora loads: the seam between fetching and converting.</summary>
/// <param name="model">What the file is.</param>
/// <param name="weights">The verified file.</param>
/// <param name="cancellationToken">Stops the conversion.</param>
/// <returns>What was made of it, in lines for a person: the checkpoint's place, the load report.</returns>
/// <exception cref="CheckpointException">The file isn't what the catalogue says.</exception>
public delegate IReadOnlyList<string> PulledModelConversion(PublishedModel model, DownloadedFile weights, CancellationToken cancellationToken);

/// <summary>Brings published files of weights into the cache folder, each checked by its SHA-256.</summary>
/// <param name="folder">The cache folder; files lie in its subfolder <c>models</c>.</param>
/// <param name="downloader">Fetches; stays the caller's.</param>
public sealed class ModelPull(string folder, FileDownloader downloader)
{
    /// <summary>Where a model's file lies, or will.</summary>
    /// <param name="model">A published model.</param>
    /// <returns>Full path.</returns>
    public string PathOf(PublishedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Path.Combine(Path.GetFullPath(folder), "models", model.FileName);
    }

    /// <summary>The address of a model's file on a mirror: the mirror's, then the original host and path, as <c>wget -x</c> lays files out.</summary>
    /// <param name="url">The published address.</param>
    /// <param name="mirror">The mirror's base address; null for none.</param>
    /// <returns>Where to ask.</returns>
    /// <exception cref="ConfigException">The mirror isn't an http or https address.</exception>
    public static Uri OnMirror(Uri url, string? mirror)
    {
        ArgumentNullException.ThrowIfNull(url);
        if (string.IsNullOrEmpty(mirror))
        {
            return url;
        }

        return Uri.TryCreate(mirror.TrimEnd('/') + "/", UriKind.Absolute, out Uri? root) && root.Scheme is "http" or "https"
            ? new Uri(root, url.Host + url.AbsolutePath)
            : throw new ConfigException($"mirror (KINORA_MIRROR): expected an address that begins with http:// or https://, found '{mirror}'");
    }

    /// <summary>Fetches a model's file, unless it is there already.</summary>
    /// <param name="model">A published model.</param>
    /// <param name="url">Another address than the published one; null for that.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops it; what is there stays for the next time.</param>
    /// <returns>The file.</returns>
    /// <exception cref="DownloadException">Network, server, disk, checksum, or not a file of weights.</exception>
    public Task<DownloadedFile> DownloadAsync(PublishedModel model, Uri? url = null, IProgress<DownloadProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return downloader.DownloadAsync(url ?? model.Url, PathOf(model), model.Sha256, RequirePickle, progress, ct);
    }

    /// <summary>Takes a model's file that came to this machine in another way.</summary>
    /// <param name="model">A published model.</param>
    /// <param name="file">The file; it stays where it is.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>The copy in the cache folder.</returns>
    /// <exception cref="DownloadException">Disk, checksum, or not a file of weights.</exception>
    public Task<DownloadedFile> CopyAsync(PublishedModel model, string file, IProgress<DownloadProgress>? progress = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return downloader.CopyAsync(file, PathOf(model), model.Sha256, RequirePickle, progress, ct);
    }

    // The checksum recorded at the first pull is worth something only if the file is one of weights: a pickle of protocol 2
    // to 5 begins with the opcode PROTO and ends with STOP.
    private static void RequirePickle(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        int first = file.ReadByte(), second = file.ReadByte();
        file.Seek(-Math.Min(1, file.Length), SeekOrigin.End);
        if (first != 0x80 || second is < 2 or > 5 || file.ReadByte() != '.')
        {
            throw new DownloadException(
                $"weights: expected a .pdparams file of PaddlePaddle (a pickle of protocol 2 to 5), found {file.Length} bytes of something else; is the address right?", null, path);
        }
    }
}

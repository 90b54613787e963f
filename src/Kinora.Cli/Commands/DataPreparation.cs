using System.CommandLine;
using Kinora.Cli.Terminal;
using Kinora.Data;
using Kinora.Paddle;

namespace Kinora.Cli.Commands;

/// <summary>What the commands that prepare public data sets have in common: archives from the network, and the report.</summary>
internal sealed class DataPreparation
{
    // Longest list of missing clips on the console; missing.txt has all.
    private const int Shown = 5;

    private readonly Option<string[]> _urls = new("--url") { Description = "An archive (zip, tar, tar.gz) to fetch into the source folder and unpack there; may be given several times.", HelpName = "address" };
    private readonly Option<string[]> _hashes = new("--sha256") { Description = "The checksum of each archive, in the same order.", HelpName = "hex" };

    /// <summary>The folder with the data.</summary>
    public Argument<DirectoryInfo> Source { get; } = new("src") { Description = "The folder with videos and official split files; with --url it is made." };

    /// <summary>The folder for the lists.</summary>
    public Argument<DirectoryInfo> Target { get; } = new("out") { Description = "The folder for the lists." };

    /// <summary>Adds arguments and options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(Command command)
    {
        command.Add(Source);
        command.Add(Target);
        command.Add(_urls);
        command.Add(_hashes);
    }

    /// <summary>Fetches and unpacks what the command line names.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="output">The command's streams.</param>
    /// <param name="ct">Stops; a later run goes on.</param>
    public async Task FetchAsync(ParseResult parsed, Output output, CancellationToken ct)
    {
        string[] urls = parsed.GetValue(_urls) ?? [], hashes = parsed.GetValue(_hashes) ?? [];
        if (hashes.Length > 0 && hashes.Length != urls.Length)
        {
            throw new ConfigException($"--sha256: expected one for each of {urls.Length} addresses, found {hashes.Length}");
        }

        string source = Path.GetFullPath(parsed.GetValue(Source)!.ToString());
        using var downloader = new FileDownloader(new DownloadOptions { OtherWay = "unpack it into the source folder yourself and leave out --url" });
        for (int i = 0; i < urls.Length; i++)
        {
            Uri url = Uri.TryCreate(urls[i], UriKind.Absolute, out Uri? address)
                ? address
                : throw new ConfigException($"--url: expected an address that begins with http:// or https://, found '{urls[i]}'");
            string name = Path.GetFileName(url.LocalPath) is { Length: > 0 } last ? last : "archive";
            string archive = Path.Combine(source, ".downloads", name), done = archive + ".unpacked";
            DownloadedFile file = await ByteView.FollowAsync(
                output, name, progress => downloader.DownloadAsync(url, archive, hashes.Length > 0 ? hashes[i] : null, progress: progress, ct: ct)).ConfigureAwait(false);
            if (!File.Exists(done) || await File.ReadAllTextAsync(done, ct).ConfigureAwait(false) != file.Sha256)
            {
                int files = ArchiveUnpacker.Unpack(archive, source, ct);
                AtomicFile.WriteText(done, file.Sha256);
                output.Note($"{name}: {files} files");
            }
        }
    }

    /// <summary>Says what was written and what is missing.</summary>
    /// <param name="output">The command's streams.</param>
    /// <param name="report">What came of it.</param>
    /// <param name="target">The folder with the lists.</param>
    /// <returns>The exit code: a failure where clips are missing.</returns>
    public static int Print(Output output, PreparationReport report, string target)
    {
        output.Out.WriteLine($"videos: {report.Videos}, {report.Classes} classes");
        foreach (PreparedList list in report.Lists)
        {
            output.Out.WriteLine($"{list.Path}: {list.Clips} of {list.Official} clips");
        }

        if (report.Unlisted > 0)
        {
            output.Note($"{report.Unlisted} videos are in no official list and were left out");
        }

        if (report.Missing.Count == 0)
        {
            return ExitCode.Success;
        }

        string few = string.Join(", ", report.Missing.Take(Shown)) + (report.Missing.Count > Shown ? " …" : "");
        output.Error($"{report.Missing.Count} clips of the official lists aren't there, so results aren't comparable with published ones: {few}; all in {Path.Combine(target, "missing.txt")}");
        return ExitCode.Failure;
    }
}

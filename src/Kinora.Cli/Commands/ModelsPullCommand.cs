using System.CommandLine;
using System.Text.Json;
using Kinora.Cli.Terminal;
using Kinora.Paddle;

namespace Kinora.Cli.Commands;

/// <summary><c>kinora models pull</c>: fetches weights that PaddleVideo's authors published, or lists what there is.</summary>
internal static class ModelsPullCommand
{
    /// <summary>The environment variable with the base address of a mirror.</summary>
    private const string Mirror = "KINORA_MIRROR";

    /// <summary>Makes the command.</summary>
    /// <param name="output">Where text goes.</param>
    /// <param name="conversion">What becomes of a pulled file; null leaves it at the file.</param>
    public static Command Create(Output output, PulledModelConversion? conversion = null)
    {
        Argument<string?> name = new("name") { Description = "Which; without a name, all are listed.", Arity = ArgumentArity.ZeroOrOne };
        Option<string?> from = new("--from") { Description = "A file that came to this machine in another way, in place of the network.", HelpName = "file" };
        Option<string?> url = new("--url") { Description = $"Another address of the file; the environment's {Mirror} is one for all files.", HelpName = "address" };
        Option<bool> json = new("--json") { Description = "Print the answer as JSON." };
        Command command = new ExampleCommand(
            "pull",
            "Fetches weights that PaddleVideo's authors published, resuming where an earlier try ended, and checks them by SHA-256.\n"
            + "They are kept in $KINORA_CACHE, else in the user's cache folder.",
            "models pull", "models pull pptsm_k400_uniform_distill", "models pull tsm_k400 --from /media/stick/TSM_k400.pdparams")
        {
            name, from, url, json,
        };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(name) is not { } wanted)
            {
                List(output, parsed.GetValue(json));
                return ExitCode.Success;
            }

            PublishedModel model = PublishedModels.Find(wanted);
            using var downloader = new FileDownloader();
            var pull = new ModelPull(CacheFolder.Find(), downloader);
            Uri source = parsed.GetValue(url) is { } own ? Address(own) : ModelPull.OnMirror(model.Url, Environment.GetEnvironmentVariable(Mirror));
            DownloadedFile file = await ByteView.FollowAsync(output, model.Name, progress => parsed.GetValue(from) is { } local
                ? pull.CopyAsync(model, local, progress, ct)
                : pull.DownloadAsync(model, source, progress, ct)).ConfigureAwait(false);
            IReadOnlyList<string> converted = conversion?.Invoke(model, file, ct) ?? [];
            Print(output, parsed.GetValue(json), model, file, converted);
            return ExitCode.Success;
        });
        return command;
    }

    private static Uri Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
        ? address
        : throw new ConfigException($"--url: expected an address that begins with http:// or https://, found '{text}'");

    private static void List(Output output, bool asJson)
    {
        if (asJson)
        {
            PullableModel[] all = [.. PublishedModels.Entries.Select(e => new PullableModel(
                e.Name, e.Title, e.Use.ToString().ToLowerInvariant(), e.Architecture, e.Options?.Classes, e.Options?.Frames, e.Url.AbsoluteUri,
                e.Accuracy?.Data, e.Accuracy?.Top1, e.Accuracy?.Top5, e.Accuracy?.Views, e.Accuracy?.Source))];
            output.Out.WriteLine(JsonSerializer.Serialize(all, ModelsPullJson.Default.PullableModelArray));
            return;
        }

        int width = PublishedModels.Entries.Max(e => e.Name.Length), network = PublishedModels.Entries.Max(e => e.Architecture.Length);
        int data = PublishedModels.Entries.Max(e => e.Accuracy?.Data.Length ?? 0);
        foreach (PublishedModel entry in PublishedModels.Entries)
        {
            string accuracy = entry.Accuracy is { } a ? FormattableString.Invariant($"{a.Top1:0.00} % {a.Data.PadRight(data)}") : "a start for training".PadRight(data + 8);
            string frames = entry.Options is { } o ? $"{o.Frames,2} frames" : "";
            output.Out.WriteLine($"{output.Paint(entry.Name.PadRight(width), "1")}  {entry.Architecture.PadRight(network)}  {frames,9}  {accuracy}  {entry.Title}");
        }

        output.Out.WriteLine();
        output.Out.WriteLine($"Top-1 as published. All weights: PaddleVideo's authors, {PublishedModels.Licence}. Fetch one: kinora models pull NAME");
    }

    private static void Print(Output output, bool asJson, PublishedModel model, DownloadedFile file, IReadOnlyList<string> converted)
    {
        if (asJson)
        {
            output.Out.WriteLine(JsonSerializer.Serialize(
                new PulledModel(model.Name, file.Path, file.Bytes, file.Sha256, file.WasChecked ? "checked" : "recorded", file.Origin.ToString().ToLowerInvariant(), converted),
                ModelsPullJson.Default.PulledModel));
            return;
        }

        string origin = file.Origin switch
        {
            DownloadOrigin.Cached => "was there already",
            DownloadOrigin.Downloaded => "downloaded",
            DownloadOrigin.Resumed => "downloaded, from where an earlier try ended",
            _ => "copied",
        };
        output.Out.WriteLine(FormattableString.Invariant($"{file.Path}  {file.Bytes / 1e6:0.0} MB, {origin}"));
        output.Out.WriteLine($"SHA-256 {file.Sha256}, {(file.WasChecked ? "as recorded before" : "recorded for later pulls")}");
        foreach (string line in converted)
        {
            output.Out.WriteLine(line);
        }
    }
}

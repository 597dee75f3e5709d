using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Definition;

namespace Cloister.Cli.Verbs;

internal static class ImageNewVerb
{
    private static readonly Argument<string> Folder = new("folder") { Description = "The folder of the new image; its last part is the image's name." };
    private static readonly Option<string?> Program = new("--program") { Description = "A program on this machine that is copied in and started; without one, BusyBox's date." };

    public static Command Create() => new Verb("new", "Write one readable image.yaml that builds as it is.",
        "cloister image new hello",
        "cloister image new server --program ./server") { Folder, Program }
        .Runs(WriteAsync);

    private static async Task WriteAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string folder = parsed.GetRequiredValue(Folder);
        string path = Path.Combine(folder, NewDefinition.FileName);
        if (Path.Exists(path))
            throw new CommandException(ExitCode.BadInput, $"'{path}' exists and is never overwritten. Name another folder, or edit it.");
        string text = NewDefinition.Write(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), parsed.GetValue(Program));
        await LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), cancellation);
        screen.Result($"wrote '{path}'\nnext: cloister image build {folder}", new JsonObject { ["file"] = path });
    }
}

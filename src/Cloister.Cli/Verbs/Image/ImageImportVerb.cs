using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Definition;
using Cloister.Images.Sources;

namespace Cloister.Cli.Verbs;

internal static class ImageImportVerb
{
    private static readonly Argument<string> Source = new("source") { Description = "An OCI or docker-save archive, a directory with a root, or a list of Debian packages: debian:redis-server,python3." };
    private static readonly Argument<string> Folder = new("folder") { Description = "The folder of the new image." };
    private static readonly Argument<string[]> Command = new("command") { Description = "After --: what starts, the program's path inside and its arguments. An archive says it itself.", Arity = ArgumentArity.ZeroOrMore };

    public static Command Create() => new Verb("import", "Write an image.yaml for a container image, a directory or Debian packages, which run unmodified.",
        "cloister image import redis.tar redis",
        "cloister image import rootfs server -- /usr/bin/server --port 8080",
        "cloister image import debian:redis-server redis -- /usr/bin/redis-server --port 6379") { Source, Folder, Command }
        .Runs(ImportAsync);

    private static async Task ImportAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string folder = parsed.GetRequiredValue(Folder), path = Path.Combine(folder, NewDefinition.FileName);
        ImportedSource source = await ImportedSource.ReadAsync(parsed.GetRequiredValue(Source), parsed.GetValue(Command) ?? [], cancellation);
        string text = NewDefinition.Write(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), source);
        if (Path.Exists(path))
            throw new CommandException(ExitCode.BadInput, $"'{path}' exists and is never overwritten. What it could say:\n\n{text}");
        await LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), cancellation);
        foreach (string note in source.Notes)
            screen.Note(note);
        screen.Result($"wrote '{path}': it starts {string.Join(' ', source.Entry.Command)}\nnext: cloister image build {folder}",
            new JsonObject { ["file"] = path, ["command"] = new JsonArray([.. source.Entry.Command.Select(word => (JsonNode)word)]), ["notes"] = new JsonArray([.. source.Notes.Select(note => (JsonNode)note)]) });
    }
}

using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Images.Build;

namespace Cloister.Cli.Verbs;

internal static class ImagePackageVerb
{
    private static readonly Argument<string> Image = new("image") { Description = "A built image's folder." };
    private static readonly Argument<string?> Package = new("package") { Description = "The tar to write; if it is not given, the image's name with .tar.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> Disk = new("--disk") { Description = "Add a disk to boot from, for machines that start from a disk." };

    public static Command Create() => new Verb("package", "Put an image into one tar, to be carried. Equal images give equal packages; the other image verbs take it as they take the folder.",
        "cloister image package hello/image",
        "cloister image package hello/image hello.tar --disk") { Image, Package, Disk }
        .Runs(async (parsed, screen, cancellation) =>
        {
            ImageFolder image = ImageFolder.Open(parsed.GetRequiredValue(Image));
            string path = parsed.GetValue(Package) ?? image.Definition.Name + ".tar";
            await screen.ProgressAsync("package", 0, async _ =>
            {
                await ImagePackage.WriteAsync(image, path, parsed.GetValue(Disk), cancellation);
                return true;
            });
            long bytes = new FileInfo(path).Length;
            screen.Result($"wrote '{path}', {bytes / 1048576.0:0.0} MiB", new JsonObject { ["file"] = path, ["bytes"] = bytes });
        });
}

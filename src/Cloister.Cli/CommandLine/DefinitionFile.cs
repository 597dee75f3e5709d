using Cloister.Images;
using Cloister.Images.Definition;

namespace Cloister.Cli.CommandLine;

/// <summary>An image's definition on disk: <c>image.yaml</c> in a folder, or a file that is named.</summary>
internal static class DefinitionFile
{
    /// <summary>Reads a definition; relative paths in it begin in the folder that is returned with it.</summary>
    public static async Task<(ImageDefinition Definition, string Folder)> ReadAsync(string path, CancellationToken cancellation)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, NewDefinition.FileName) : path;
        if (!File.Exists(file))
            throw new CommandException(ExitCode.BadInput, $"'{file}' is not there. Write one: cloister image new {path}");
        byte[] bytes = await LocalFile.ReadAsync(file, cancellation, ImageDefinitionReader.MaximumSize);
        try
        {
            return (ImageDefinitionReader.Read(YamlDocument.ToJson(bytes)), Path.GetDirectoryName(Path.GetFullPath(file))!);
        }
        catch (FormatException malformed)
        {
            throw new CommandException(ExitCode.BadInput, $"'{file}': {malformed.Message}", malformed);
        }
        catch (ImageException refused)
        {
            throw new ImageException(refused.Error, $"'{file}':\n{refused.Message}", refused);
        }
    }
}

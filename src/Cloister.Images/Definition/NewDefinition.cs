using System.Text;
using System.Text.Json;

namespace Cloister.Images.Definition;

/// <summary>The text of a new <c>image.yaml</c>: readable, commented, and it builds as it is.</summary>
public static class NewDefinition
{
    /// <summary>A definition's name in its folder.</summary>
    public const string FileName = "image.yaml";

    private const string Template = """
        # What this machine is. All of it is measured: what is not stated here is not allowed inside.
        name: $name
        product: 1          # which product it is
        version: 1          # its security version; raise it with every fix
        debug: false        # true lets whoever runs it look inside, and changes the measurement

        machine:
          memory: 512       # MiB
          cpus: 1

        start: $name        # the entry point that starts with the machine; without this line it waits to be asked
        entries:            # the programs that may be started; there is no other way in
          $name:
            command: $command
            arguments: false            # true: whoever starts it may append arguments
            directory: $directory
            user: $user
            environment: $environment
            allowedEnvironment: []      # variables that whoever starts it may set

        files:              # what the read-only root holds, later over earlier
        $files
          # - directory: rootfs           # a folder or file beside this one: modes stay, owners become root
          #   to: /
          # - packages: [redis-server]    # Debian packages, with all that they depend on
          # - archive: container.tar      # an OCI or docker-save archive; cloister image import writes a whole image.yaml of one

        network:
          listen: []        # TCP ports that are open; everything else is dropped, inbound and outbound
          connect: []       # where programs may connect to: an IPv4 address and port, or coordinator

        mounts: []          # memory that can be written, empty at every start: - { path: /var/lib/data, size: 64 }
        disks: []           # folders that are kept, sealed: - { name: data, path: /data, size: 64, key: "file:/keys/data" }
        console: programs   # what leaves through console and log: none, lifecycle, programs

        """;

    /// <summary>Writes the text.</summary>
    /// <param name="folder">The last part of the folder's path, of which the image's name is made.</param>
    /// <param name="program">A program on this machine that is copied in; null: BusyBox's <c>date</c>.</param>
    /// <exception cref="ImageException"><see cref="ImageError.SourceUnreadable"/>: the program is no file.</exception>
    public static string Write(string folder, string? program)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (program is null)
            return Fill(folder, new EntryPoint { Command = ["/bin/busybox", "date"] }, "  - packages: [busybox-static]     # Debian packages, with all that they depend on");
        if (!File.Exists(program)) throw new ImageException(ImageError.SourceUnreadable, $"'{program}' is not a file.");
        string place = "/opt/" + Path.GetFileName(program);
        return Fill(folder, new EntryPoint { Command = [place] },
            $"""
              - packages: [libc6]     # what the program is linked with
              - directory: {Quote(Path.GetFullPath(program))}
                to: {Quote(place)}
            """);
    }

    /// <summary>Writes the text for what an archive says of itself.</summary>
    /// <param name="folder">The last part of the folder's path.</param>
    /// <param name="entry">The entry point that the archive asks for.</param>
    /// <param name="archive">The archive's path, as the definition names it.</param>
    public static string WriteForArchive(string folder, EntryPoint entry, string archive)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(entry);
        return Fill(folder, entry, $"  - archive: {Quote(archive)}");
    }

    private static string Fill(string folder, EntryPoint entry, string files)
    {
        string environment = entry.Environment.IsEmpty ? "{}" : string.Concat(entry.Environment.Select(one => $"\n      {one.Key}: {Quote(one.Value)}"));
        return Template
            .Replace("$name", Name(folder), StringComparison.Ordinal)
            .Replace("$command", $"[{string.Join(", ", entry.Command.Select(Quote))}]", StringComparison.Ordinal)
            .Replace("$directory", Quote(entry.Directory), StringComparison.Ordinal)
            .Replace("$user", $"{entry.User}{(entry.User == 0 ? "                     # root: only with debug: true" : "")}", StringComparison.Ordinal)
            .Replace("$environment", environment, StringComparison.Ordinal)
            .Replace("$files", files, StringComparison.Ordinal);
    }

    private static string Name(string folder)
    {
        var name = new StringBuilder();
        foreach (char one in folder.ToLowerInvariant())
            name.Append(char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one) ? one : '-');
        string trimmed = name.ToString().Trim('-');
        return trimmed.Length == 0 ? "image" : trimmed[..Math.Min(trimmed.Length, 32)];
    }

    // JSON's way to quote a text is YAML's as well; what needs no quotes has none.
    private static string Quote(string text) =>
        text.Length > 1 && text.All(one => char.IsAsciiLetterOrDigit(one) || one is '/' or '.' or '-' or '_' or '+') && (text[0] == '/' || char.IsAsciiLetter(text[0])) && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off")
            ? text
            : $"\"{JsonEncodedText.Encode(text)}\"";
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Cloister.Images.Sources;

namespace Cloister.Images.Definition;

/// <summary>The text of a new <c>image.yaml</c>: readable, commented, and it builds as it is.</summary>
public static class NewDefinition
{
    /// <summary>A definition's name in its folder.</summary>
    public const string FileName = "image.yaml";

    private const int VolumeSize = 64, MaximumName = 32;

    /// <summary>Writes the text.</summary>
    /// <param name="folder">The last part of the folder's path, of which the image's name is made.</param>
    /// <param name="program">A program on this machine that is copied in; null: BusyBox's <c>date</c>.</param>
    /// <exception cref="ImageException"><see cref="ImageError.SourceUnreadable"/>: the program is no file.</exception>
    public static string Write(string folder, string? program)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (program is null)
            return Write(folder, new EntryPoint { Command = ["/bin/busybox", "date"] }, [new FileSource { Packages = ["busybox-static"] }], [], []);
        if (!File.Exists(program)) throw new ImageException(ImageError.SourceUnreadable, $"'{program}' is not a file.");
        string place = "/opt/" + Path.GetFileName(program);
        // What most programs are linked with.
        return Write(folder, new EntryPoint { Command = [place] }, [new FileSource { Packages = ["libc6"] }, new FileSource { Directory = Path.GetFullPath(program), To = place }], [], []);
    }

    /// <summary>Writes the text for something that is imported.</summary>
    /// <param name="folder">The last part of the folder's path, of which the image's name is made.</param>
    /// <param name="source">What is imported.</param>
    public static string Write(string folder, ImportedSource source)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(source);
        return Write(folder, source.Entry, [source.Files], source.Ports, source.Volumes);
    }

    private static string Write(string folder, EntryPoint entry, FileSource[] sources, IEnumerable<int> ports, IReadOnlyCollection<string> volumes)
    {
        string name = Name(folder);
        string environment = entry.Environment.IsEmpty ? " {}" : string.Concat(entry.Environment.Select(one => $"\n      {one.Key}: {Quote(one.Value)}"));
        string mounts = volumes.Count == 0 ? " []" : "";
        return $$"""
            # What this machine is. All of it is measured: what is not stated here is not allowed inside.
            name: {{name}}
            product: 1          # which product it is
            version: 1          # its security version; raise it with every fix
            debug: false        # true lets whoever runs it look inside, and changes the measurement

            machine:
              memory: {{512 + volumes.Count * VolumeSize}}       # MiB
              cpus: 1

            start: {{name}}        # the entry point that starts with the machine; without this line it waits to be asked
            entries:            # the programs that may be started; there is no other way in
              {{name}}:
                command: [{{string.Join(", ", entry.Command.Select(Quote))}}]
                arguments: false            # true: whoever starts it may append arguments
                directory: {{Quote(entry.Directory)}}
                user: {{entry.User}}                  # never 0
                environment:{{environment}}
                allowedEnvironment: []      # variables that whoever starts it may set

            files:              # what the read-only root holds, later over earlier
            {{string.Join('\n', sources.Select(Source))}}
              # - directory: rootfs           # a folder or file beside this one: modes stay, owners become root
              #   to: /
              # - packages: [python3]         # Debian packages, with all that they depend on
              # - archive: container.tar      # an OCI or docker-save archive

            network:
              listen: [{{string.Join(", ", ports.Select(port => port.ToString(CultureInfo.InvariantCulture)))}}]        # TCP ports that are open; everything else is dropped, inbound and outbound
              connect: []       # where programs may connect to: an IPv4 address and port, or coordinator

            mounts:{{mounts}}          # memory that can be written, empty at every start: - { path: /var/lib/data, size: 64 }
            {{string.Concat(volumes.Select(volume => $"  - {{ path: {Quote(volume)}, size: {VolumeSize}, user: {entry.User} }}\n"))}}disks: []           # folders that are kept, sealed: - { name: data, path: /data, size: 64, key: "file:/keys/data" }
            console: programs   # what leaves through console and log: none, lifecycle, programs

            """;
    }

    private static string Source(FileSource source)
    {
        string what = source switch
        {
            { Directory: { } directory } => $"directory: {Quote(directory)}",
            { Archive: { } archive } => $"archive: {Quote(archive)}",
            _ => $"packages: [{string.Join(", ", source.Packages.Select(Quote))}]",
        };
        return source.To == "/" ? $"  - {what}" : $"  - {what}\n    to: {Quote(source.To)}";
    }

    private static string Name(string folder)
    {
        var name = new StringBuilder();
        foreach (char one in folder.ToLowerInvariant())
            name.Append(char.IsAsciiLetterLower(one) || char.IsAsciiDigit(one) ? one : '-');
        string trimmed = name.ToString().Trim('-');
        return trimmed.Length == 0 ? "image" : trimmed[..Math.Min(trimmed.Length, MaximumName)];
    }

    // JSON's way to quote a text is YAML's as well; what is plainly a path or a name has no quotes.
    private static string Quote(string text)
    {
        bool plain = text.Length > 1 && (text[0] == '/' || char.IsAsciiLetter(text[0])) && text.All(one => char.IsAsciiLetterOrDigit(one) || one is '/' or '.' or '-' or '_' or '+');
        return plain && text is not ("true" or "false" or "null" or "yes" or "no" or "on" or "off") ? text : $"\"{JsonEncodedText.Encode(text)}\"";
    }
}

using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Images;

/// <summary>Writes a definition as canonical JSON: every member, in one order, no white space, so that equal definitions are equal bytes.</summary>
public static class ImageDefinitionJson
{
    /// <summary>Writes a definition. <see cref="ImageDefinitionReader.Read"/> gives it back.</summary>
    public static byte[] Write(ImageDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteString("name", definition.Name);
            writer.WriteNumber("product", definition.Product);
            writer.WriteNumber("version", definition.Version);
            writer.WriteBoolean("debug", definition.Debug);
            writer.WriteStartObject("machine");
            writer.WriteNumber("memory", definition.Machine.Memory);
            writer.WriteNumber("cpus", definition.Machine.Cpus);
            writer.WriteEndObject();
            writer.WriteString("start", definition.Start);
            writer.WriteStartObject("entries");
            foreach ((string name, EntryPoint entry) in definition.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                WriteEntry(writer, name, entry);
            writer.WriteEndObject();
            WriteList(writer, "files", definition.Files, WriteSource);
            WriteNetwork(writer, definition.Network);
            WriteList(writer, "mounts", definition.Mounts, WriteMount);
            WriteList(writer, "disks", definition.Disks, WriteDisk);
            writer.WriteString("console", Word(definition.Console));
            writer.WriteString("coordinatorPolicy", definition.CoordinatorPolicy);
            writer.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>How a value of an enumeration stands in a definition: its name, beginning with a small letter.</summary>
    internal static string Word<T>(T value)
        where T : struct, Enum
    {
        string name = value.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private static void WriteEntry(Utf8JsonWriter writer, string name, EntryPoint entry)
    {
        writer.WriteStartObject(name);
        WriteTexts(writer, "command", entry.Command);
        writer.WriteBoolean("arguments", entry.Arguments);
        writer.WriteString("directory", entry.Directory);
        writer.WriteNumber("user", entry.User);
        writer.WriteStartObject("environment");
        foreach ((string variable, string value) in entry.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
            writer.WriteString(variable, value);
        writer.WriteEndObject();
        WriteTexts(writer, "allowedEnvironment", entry.AllowedEnvironment);
        writer.WriteString("marble", entry.Marble);
        writer.WriteString("activation", Word(entry.Activation));
        writer.WriteBoolean("tpm", entry.Tpm);
        writer.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter writer, FileSource source)
    {
        if (source.Directory is { } directory) writer.WriteString("directory", directory);
        if (source.Packages.Length > 0) WriteTexts(writer, "packages", source.Packages);
        if (source.Without.Length > 0) WriteTexts(writer, "without", source.Without);
        if (source.Archive is { } archive) writer.WriteString("archive", archive);
        if (source.Programs is { } programs) writer.WriteString("programs", programs);
        writer.WriteString("to", source.To);
    }

    private static void WriteNetwork(Utf8JsonWriter writer, NetworkRules network)
    {
        writer.WriteStartObject("network");
        writer.WriteStartArray("listen");
        foreach (int port in network.Listen)
            writer.WriteNumberValue(port);
        writer.WriteEndArray();
        WriteTexts(writer, "connect", network.Connect);
        writer.WriteString("address", network.Address);
        writer.WriteString("gateway", network.Gateway);
        writer.WriteEndObject();
    }

    private static void WriteMount(Utf8JsonWriter writer, MemoryMount mount)
    {
        writer.WriteString("path", mount.Path);
        writer.WriteNumber("size", mount.Size);
        writer.WriteNumber("user", mount.User);
    }

    private static void WriteDisk(Utf8JsonWriter writer, DataDisk disk)
    {
        writer.WriteString("name", disk.Name);
        writer.WriteString("path", disk.Path);
        writer.WriteNumber("size", disk.Size);
        writer.WriteString("key", disk.Key);
        writer.WriteNumber("user", disk.User);
        writer.WriteNumber("commit", disk.Commit);
        writer.WriteString("scope", Word(disk.Scope));
    }

    private static void WriteList<T>(Utf8JsonWriter writer, string name, ImmutableArray<T> items, Action<Utf8JsonWriter, T> write)
    {
        writer.WriteStartArray(name);
        foreach (T item in items)
        {
            writer.WriteStartObject();
            write(writer, item);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter writer, string name, ImmutableArray<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (string text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Images.Volumes;
using Cloister.Images.Definition;

namespace Cloister.Images;

/// <summary>Reads a definition from JSON (docs/formats/image-definition.md). What it does not know, it refuses; what it returns has been checked.</summary>
public static class ImageDefinitionReader
{
    /// <summary>Most bytes of a definition.</summary>
    public const int MaximumSize = 1 << 20;

    private const int MaximumDepth = 16, MaximumMemory = 1 << 20, MaximumCpus = 64, MaximumUser = 65534, MaximumNumber = 65535;

    /// <summary>Reads a definition.</summary>
    /// <param name="json">UTF-8 JSON, at most <see cref="MaximumSize"/> bytes: the author's <c>image.yaml</c> as JSON, or an image's <c>image.json</c>.</param>
    /// <exception cref="ImageException"><see cref="ImageError.DefinitionInvalid"/> or <see cref="ImageError.MemoryTooSmall"/>; the message names the member.</exception>
    public static ImageDefinition Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumSize) throw DefinitionMembers.Refuse("the definition", $"has more than {MaximumSize} bytes");
        ImageDefinition definition;
        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = MaximumDepth });
            definition = ReadRoot(document.RootElement);
        }
        catch (JsonException malformed)
        {
            throw new ImageException(ImageError.DefinitionInvalid, $"the definition is not JSON: {malformed.Message}", malformed);
        }
        catch (InvalidOperationException malformed)
        {
            // A text with half a surrogate pair is found only when it is taken out.
            throw new ImageException(ImageError.DefinitionInvalid, "a text in the definition is not Unicode.", malformed);
        }
        DefinitionChecks.Check(definition);
        return definition;
    }

    /// <summary>Fuzz target: any bytes give a definition or a refusal, and an accepted definition is the same after it was written and read.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            byte[] written = ImageDefinitionJson.Write(Read(bytes));
            if (!written.AsSpan().SequenceEqual(ImageDefinitionJson.Write(Read(written))))
                throw new InvalidOperationException("A definition changed when it was written and read.");
        }
        catch (ImageException)
        {
            return;
        }
    }

    private static ImageDefinition ReadRoot(JsonElement root)
    {
        var members = new DefinitionMembers(root, "", "name", "product", "version", "debug", "machine", "start", "entries", "files", "network", "mounts", "disks", "console", "coordinatorPolicy");
        return new ImageDefinition
        {
            Name = members.Text("name") ?? throw DefinitionMembers.Refuse("name", "is missing"),
            Product = members.Number("product", 0, 0, MaximumNumber),
            Version = members.Number("version", 0, 0, MaximumNumber),
            Debug = members.Flag("debug", false),
            Machine = members.Element("machine") is { } machine ? ReadMachine(machine, "machine") : new(),
            Start = members.Text("start"),
            Entries = members.Map("entries", ReadEntry),
            Files = members.List("files", ReadSource),
            Network = members.Element("network") is { } network ? ReadNetwork(network, "network") : new(),
            Mounts = members.List("mounts", ReadMount),
            Disks = members.List("disks", ReadDisk),
            Console = members.Word("console", ConsoleOutput.Lifecycle),
            CoordinatorPolicy = members.Text("coordinatorPolicy"),
        };
    }

    private static MachineSize ReadMachine(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "memory", "cpus");
        var standard = new MachineSize();
        return new MachineSize(members.Number("memory", standard.Memory, 1, MaximumMemory), members.Number("cpus", standard.Cpus, 1, MaximumCpus));
    }

    private static EntryPoint ReadEntry(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "command", "arguments", "directory", "user", "environment", "allowedEnvironment", "marble", "activation", "tpm");
        ImmutableArray<string> command = members.Texts("command");
        var standard = new EntryPoint { Command = command };
        return standard with
        {
            Arguments = members.Flag("arguments", standard.Arguments),
            Directory = members.Text("directory") ?? standard.Directory,
            User = members.Number("user", standard.User, 0, MaximumUser),
            Environment = members.Map("environment", DefinitionMembers.TextOf),
            AllowedEnvironment = members.Texts("allowedEnvironment"),
            Marble = members.Text("marble"),
            Activation = members.Word("activation", standard.Activation),
            Tpm = members.Flag("tpm", standard.Tpm),
        };
    }

    private static FileSource ReadSource(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "directory", "packages", "without", "archive", "programs", "to");
        var source = new FileSource
        {
            Directory = members.Text("directory"),
            Packages = members.Texts("packages"),
            Without = members.Texts("without"),
            Archive = members.Text("archive"),
            Programs = members.Text("programs"),
        };
        return source with { To = members.Text("to") ?? (source.Programs is { } programs ? $"/opt/{programs}" : "/") };
    }

    private static NetworkRules ReadNetwork(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "listen", "connect", "address", "gateway");
        var standard = new NetworkRules();
        return new NetworkRules
        {
            Listen = members.List("listen", (port, where) => DefinitionMembers.NumberOf(port, where, 1, MaximumNumber)),
            Connect = members.Texts("connect"),
            Address = members.Text("address") ?? standard.Address,
            Gateway = members.Text("gateway") ?? standard.Gateway,
        };
    }

    private static MemoryMount ReadMount(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "path", "size", "user");
        var standard = new MemoryMount("");
        return new MemoryMount(
            members.Text("path") ?? throw DefinitionMembers.Refuse($"{at}.path", "is missing"),
            members.Number("size", standard.Size, 1, MaximumMemory),
            members.Number("user", standard.User, 0, MaximumUser));
    }

    private static DataDisk ReadDisk(JsonElement value, string at)
    {
        var members = new DefinitionMembers(value, at, "name", "path", "size", "key", "user", "commit", "scope");
        string Needed(string name) => members.Text(name) ?? throw DefinitionMembers.Refuse($"{at}.{name}", "is missing");
        if (members.Element("size") is null) throw DefinitionMembers.Refuse($"{at}.size", "is missing: MiB of content");
        var standard = new DataDisk("", "", 0, "");
        return standard with
        {
            Name = Needed("name"),
            Path = Needed("path"),
            Size = members.Number("size", 0, DiskLayout.MinSize, DiskLayout.MaxSize),
            Key = Needed("key"),
            User = members.Number("user", standard.User, 0, MaximumUser),
            Commit = members.Number("commit", standard.Commit, 0, DataDisk.LongestCommit),
            Scope = members.Word("scope", standard.Scope),
        };
    }
}

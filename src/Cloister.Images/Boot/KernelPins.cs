using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Images.Boot;

/// <summary>A Debian package of one version, whose file has one digest.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Sha256">SHA-256 of the .deb file, lower-case hexadecimal.</param>
public sealed record PinnedPackage(string Name, string Version, string Sha256)
{
    /// <summary>The file's name. An epoch's colon is not part of it.</summary>
    internal string File => $"{Name}_{Version[(Version.IndexOf(':', StringComparison.Ordinal) + 1)..]}_amd64.deb";
}

/// <summary>The kernel, the stub and the agent's libraries that images are made of, with their digests: part of this program, so that every build of one version takes the same.</summary>
internal sealed record KernelPins
{
    public required ImmutableArray<PinnedPackage> Packages { get; init; }

    /// <summary>The kernel's place in its package.</summary>
    public required string Kernel { get; init; }

    public required string KernelSha256 { get; init; }

    /// <summary>The stub's place in its package.</summary>
    public required string Stub { get; init; }

    public required string StubSha256 { get; init; }

    /// <summary>The modules' folder in the kernel's package.</summary>
    public required string Modules { get; init; }

    /// <summary>Digest of the modules that images load, one behind another in their order.</summary>
    public required string ModulesSha256 { get; init; }

    /// <summary>The agent's shared libraries, in their packages.</summary>
    public required ImmutableArray<string> Libraries { get; init; }

    /// <summary>Digest of the libraries, one behind another in their order.</summary>
    public required string LibrariesSha256 { get; init; }

    /// <summary>A name for what these pins lead to.</summary>
    public string Name => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{KernelSha256} {StubSha256} {ModulesSha256} {LibrariesSha256}")))[..32];

    /// <summary>The pins of this version.</summary>
    public static KernelPins Read()
    {
        using Stream stream = typeof(KernelPins).Assembly.GetManifestResourceStream("Cloister.Images.Boot.kernel-packages.json") ?? throw new InvalidOperationException("The pins are not part of this program.");
        return JsonSerializer.Deserialize(stream, KernelPinsContext.Default.KernelPins) ?? throw new InvalidOperationException("The pins are empty.");
    }
}

[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(KernelPins))]
internal sealed partial class KernelPinsContext : JsonSerializerContext;

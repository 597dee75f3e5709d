namespace Cloister.Images.Definition;

/// <summary>How much memory a machine needs at the least, estimated from what is in its image.</summary>
internal static class MemoryNeed
{
    /// <summary>MiB for the kernel, the root's cached blocks and the agent.</summary>
    public const int Base = 170;

    /// <summary>MiB for a program of this product (a .NET server).</summary>
    public const int Program = 96;

    /// <summary>MiB in all.</summary>
    public static int Of(ImageDefinition definition) =>
        Base + definition.Mounts.Sum(mount => mount.Size) + definition.Disks.Sum(disk => disk.Size) + (definition.Files.Any(source => source.Programs is not null) ? Program : 0);

    /// <summary>How the sum comes about, for the refusal.</summary>
    public static string Explain(ImageDefinition definition)
    {
        var parts = new List<string> { $"{Base} for kernel and agent" };
        parts.AddRange(definition.Mounts.Select(mount => $"{mount.Size} for the mount {mount.Path}"));
        parts.AddRange(definition.Disks.Select(disk => $"{disk.Size} for the disk {disk.Name}"));
        if (definition.Files.Any(source => source.Programs is not null)) parts.Add($"{Program} for the programs");
        return string.Join(", ", parts);
    }
}

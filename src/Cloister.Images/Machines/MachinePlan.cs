using System.Collections.Immutable;
using System.Net;
using System.Runtime.Versioning;
using Cloister.Images.Build;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>What will be started: options checked against the image, defaults filled in.</summary>
/// <param name="Definition">The image's own.</param>
/// <param name="Uki">The file that boots.</param>
/// <param name="Root">The root disk's file.</param>
/// <param name="Disks">Data disks in the order of the definition, with their files.</param>
/// <param name="Ports">Ports as they were asked for.</param>
/// <param name="Settings">What the machine is told, addresses as it sees them.</param>
[SupportedOSPlatform("linux")]
internal sealed record MachinePlan(ImageDefinition Definition, string Uki, string Root, ImmutableArray<(DataDisk Disk, string File)> Disks, ImmutableArray<PortForward> Ports, MachineSettings Settings)
{
    private const int DefinitionLimit = 1 << 20;

    /// <summary>Reads the image and checks all that can be known before anything is made.</summary>
    /// <exception cref="ImageException">It is no image, or the options do not fit it.</exception>
    public static MachinePlan Read(MachineOptions options, MachineFolder folder)
    {
        string image = Path.GetFullPath(options.Image);
        foreach (string file in (string[])[ImageLayout.Definition, ImageLayout.Uki, ImageLayout.Root, ImageLayout.Measurements])
        {
            if (!File.Exists(Path.Combine(image, file)))
                throw new ImageException(ImageError.ImageInvalid, $"'{options.Image}' is no built image: it has no {file}. `cloister image build` makes one.");
        }
        var json = new FileInfo(Path.Combine(image, ImageLayout.Definition));
        if (json.Length > DefinitionLimit)
            throw new ImageException(ImageError.ImageInvalid, $"'{json.FullName}' has {json.Length:N0} bytes; no definition is that long.");
        ImageDefinition definition = ImageDefinitionReader.Read(File.ReadAllBytes(json.FullName));
        CheckPorts(options.Ports, definition);
        CheckStart(options.Settings, definition);
        return new MachinePlan(definition,
            options.TestOnly?.Uki ?? Path.Combine(image, ImageLayout.Uki),
            options.TestOnly?.Root ?? Path.Combine(image, ImageLayout.Root),
            DisksOf(options, definition, folder), options.Ports, Inside(options.Settings, definition.Network));
    }

    /// <summary>The host as the machine sees it: its gateway, or an address beside its own.</summary>
    public static IPAddress HostSeenFrom(NetworkRules network)
    {
        if (network.Gateway.Length > 0)
            return IPAddress.Parse(network.Gateway);
        byte[] own = IPNetwork.Parse(Masked(network.Address)).BaseAddress.GetAddressBytes();
        own[3] += (byte)(IPAddress.Parse(network.Address.Split('/')[0]).GetAddressBytes()[3] == own[3] + 2 ? 3 : 2);
        return new IPAddress(own);
    }

    /// <summary>The network's address and prefix length.</summary>
    public static string Masked(string address)
    {
        string[] parts = address.Split('/');
        int prefix = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        uint bits = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(IPAddress.Parse(parts[0]).GetAddressBytes());
        byte[] masked = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(masked, prefix == 0 ? 0 : bits & (uint.MaxValue << (32 - prefix)));
        return $"{new IPAddress(masked)}/{prefix}";
    }

    private static void CheckPorts(ImmutableArray<PortForward> ports, ImageDefinition definition)
    {
        foreach (PortForward port in ports)
        {
            if (!definition.Network.Listen.Contains(port.Guest))
                throw new ImageException(ImageError.MachineOptionInvalid, $"The image does not listen on port {port.Guest}: {(definition.Network.Listen.IsEmpty ? "it has no port" : "its ports are " + string.Join(", ", definition.Network.Listen))}. Its own filter would drop what comes.");
            if (port.Host != 0 && ports.Count(other => other.Host == port.Host && other.Address.Equals(port.Address)) > 1)
                throw new ImageException(ImageError.MachineOptionInvalid, $"Port {port.Host} of this computer is given twice.");
        }
    }

    // The machine refuses these itself; here it is known two minutes earlier.
    private static void CheckStart(MachineSettings settings, ImageDefinition definition)
    {
        EntryPoint? start = definition.Start is { } name ? definition.Entries[name] : null;
        if (settings.Arguments.Length > 0 && start?.Arguments != true)
            throw new ImageException(ImageError.MachineOptionInvalid, start is null ? "The image starts no program by itself that could take arguments." : $"Entry '{definition.Start}' of the image takes no arguments.");
        foreach (string variable in settings.Environment.Keys)
        {
            if (start?.AllowedEnvironment.Contains(variable) != true)
                throw new ImageException(ImageError.MachineOptionInvalid, $"The image does not allow whoever starts it to set {variable}.");
        }
    }

    private static ImmutableArray<(DataDisk Disk, string File)> DisksOf(MachineOptions options, ImageDefinition definition, MachineFolder folder)
    {
        if (options.Disks.Keys.FirstOrDefault(name => definition.Disks.All(disk => disk.Name != name)) is { } unknown)
            throw new ImageException(ImageError.DiskInvalid, $"The image has no disk '{unknown}'{(definition.Disks.IsEmpty ? "" : "; it has " + string.Join(", ", definition.Disks.Select(disk => disk.Name)))}.");
        return [.. definition.Disks.Select(disk => (disk, Path.GetFullPath(options.Disks.GetValueOrDefault(disk.Name) ?? folder.In(disk.Name + ".disk"))))];
    }

    private static MachineSettings Inside(MachineSettings settings, NetworkRules network)
    {
        if (settings.Coordinator is not { } coordinator)
            return settings;
        int colon = coordinator.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(coordinator.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture, out ushort port) || port == 0)
            throw new ImageException(ImageError.MachineOptionInvalid, $"'{coordinator}' is not an address of a coordinator: HOST:PORT.");
        string host = coordinator[..colon];
        bool own = host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
        return own ? settings with { Coordinator = $"{HostSeenFrom(network)}:{port}" } : settings;
    }
}

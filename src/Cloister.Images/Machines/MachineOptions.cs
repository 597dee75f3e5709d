using System.Collections.Immutable;
using Cloister.Attestation.Measurements;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>How an image is started.</summary>
public sealed record MachineOptions
{
    /// <summary>The built image's folder.</summary>
    public required string Image { get; init; }

    /// <summary>The machine's folder: its TPM, its log, its sockets; made if absent.</summary>
    public required string Folder { get; init; }

    /// <summary>What the machine is told. A coordinator on this computer's own 127.0.0.1 is translated to how the machine sees it.</summary>
    public MachineSettings Settings { get; init; } = new();

    /// <summary>Ports that lead into the machine; its image must listen on each.</summary>
    public ImmutableArray<PortForward> Ports { get; init; } = [];

    /// <summary>The file of each data disk of the image, by name; without one it lies in the machine's folder. Made if absent.</summary>
    public ImmutableSortedDictionary<string, string> Disks { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>How the firmware gets the kernel.</summary>
    public BootPath Boot { get; init; } = BootPath.Kernel;

    /// <summary>What runs its processors.</summary>
    public Accelerator Accelerator { get; init; } = Accelerator.Auto;

    /// <summary>How long its programs and disks may take when it is stopped.</summary>
    public TimeSpan StopTime { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The folder of the authority that certifies the machine's TPM when it is made; null: this user's own.</summary>
    public string? Authority { get; init; }

    /// <summary>Null but in tests.</summary>
    public TestOnlyTampering? TestOnly { get; init; }
}

using System.Collections.Immutable;

namespace Cloister.Images.Boot;

/// <summary>Where things are inside a machine. The first two are part of the root, the others are made when it starts.</summary>
public static class GuestPaths
{
    /// <summary>The agent, process 1 after the root is mounted.</summary>
    public const string Agent = "/cloister/agent/cloister-agent";

    /// <summary>One launcher an entry point: drops all rights, then executes its arguments.</summary>
    public const string Launchers = "/cloister/launch";

    /// <summary>The measured configuration, from the initrd.</summary>
    public const string Configuration = "/cloister/config";

    /// <summary>The image's definition, JSON.</summary>
    public const string Definition = Configuration + "/image.json";

    /// <summary>The policy for the coordinator, if the image has one.</summary>
    public const string CoordinatorPolicy = Configuration + "/coordinator-policy.json";

    /// <summary>The port of virtio-serial through which agent and host talk: that device must be the first of the machine's virtio devices. It is there when the agent starts.</summary>
    public const string Channel = "/dev/vport0p1";

    /// <summary>The TPM; it is there when the agent starts.</summary>
    public const string Tpm = "/dev/tpmrm0";

    /// <summary>The firmware's log of what it measured.</summary>
    public const string EventLog = "/sys/kernel/security/tpm0/binary_bios_measurements";

    /// <summary>Folders that a root must have, because something is mounted there.</summary>
    public static ImmutableArray<string> MountPoints { get; } = ["/dev", "/proc", "/sys", "/run", "/tmp", Configuration];

    /// <summary>What the agent and activated programs receive in memory.</summary>
    public const string Run = "/run/cloister";
}

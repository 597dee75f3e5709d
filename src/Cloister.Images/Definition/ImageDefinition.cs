using System.Collections.Immutable;

namespace Cloister.Images;

/// <summary>
/// What an image is: the readable <c>image.yaml</c>, and as canonical JSON the configuration that is measured with the image and that the
/// machine itself obeys. What is not stated here is not allowed inside.
/// </summary>
public sealed record ImageDefinition
{
    /// <summary>The image's name: lower-case letters, digits and dashes.</summary>
    public required string Name { get; init; }

    /// <summary>Which product it is; 0 to 65535.</summary>
    public int Product { get; init; }

    /// <summary>Its security version; 0 to 65535.</summary>
    public int Version { get; init; }

    /// <summary>Whether its operator may look inside: any command runs, the console shows everything. It changes the measurement.</summary>
    public bool Debug { get; init; }

    /// <summary>What the machine needs.</summary>
    public MachineSize Machine { get; init; } = new();

    /// <summary>The entry point that starts when the machine is up; null if it waits to be asked.</summary>
    public string? Start { get; init; }

    /// <summary>The programs that may be started, by name.</summary>
    public ImmutableSortedDictionary<string, EntryPoint> Entries { get; init; } = ImmutableSortedDictionary<string, EntryPoint>.Empty;

    /// <summary>What the root holds, later over earlier.</summary>
    public ImmutableArray<FileSource> Files { get; init; } = [];

    /// <summary>What passes the machine's own packet filter.</summary>
    public NetworkRules Network { get; init; } = new();

    /// <summary>Places in memory that can be written; empty at every start.</summary>
    public ImmutableArray<MemoryMount> Mounts { get; init; } = [];

    /// <summary>Sealed data disks.</summary>
    public ImmutableArray<DataDisk> Disks { get; init; } = [];

    /// <summary>What leaves through the console and the log.</summary>
    public ConsoleOutput Console { get; init; } = ConsoleOutput.Lifecycle;

    /// <summary>The policy for the coordinator that activates this machine, a file beside the definition; null if nothing is activated.</summary>
    public string? CoordinatorPolicy { get; init; }
}

/// <summary>Memory and processors of a machine.</summary>
/// <param name="Memory">MiB.</param>
/// <param name="Cpus">Virtual processors.</param>
public sealed record MachineSize(int Memory = 512, int Cpus = 1);

/// <summary>A program that may be started inside.</summary>
public sealed record EntryPoint
{
    /// <summary>The program's absolute path and its arguments.</summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>Whether whoever starts it may append arguments.</summary>
    public bool Arguments { get; init; }

    /// <summary>The working directory.</summary>
    public string Directory { get; init; } = "/";

    /// <summary>User and group number it runs as; never 0 unless the image is a debug image.</summary>
    public int User { get; init; } = 1000;

    /// <summary>Its environment.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Names of variables that whoever starts it may set.</summary>
    public ImmutableArray<string> AllowedEnvironment { get; init; } = [];

    /// <summary>The workload type of the manifest that it is; null if it is none.</summary>
    public string? Marble { get; init; }

    /// <summary>Who activates it.</summary>
    public EntryActivation Activation { get; init; } = EntryActivation.None;

    /// <summary>Whether it may use the machine's TPM and event log (programs that attest themselves).</summary>
    public bool Tpm { get; init; }
}

/// <summary>Who asks the coordinator for what a program receives.</summary>
public enum EntryActivation
{
    /// <summary>Nobody.</summary>
    None,

    /// <summary>The machine's agent: files, variables and arguments are there when the program starts.</summary>
    Agent,

    /// <summary>The program itself.</summary>
    Program,
}

/// <summary>Where part of the root comes from; exactly one of <see cref="Directory"/>, <see cref="Packages"/>, <see cref="Archive"/>, <see cref="Programs"/> is set.</summary>
public sealed record FileSource
{
    /// <summary>A directory or file beside the definition.</summary>
    public string? Directory { get; init; }

    /// <summary>Debian packages, with all that they depend on.</summary>
    public ImmutableArray<string> Packages { get; init; } = [];

    /// <summary>Packages that are left out although others depend on them.</summary>
    public ImmutableArray<string> Without { get; init; } = [];

    /// <summary>An OCI layout's or <c>docker save</c>'s tar.</summary>
    public string? Archive { get; init; }

    /// <summary>Programs of this product that are published for machines: <c>cloister</c>.</summary>
    public string? Programs { get; init; }

    /// <summary>Where it goes: an absolute path. Programs go to <c>/opt/</c> and their name if nothing is said.</summary>
    public string To { get; init; } = "/";
}

/// <summary>What the machine's packet filter lets through; everything else is dropped.</summary>
public sealed record NetworkRules
{
    /// <summary>TCP ports that are open to the network.</summary>
    public ImmutableArray<int> Listen { get; init; } = [];

    /// <summary>Where programs may connect to over TCP: an IPv4 address and port, or <c>coordinator</c> for the address given at the start.</summary>
    public ImmutableArray<string> Connect { get; init; } = [];

    /// <summary>The machine's IPv4 address with its prefix length.</summary>
    public string Address { get; init; } = "10.0.2.15/24";

    /// <summary>Its gateway; empty: none.</summary>
    public string Gateway { get; init; } = "10.0.2.2";
}

/// <summary>A place in memory that can be written.</summary>
/// <param name="Path">An absolute path.</param>
/// <param name="Size">MiB.</param>
/// <param name="User">Who owns it.</param>
public sealed record MemoryMount(string Path, int Size = 64, int User = 1000);

/// <summary>A folder that is kept, sealed, on a disk of the host; an old or foreign disk is refused (docs/formats/sealed-disk.md).</summary>
/// <param name="Name">Its name: lower-case letters, digits and dashes, at most 20 (the serial number of the device).</param>
/// <param name="Path">Where it is seen: an absolute path.</param>
/// <param name="Size">MiB of content, all of it held in memory while the machine runs; 1 to 65536.</param>
/// <param name="Key">The file or variable of the activation that holds its key of 32 bytes: <c>file:/path</c> or <c>environment:NAME</c>, in hexadecimal.</param>
/// <param name="User">Who owns it.</param>
/// <param name="Commit">Seconds between two commits; 0: only when the machine stops or a program asks. What was not committed is lost with the machine.</param>
/// <param name="Scope">Whose the disk is, and with it who may begin with an empty one.</param>
public sealed record DataDisk(string Name, string Path, int Size, string Key, int User = 1000, int Commit = 60, DiskScope Scope = DiskScope.Workload)
{
    /// <summary>Longest time between two commits, in seconds: a day.</summary>
    public const int LongestCommit = 86_400;
}

/// <summary>Whose a data disk is: what the coordinator's word on its newest version is kept under.</summary>
public enum DiskScope
{
    /// <summary>There is one disk of this name for the workload type, wherever it runs and whatever UUID its host gives it: nobody can make it begin anew.</summary>
    Workload,

    /// <summary>One for each UUID: many machines of one type have a disk each, and whoever starts one under a new UUID starts it with an empty folder.</summary>
    Machine,
}

/// <summary>What the console and the log show.</summary>
public enum ConsoleOutput
{
    /// <summary>Nothing after the kernel started.</summary>
    None,

    /// <summary>Starts, ends, refusals; nothing that programs write.</summary>
    Lifecycle,

    /// <summary>Also what programs write to their standard output and error.</summary>
    Programs,
}

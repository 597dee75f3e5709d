using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Images.Channel;

/// <summary>A machine can be talked to.</summary>
/// <param name="Version">Of the protocol; <see cref="CurrentVersion"/>.</param>
/// <param name="Image">The image's name.</param>
/// <param name="Entries">The programs that may be started.</param>
/// <param name="Debug">Whether it lets its operator in.</param>
public sealed record GuestReady(int Version, string Image, ImmutableArray<string> Entries, bool Debug)
{
    /// <summary>The version that this code speaks.</summary>
    public const int CurrentVersion = 1;
}

/// <summary>Something happened inside: <see cref="GuestEventNames"/>.</summary>
/// <param name="Name">What: lower-case letters and dashes.</param>
/// <param name="Message">For people.</param>
/// <param name="Fields">For programs.</param>
[method: JsonConstructor]
public sealed record GuestEvent(string Name, string Message, ImmutableSortedDictionary<string, string> Fields)
{
    /// <summary>An event without fields.</summary>
    public GuestEvent(string name, string message)
        : this(name, message, ImmutableSortedDictionary<string, string>.Empty)
    {
    }
}

/// <summary>Names of events that the host knows; others are shown as they come.</summary>
public static class GuestEventNames
{
    /// <summary>The root is proven block by block, the network filter stands, nothing more can be loaded.</summary>
    public const string Booted = "booted";

    /// <summary>The coordinator accepted the machine's evidence.</summary>
    public const string Activated = "activated";

    /// <summary>A program started; field <c>entry</c>.</summary>
    public const string Started = "started";

    /// <summary>A program ended; fields <c>entry</c> and <c>code</c>.</summary>
    public const string Ended = "ended";

    /// <summary>Something was not allowed or not accepted.</summary>
    public const string Refused = "refused";

    /// <summary>A data disk was committed.</summary>
    public const string Sealed = "sealed";
}

/// <summary>Start a program inside.</summary>
public sealed record ExecRequest
{
    /// <summary>The image's entry; null for a free command, which only a debug image runs.</summary>
    public string? Entry { get; init; }

    /// <summary>A free command: an absolute path and arguments; empty where <see cref="Entry"/> is set.</summary>
    public ImmutableArray<string> Command { get; init; } = [];

    /// <summary>Arguments to append to the entry's, where it takes any.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Variables, where the entry allows them.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Whether bytes for its standard input will come; without, it reads an end at once.</summary>
    public bool Input { get; init; }
}

/// <summary>A program's end.</summary>
/// <param name="Code">Its exit code, 128 and the signal's number where one ended it; null if it did not start.</param>
/// <param name="Reason">Why it did not start, or null.</param>
public sealed record ExecExit(int? Code, string? Reason = null);

/// <summary>The host's wish that the machine ends.</summary>
/// <param name="Seconds">How long programs may take before they are ended with SIGKILL.</param>
public sealed record MachineStop(int Seconds);

/// <summary>The machine ends now.</summary>
/// <param name="Code">The exit code of the program that it started by itself; null if there was none or it did not end by itself.</param>
/// <param name="Reason">Why it ends, for people.</param>
public sealed record MachineStopped(int? Code, string? Reason = null);

using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Images.Machines;

/// <summary>One line of a machine's log.</summary>
/// <param name="Time">When the host heard it.</param>
/// <param name="Kind">Who says it.</param>
/// <param name="Name">What happened: a state's or an event's name; null for what programs write.</param>
/// <param name="Text">For people, or what the program wrote.</param>
/// <param name="Fields">For programs.</param>
public sealed record MachineNews(DateTimeOffset Time, MachineNewsKind Kind, string? Name, string Text, ImmutableSortedDictionary<string, string>? Fields = null);

/// <summary>Who says it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MachineNewsKind>))]
public enum MachineNewsKind
{
    /// <summary>The host: <see cref="MachineStates"/>, what it does and finds.</summary>
    Host,

    /// <summary>The machine's agent.</summary>
    Event,

    /// <summary>The started program's standard output.</summary>
    Output,

    /// <summary>Its standard error.</summary>
    Error,
}

/// <summary>What a machine is doing, in order.</summary>
public static class MachineStates
{
    /// <summary>Its folder, TPM and disks are prepared.</summary>
    public const string Preparing = "preparing";

    /// <summary>Firmware runs and measures.</summary>
    public const string Firmware = "firmware";

    /// <summary>The kernel reads its root.</summary>
    public const string Kernel = "kernel";

    /// <summary>It can be talked to.</summary>
    public const string Ready = "ready";

    /// <summary>It was asked to end.</summary>
    public const string Stopping = "stopping";

    /// <summary>It ended.</summary>
    public const string Ended = "off";

    /// <summary>Its supervisor was killed, and the machine with it.</summary>
    public const string Killed = "killed";

    /// <summary>Whether only the host may say so.</summary>
    internal static bool IsOne(string name) => name is Preparing or Firmware or Kernel or Ready or Stopping or Ended or Killed;
}

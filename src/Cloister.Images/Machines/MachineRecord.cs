using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cloister.Images.Machines;

/// <summary>What a machine's folder says of it: <c>machine.json</c>, written whole by its supervisor alone.</summary>
public sealed record MachineRecord
{
    /// <summary>Of this file; 1.</summary>
    public required int Format { get; init; }

    /// <summary>The image's folder.</summary>
    public required string Image { get; init; }

    /// <summary>The image's name.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="MachineStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>The supervisor's process, and when it started (clock ticks after boot): a number alone may be somebody else's by now.</summary>
    public required int Pid { get; init; }

    /// <inheritdoc cref="Pid"/>
    public required long PidStarted { get; init; }

    /// <summary>Which boot of this computer it ran in.</summary>
    public required string HostBoot { get; init; }

    /// <summary>When it was started.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Its ports, as they were chosen.</summary>
    public ImmutableArray<RecordedPort> Ports { get; init; } = [];

    /// <summary>The root certificate that its TPM's certificates lead to, PEM.</summary>
    public string? TpmRoot { get; init; }

    /// <summary>The certificate of its TPM's endorsement key, DER: <c>cloister image seal --to</c> takes it.</summary>
    public string? TpmCertificate { get; init; }

    /// <summary><c>kvm</c> or <c>tcg</c>.</summary>
    public string? Accelerator { get; init; }

    /// <summary>Whether its image lets its operator in.</summary>
    public bool Debug { get; init; }

    /// <summary>When ended: the exit code of the program that it started by itself.</summary>
    public int? Code { get; init; }

    /// <summary>When ended: why.</summary>
    public string? Reason { get; init; }
}

/// <summary>A port of this computer that leads into the machine.</summary>
/// <param name="Address">The address that listens.</param>
/// <param name="Host">Its port.</param>
/// <param name="Guest">The machine's port.</param>
public sealed record RecordedPort(string Address, int Host, int Guest);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MachineRecord))]
internal sealed partial class MachineRecordJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MachineNews))]
internal sealed partial class MachineNewsJson : JsonSerializerContext;

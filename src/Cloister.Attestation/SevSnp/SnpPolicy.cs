using Cloister.Attestation.SevSnp;

namespace Cloister.Attestation;

/// <summary>What is accepted of SEV-SNP evidence. Nothing has a default: what may be anything says so (docs/formats/policy.md).</summary>
public sealed record SnpPolicy() : TeePolicy(TeeKind.SevSnp)
{
    /// <summary>Whether the guest's policy may let the host debug the guest, that is read all of its memory.</summary>
    public required bool AllowDebug { get; init; }

    /// <summary>Whether the guest's policy may let a migration agent in.</summary>
    public required bool AllowMigrationAgent { get; init; }

    /// <summary>Whether the guest's policy may let it run with simultaneous multithreading.</summary>
    public required bool AllowSmt { get; init; }

    /// <summary>The guest's policy from bit 20 on (<see cref="SnpGuestPolicyBits"/>).</summary>
    public required BitRequirement GuestPolicy { get; init; }

    /// <summary>The firmware interface version that the guest's policy demands, as <c>major.minor</c>.</summary>
    public required Requirement<Version> Abi { get; init; }

    /// <summary>The privilege level that asked for the report.</summary>
    public required Requirement<long> Vmpl { get; init; }

    /// <summary>The signed report data, 128 hexadecimal digits. <see cref="Requirement{T}.Any"/> where the verifier was given what they must be.</summary>
    public required Requirement<string> ReportData { get; init; }

    /// <summary>The launch digest, 96 hexadecimal digits.</summary>
    public required Requirement<string> Measurement { get; init; }

    /// <summary>The host's data, 64 hexadecimal digits.</summary>
    public required Requirement<string> HostData { get; init; }

    /// <summary>The least TCB that the report was made with.</summary>
    public required SnpTcbMinimum ReportedTcb { get; init; }

    /// <summary>The least TCB to which the platform could be rolled back.</summary>
    public required SnpTcbMinimum CommittedTcb { get; init; }

    /// <summary>The least TCB when the guest was launched.</summary>
    public required SnpTcbMinimum LaunchTcb { get; init; }

    /// <summary>Whether firmware may be in force that the host could still roll back.</summary>
    public required bool AllowProvisionalFirmware { get; init; }

    /// <summary>The committed firmware's version, <c>major.minor.build</c>.</summary>
    public required Requirement<Version> Firmware { get; init; }

    /// <summary>The security version of the guest's image.</summary>
    public required Requirement<long> GuestSvn { get; init; }

    /// <summary>Mitigations in force now. A report before version 5 states none and is refused unless they may be anything.</summary>
    public required BitRequirement Mitigations { get; init; }

    /// <summary>SHA-384 of the key of the identity block, 96 hexadecimal digits.</summary>
    public required Requirement<string> IdKeyDigest { get; init; }

    /// <summary>Whether an author's key must vouch for the key of the identity block.</summary>
    public required bool RequireAuthorKey { get; init; }

    /// <summary>SHA-384 of the author's key, 96 hexadecimal digits. Unless it may be anything, there must be an author's key.</summary>
    public required Requirement<string> AuthorKeyDigest { get; init; }

    /// <summary>The product line: <c>Milan</c>, <c>Genoa</c>, <c>Turin</c>.</summary>
    public required Requirement<string> Product { get; init; }

    /// <summary>The kind of key that signed: <c>VCEK</c> or <c>VLEK</c>.</summary>
    public required Requirement<string> SigningKey { get; init; }

    /// <summary>The cloud provider of a VLEK; empty for a VCEK.</summary>
    public required Requirement<string> Provider { get; init; }

    /// <summary>The chip, 128 hexadecimal digits; zeros if the host masks it.</summary>
    public required Requirement<string> ChipId { get; init; }

    /// <summary>Whether a revocation list must have been looked at.</summary>
    public required bool RequireRevocationCheck { get; init; }

    /// <summary>The owner's family id, 32 hexadecimal digits.</summary>
    public required Requirement<string> FamilyId { get; init; }

    /// <summary>The owner's image id, 32 hexadecimal digits.</summary>
    public required Requirement<string> ImageId { get; init; }

    /// <summary>What the platform is and has switched on (<see cref="SnpPlatformBits"/>).</summary>
    public required BitRequirement PlatformInfo { get; init; }
}

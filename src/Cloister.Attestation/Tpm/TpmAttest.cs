using System.Collections.Immutable;
using System.Numerics;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// What a TPM states about time (TPMS_CLOCK_INFO). Outside the endorsement and platform hierarchies a TPM hides the two counters
/// and the firmware version behind a value of the key's own: they then compare for one key only.
/// </summary>
/// <param name="Milliseconds">Powered time since the TPM was last cleared.</param>
/// <param name="ResetCount">How often it was reset: every boot counts.</param>
/// <param name="RestartCount">How often it was restarted or resumed since the last reset.</param>
/// <param name="Safe">Whether no earlier statement can have had a greater time; false after power was lost without a shutdown command.</param>
public sealed record TpmClockInfo(ulong Milliseconds, uint ResetCount, uint RestartCount, bool Safe)
{
    /// <summary>Whether this statement can have been made after <paramref name="earlier"/> by the same TPM, never cleared in between.</summary>
    public bool CanFollow(TpmClockInfo earlier) =>
        ResetCount != earlier.ResetCount ? ResetCount > earlier.ResetCount && (!Safe || Milliseconds >= earlier.Milliseconds)
        : RestartCount != earlier.RestartCount ? RestartCount > earlier.RestartCount && (!Safe || Milliseconds >= earlier.Milliseconds)
        : Milliseconds >= earlier.Milliseconds;

    /// <summary>Whether the machine was neither reset nor resumed between the two statements.</summary>
    public bool IsSameBoot(TpmClockInfo other) => ResetCount == other.ResetCount && RestartCount == other.RestartCount;
}

/// <summary>The PCRs of one bank that a quote covers (TPMS_PCR_SELECTION).</summary>
/// <param name="Bank">The bank's hash.</param>
/// <param name="Mask">Bit i for PCR i.</param>
public readonly record struct TpmPcrSelection(TpmAlgorithm Bank, uint Mask)
{
    /// <summary>Whether PCR <paramref name="index"/> is covered.</summary>
    public bool Contains(int index) => index is >= 0 and < 32 && (Mask >> index & 1) != 0;

    /// <summary>How many PCRs are covered.</summary>
    public int Count => BitOperations.PopCount(Mask);
}

/// <summary>What a TPM signed (TPMS_ATTEST, TPM 2.0 Library part 2, 10.12.8), before or after the signature was checked.</summary>
/// <param name="Magic">TPM_GENERATED_VALUE if a TPM made it.</param>
/// <param name="Type">TPM_ST_ATTEST_QUOTE or the tag of another statement.</param>
/// <param name="QualifiedSigner">The signing key's qualified name.</param>
/// <param name="ExtraData">The verifier's nonce.</param>
/// <param name="Clock">Time and counters.</param>
/// <param name="FirmwareVersion">The vendor's number.</param>
/// <param name="Selection">The quoted PCRs in signed order; empty if it is not a quote.</param>
/// <param name="PcrDigest">The digest over their values; empty if it is not a quote.</param>
public sealed record TpmAttest(
    uint Magic,
    ushort Type,
    ReadOnlyMemory<byte> QualifiedSigner,
    ReadOnlyMemory<byte> ExtraData,
    TpmClockInfo Clock,
    ulong FirmwareVersion,
    ImmutableArray<TpmPcrSelection> Selection,
    ReadOnlyMemory<byte> PcrDigest)
{
    /// <summary>The magic of everything that a TPM itself states (TPM_GENERATED_VALUE).</summary>
    public const uint Generated = 0xFF544347;

    /// <summary>The tag of a quote (TPM_ST_ATTEST_QUOTE).</summary>
    public const ushort Quote = 0x8018;
}

/// <summary>A TPM's signature (TPMT_SIGNATURE).</summary>
/// <param name="Scheme">RSASSA, RSAPSS or ECDSA.</param>
/// <param name="Hash">The hash that was signed.</param>
/// <param name="First">The RSA signature, or r.</param>
/// <param name="Second">s; empty for RSA.</param>
public sealed record TpmSignature(TpmAlgorithm Scheme, TpmAlgorithm Hash, ReadOnlyMemory<byte> First, ReadOnlyMemory<byte> Second);

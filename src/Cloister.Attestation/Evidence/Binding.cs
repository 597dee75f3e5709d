using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Cloister.Attestation;

/// <summary>
/// What fresh evidence is bound to: one role, one nonce of the verifier, one public key (docs/formats/evidence.md, "Binding").
/// </summary>
public sealed record Binding
{
    /// <summary>Fewest bytes of a nonce.</summary>
    public const int MinimumNonce = 16;

    /// <summary>Most bytes of a nonce.</summary>
    public const int MaximumNonce = 64;

    /// <summary>Most bytes of a SubjectPublicKeyInfo.</summary>
    public const int MaximumKey = 2048;

    /// <summary>Binds evidence to a role, a nonce and a key.</summary>
    /// <param name="role">What the attester acts as.</param>
    /// <param name="nonce">The verifier's nonce, 16 to 64 bytes; 32 random bytes are usual.</param>
    /// <param name="subjectPublicKeyInfo">The attester's public key as DER SubjectPublicKeyInfo (RFC 5280, 4.1), at most 2048 bytes.</param>
    /// <exception cref="ArgumentException">A length or the role is outside its range.</exception>
    public Binding(AttesterRole role, ReadOnlyMemory<byte> nonce, ReadOnlyMemory<byte> subjectPublicKeyInfo)
    {
        if (LabelOf(role) is null) throw new ArgumentOutOfRangeException(nameof(role), role, "No such role.");
        if (!IsNonceLength(nonce.Length)) throw new ArgumentException($"A nonce has {MinimumNonce} to {MaximumNonce} bytes, not {nonce.Length}.", nameof(nonce));
        if (!IsKeyLength(subjectPublicKeyInfo.Length)) throw new ArgumentException($"A SubjectPublicKeyInfo has 1 to {MaximumKey} bytes, not {subjectPublicKeyInfo.Length}.", nameof(subjectPublicKeyInfo));
        Role = role;
        Nonce = nonce;
        SubjectPublicKeyInfo = subjectPublicKeyInfo;
    }

    /// <summary>What the attester acts as.</summary>
    public AttesterRole Role { get; }

    /// <summary>The verifier's nonce.</summary>
    public ReadOnlyMemory<byte> Nonce { get; }

    /// <summary>The attester's public key, DER.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; }

    /// <summary>Whether a nonce may have this many bytes: for callers that got it from a peer.</summary>
    public static bool IsNonceLength(int length) => length is >= MinimumNonce and <= MaximumNonce;

    /// <summary>The transcript T = SHA-512(LP(label) LP(nonce) LP(key)), 64 bytes.</summary>
    public byte[] Transcript() => new LengthPrefixedHash(HashAlgorithmName.SHA512)
        .Add(LabelOf(Role)).Add(Nonce.Span).Add(SubjectPublicKeyInfo.Span).Finish();

    /// <summary>The nonce of the GPU at <paramref name="index"/> among the others: SHA-256(LP("gpu") LP(u32 index) LP(T)), 32 bytes.</summary>
    public byte[] GpuNonce(int index) => new LengthPrefixedHash(HashAlgorithmName.SHA256)
        .Add("gpu"u8).Add(Index(index)).Add(Transcript()).Finish();

    /// <summary>
    /// The signed field of other evidence with its own 64 bytes and runtime data:
    /// SHA-512(LP("other") LP(u32 index) LP(T) LP(SHA-512(runtime data))), 64 bytes.
    /// </summary>
    public byte[] OtherReportData(int index, ReadOnlySpan<byte> runtimeData) => new LengthPrefixedHash(HashAlgorithmName.SHA512)
        .Add("other"u8).Add(Index(index)).Add(Transcript()).Add(SHA512.HashData(runtimeData)).Finish();

    /// <summary>
    /// The primary attester's signed field: SHA-512(LP("cpu") LP(T) LP(SHA-512(runtime data)) LP(digest of other 1) ...), 64 bytes.
    /// </summary>
    /// <param name="runtimeData">The primary evidence's runtime data; may be empty.</param>
    /// <param name="others">All other evidence of the set, in order.</param>
    public byte[] ReportData(ReadOnlySpan<byte> runtimeData, ImmutableArray<Evidence> others)
    {
        LengthPrefixedHash hash = new LengthPrefixedHash(HashAlgorithmName.SHA512)
            .Add("cpu"u8).Add(Transcript()).Add(SHA512.HashData(runtimeData));
        foreach (Evidence other in others.IsDefault ? [] : others)
            hash.Add(EvidenceCodec.Digest(other));
        return hash.Finish();
    }

    internal static bool IsKeyLength(int length) => length is >= 1 and <= MaximumKey;

    internal static byte[]? LabelOf(AttesterRole role) => role switch
    {
        AttesterRole.Coordinator => "cloister/coordinator/v1"u8.ToArray(),
        AttesterRole.Workload => "cloister/workload/v1"u8.ToArray(),
        AttesterRole.Accelerator => "cloister/accelerator/v1"u8.ToArray(),
        _ => null,
    };

    private static byte[] Index(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)index);
        return bytes;
    }
}

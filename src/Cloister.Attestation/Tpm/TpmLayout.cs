using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>The bytes of a TPM's structures (TPM 2.0 Library part 2, big-endian) as records. Parsing proves nothing.</summary>
public static class TpmLayout
{
    /// <summary>Number of PCRs of a PC client's TPM.</summary>
    public const int PcrCount = 24;

    /// <summary>Most bytes of one structure.</summary>
    public const int MaximumStructure = 4096;

    private const int MaximumSelections = 8, MaximumSelectSize = 4, MaximumName = 2 + TpmHash.MaximumSize, MaximumExtraData = TpmHash.MaximumSize;
    private const int MinimumRsa = 1024 / 8, MaximumRsa = 4096 / 8;
    private const uint DefaultExponent = 65537;

    /// <summary>Reads what a TPM signed. Of a statement that is not a quote only the head is read.</summary>
    public static Outcome<TpmAttest> ParseAttest(ReadOnlyMemory<byte> bytes)
    {
        const string at = "attest";
        var reader = new TpmReader(bytes.Span);
        if (bytes.Length > MaximumStructure) return Refuse<TpmAttest>(Refusal.TpmAttestMalformed, at, $"more than {MaximumStructure} bytes");
        if (!reader.TryUInt32(out uint magic) || !reader.TryUInt16(out ushort type)) return Truncated("magic");
        if (!TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> signer)) return Truncated("qualifiedSigner");
        if (!TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> extraData)) return Truncated("extraData");
        if (signer.Length > MaximumName || extraData.Length > MaximumExtraData) return Refuse<TpmAttest>(Refusal.TpmAttestMalformed, at, "a name or the nonce is longer than any");
        if (!reader.TryUInt64(out ulong time) || !reader.TryUInt32(out uint resets) || !reader.TryUInt32(out uint restarts) || !reader.TryByte(out byte safe)) return Truncated("clockInfo");
        if (safe > 1) return Refuse<TpmAttest>(Refusal.TpmAttestMalformed, at + ".clockInfo.safe", $"{safe} is neither yes nor no");
        if (!reader.TryUInt64(out ulong firmware)) return Truncated("firmwareVersion");
        var clock = new TpmClockInfo(time, resets, restarts, safe == 1);
        if (type != TpmAttest.Quote) return Outcome.Accept(new TpmAttest(magic, type, signer, extraData, clock, firmware, [], default));

        Outcome<ImmutableArray<TpmPcrSelection>> selection = ReadSelection(ref reader);
        if (!selection.IsAccepted) return selection.RefuseAs<TpmAttest>();
        if (!TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> digest)) return Truncated("pcrDigest");
        if (reader.Remaining != 0) return Refuse<TpmAttest>(Refusal.TpmAttestMalformed, at, $"{reader.Remaining} bytes follow the end");
        return Outcome.Accept(new TpmAttest(magic, type, signer, extraData, clock, firmware, selection.Value, digest));

        static Outcome<TpmAttest> Truncated(string field) => Refuse<TpmAttest>(Refusal.TpmAttestMalformed, $"{at}.{field}", "the bytes end before this field does");
    }

    /// <summary>Reads a signature.</summary>
    public static Outcome<TpmSignature> ParseSignature(ReadOnlyMemory<byte> bytes)
    {
        const string at = "signature";
        var reader = new TpmReader(bytes.Span);
        if (!reader.TryAlgorithm(out TpmAlgorithm scheme) || !reader.TryAlgorithm(out TpmAlgorithm hash)) return Refuse<TpmSignature>(Refusal.TpmSignatureMalformed, at, "the bytes end before the scheme does");
        if (scheme is not (TpmAlgorithm.RsaSsa or TpmAlgorithm.RsaPss or TpmAlgorithm.EcDsa)) return Refuse<TpmSignature>(Refusal.TpmSignatureMalformed, at + ".scheme", $"scheme {(ushort)scheme:x4}; RSASSA, RSAPSS and ECDSA are read");
        if (!TpmHash.IsHash(hash)) return Refuse<TpmSignature>(Refusal.TpmSignatureMalformed, at + ".hash", $"hash {(ushort)hash:x4} is not one that is read");
        ReadOnlyMemory<byte> second = default;
        if (!TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> first) || (scheme == TpmAlgorithm.EcDsa && !TrySlice(ref reader, bytes, out second))) return Refuse<TpmSignature>(Refusal.TpmSignatureMalformed, at, "the bytes end before the signature does");
        if (reader.Remaining != 0) return Refuse<TpmSignature>(Refusal.TpmSignatureMalformed, at, $"{reader.Remaining} bytes follow the end");
        return Outcome.Accept(new TpmSignature(scheme, hash, first, second));
    }

    /// <summary>Reads a key's public area.</summary>
    public static Outcome<TpmPublic> ParsePublic(ReadOnlyMemory<byte> bytes)
    {
        const string at = "public";
        var reader = new TpmReader(bytes.Span);
        if (bytes.Length > MaximumStructure) return Bad(at, $"more than {MaximumStructure} bytes");
        if (!reader.TryAlgorithm(out TpmAlgorithm type) || !reader.TryAlgorithm(out TpmAlgorithm nameAlgorithm) || !reader.TryUInt32(out uint attributes)) return Bad(at, "the bytes end before the attributes do");
        if (type is not (TpmAlgorithm.Rsa or TpmAlgorithm.Ecc)) return Bad(at + ".type", $"type {(ushort)type:x4} is neither RSA nor ECC");
        if (!TpmHash.IsHash(nameAlgorithm)) return Bad(at + ".nameAlg", $"hash {(ushort)nameAlgorithm:x4} is not one that is read");
        if (!TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> policy) || (policy.Length != 0 && policy.Length != TpmHash.SizeOf(nameAlgorithm))) return Bad(at + ".authPolicy", "it is not empty and not a digest of the name's hash");
        if (!TrySymmetric(ref reader, out TpmAlgorithm symmetric, out int symmetricBits)) return Bad(at + ".symmetric", "not AES-CFB and not empty");
        if (!TryScheme(ref reader, type, out TpmAlgorithm scheme, out TpmAlgorithm schemeHash)) return Bad(at + ".scheme", "not a signature scheme of this type of key and not empty");

        var curve = TpmCurve.None;
        uint exponent = 0;
        ReadOnlyMemory<byte> first, second = default;
        if (type == TpmAlgorithm.Rsa)
        {
            if (!reader.TryUInt16(out ushort bits) || !reader.TryUInt32(out exponent) || !TrySlice(ref reader, bytes, out first)) return Bad(at, "the bytes end before the modulus does");
            if (first.Length is < MinimumRsa or > MaximumRsa || first.Length * 8 != bits || first.Span[0] < 0x80) return Bad(at + ".unique", $"a modulus of {first.Length} bytes where {bits} bits are stated");
            if (exponent == 0) exponent = DefaultExponent;
            if (exponent < DefaultExponent || exponent % 2 == 0) return Bad(at + ".exponent", $"{exponent} is no exponent of an attestation key");
        }
        else
        {
            if (!reader.TryUInt16(out ushort curveId) || !reader.TryAlgorithm(out TpmAlgorithm kdf)) return Bad(at, "the bytes end before the curve does");
            curve = (TpmCurve)curveId;
            int size = TpmPublic.CoordinateSizeOf(curve);
            if (size == 0) return Bad(at + ".curve", $"curve {curveId:x4} is not P-256, P-384 or P-521");
            if (kdf != TpmAlgorithm.Null) return Bad(at + ".kdf", "a key derivation in an attestation or endorsement key");
            if (!TrySlice(ref reader, bytes, out first) || !TrySlice(ref reader, bytes, out second)) return Bad(at, "the bytes end before the point does");
            if (first.Length is 0 || second.Length is 0 || first.Length > size || second.Length > size) return Bad(at + ".unique", "the coordinates do not have the curve's size");
        }
        if (reader.Remaining != 0) return Bad(at, $"{reader.Remaining} bytes follow the end");
        byte[] name = NameOf(nameAlgorithm, bytes.Span);
        return Outcome.Accept(new TpmPublic(type, nameAlgorithm, (TpmAttributes)attributes, policy, symmetric, symmetricBits, scheme, schemeHash, curve, exponent, first, second, name));

        static Outcome<TpmPublic> Bad(string field, string reason) => Refuse<TpmPublic>(Refusal.TpmPublicMalformed, field, reason);
    }

    /// <summary>A key's qualified name as a primary key of a hierarchy: H(hierarchy ‖ name) (TPM 2.0 Library part 1, 16).</summary>
    internal static bool IsPrimaryOf(uint hierarchy, TpmPublic key, ReadOnlySpan<byte> qualifiedName)
    {
        Span<byte> joined = stackalloc byte[sizeof(uint) + MaximumName];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(joined, hierarchy);
        key.Name.Span.CopyTo(joined[sizeof(uint)..]);
        return qualifiedName.Length > 2 && qualifiedName[..2].SequenceEqual(key.Name.Span[..2])
            && TpmHash.Matches(key.NameAlgorithm, joined[..(sizeof(uint) + key.Name.Length)], qualifiedName[2..]);
    }

    /// <summary>Fuzz target: any bytes give a structure or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = bytes.ToArray();
        ParseAttest(copy);
        ParseSignature(copy);
        if (ParsePublic(copy).TryGetValue(out TpmPublic? key)) TpmSigner.Import(key)?.Dispose();
    }

    private static byte[] NameOf(TpmAlgorithm algorithm, ReadOnlySpan<byte> area)
    {
        var name = new byte[2 + TpmHash.SizeOf(algorithm)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(name, (ushort)algorithm);
        TpmHash.Hash(algorithm, area, name.AsSpan(2));
        return name;
    }

    private static Outcome<ImmutableArray<TpmPcrSelection>> ReadSelection(ref TpmReader reader)
    {
        const string at = "attest.pcrSelect";
        if (!reader.TryUInt32(out uint count) || count > MaximumSelections) return Bad($"more than {MaximumSelections} banks, or the bytes end");
        var selections = ImmutableArray.CreateBuilder<TpmPcrSelection>((int)count);
        for (uint i = 0; i < count; i++)
        {
            if (!reader.TryAlgorithm(out TpmAlgorithm bank) || !reader.TryByte(out byte size) || size > MaximumSelectSize || !reader.TryBytes(size, out ReadOnlySpan<byte> bits)) return Bad("the bytes end before the selection does");
            if (!TpmHash.IsHash(bank)) return Bad($"bank {(ushort)bank:x4} is not one that is read");
            if (selections.Any(other => other.Bank == bank)) return Bad($"bank {TpmHash.NameOf(bank)} stands twice");
            uint mask = 0;
            for (int b = 0; b < bits.Length; b++)
                mask |= (uint)bits[b] << (8 * b);
            if (mask >> PcrCount != 0) return Bad($"a PCR above {PcrCount - 1}");
            selections.Add(new TpmPcrSelection(bank, mask));
        }
        return Outcome.Accept(selections.MoveToImmutable());

        static Outcome<ImmutableArray<TpmPcrSelection>> Bad(string reason) => Refuse<ImmutableArray<TpmPcrSelection>>(Refusal.TpmAttestMalformed, at, reason);
    }

    private static bool TrySymmetric(ref TpmReader reader, out TpmAlgorithm algorithm, out int bits)
    {
        bits = 0;
        if (!reader.TryAlgorithm(out algorithm)) return false;
        if (algorithm == TpmAlgorithm.Null) return true;
        if (algorithm != TpmAlgorithm.Aes || !reader.TryUInt16(out ushort size) || !reader.TryAlgorithm(out TpmAlgorithm mode)) return false;
        bits = size;
        return size is 128 or 192 or 256 && mode == TpmAlgorithm.Cfb;
    }

    private static bool TryScheme(ref TpmReader reader, TpmAlgorithm type, out TpmAlgorithm scheme, out TpmAlgorithm hash)
    {
        hash = TpmAlgorithm.Null;
        if (!reader.TryAlgorithm(out scheme)) return false;
        if (scheme == TpmAlgorithm.Null) return true;
        bool fits = type == TpmAlgorithm.Rsa ? scheme is TpmAlgorithm.RsaSsa or TpmAlgorithm.RsaPss : scheme == TpmAlgorithm.EcDsa;
        return fits && reader.TryAlgorithm(out hash) && TpmHash.IsHash(hash);
    }

    /// <summary>Reads a TPM2B as a slice of the whole, so that nothing is copied.</summary>
    private static bool TrySlice(ref TpmReader reader, ReadOnlyMemory<byte> whole, out ReadOnlyMemory<byte> slice)
    {
        slice = default;
        if (!reader.TrySized(out ReadOnlySpan<byte> field)) return false;
        slice = whole.Slice(whole.Length - reader.Remaining - field.Length, field.Length);
        return true;
    }

    private static Outcome<T> Refuse<T>(Refusal refusal, string field, string reason) => Outcome.Refuse<T>(refusal, field, reason);
}

using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm;

/// <summary>A quote with what it takes to check it: the report of TPM evidence (docs/formats/tpm-report.md). Unverified.</summary>
/// <param name="Attest">What was signed (TPMS_ATTEST).</param>
/// <param name="Signature">The signature (TPMT_SIGNATURE).</param>
/// <param name="KeyForm">How the attestation key is written.</param>
/// <param name="Key">The attestation key.</param>
/// <param name="Pcrs">PCR values, ascending by bank and index.</param>
public sealed record TpmReport(ReadOnlyMemory<byte> Attest, ReadOnlyMemory<byte> Signature, TpmKeyForm KeyForm, ReadOnlyMemory<byte> Key, ImmutableArray<TpmPcrValue> Pcrs)
{
    private const int Version = 1, MaximumPcrs = 4 * TpmLayout.PcrCount;

    private static ReadOnlySpan<byte> Magic => "CLOISTER TPM QUOTE"u8;

    /// <summary>Writes a report. PCR values are put into their order.</summary>
    /// <exception cref="ArgumentException">A part has a size or value that the layout does not hold.</exception>
    public byte[] Encode()
    {
        FieldWriter writer = new FieldWriter().Raw(Magic).UInt16(Version).Prefixed(Attest.Span).Prefixed(Signature.Span).UInt16((ushort)KeyForm).Prefixed(Key.Span).UInt16((ushort)Pcrs.Length);
        foreach (TpmPcrValue pcr in Pcrs.OrderBy(pcr => pcr.Bank).ThenBy(pcr => pcr.Index))
            writer.UInt16((ushort)pcr.Bank).UInt16((ushort)pcr.Index).Raw(pcr.Value.Span);
        byte[] encoded = writer.ToArray();
        Outcome<TpmReport> read = Parse(encoded);
        return read.IsAccepted ? encoded : throw new ArgumentException($"This is no report: {read.Field}: {read.Reason}.");
    }

    /// <summary>Reads a report; its parts are slices of <paramref name="bytes"/>, not yet read themselves.</summary>
    public static Outcome<TpmReport> Parse(ReadOnlyMemory<byte> bytes)
    {
        var reader = new FieldReader(bytes.Span);
        if (!reader.TryBytes(Magic.Length, out ReadOnlySpan<byte> magic) || !magic.SequenceEqual(Magic)) return Refuse(Refusal.ReportMagic, "magic", "these bytes are not a TPM report");
        if (!reader.TryUInt16(out ushort version)) return Truncated("version");
        if (version != Version) return Refuse(Refusal.ReportVersion, "version", $"version {version}; this verifier reads version {Version}");
        if (TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> attest) is { } badAttest) return Unread(badAttest, "attest");
        if (TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> signature) is { } badSignature) return Unread(badSignature, "signature");
        if (!reader.TryUInt16(out ushort form)) return Truncated("keyForm");
        if (form is not ((ushort)TpmKeyForm.TpmPublic or (ushort)TpmKeyForm.SubjectPublicKeyInfo)) return Refuse(Refusal.ReportField, "keyForm", $"{form} is not a form of a key");
        if (TrySlice(ref reader, bytes, out ReadOnlyMemory<byte> key) is { } badKey) return Unread(badKey, "key");
        if (!reader.TryUInt16(out ushort count)) return Truncated("pcrs");
        if (count > MaximumPcrs) return Refuse(Refusal.ReportField, "pcrs", $"more than {MaximumPcrs} values");
        var pcrs = ImmutableArray.CreateBuilder<TpmPcrValue>(count);
        for (int i = 0, last = -1; i < count; i++)
        {
            if (!reader.TryUInt16(out ushort bank) || !reader.TryUInt16(out ushort index)) return Truncated("pcrs");
            int size = TpmHash.SizeOf((TpmAlgorithm)bank), place = bank << 8 | index;
            if (size == 0 || index >= TpmLayout.PcrCount) return Refuse(Refusal.ReportField, $"pcrs[{i}]", $"bank {bank:x4}, PCR {index}: there is no such value");
            if (place <= last) return Refuse(Refusal.ReportField, $"pcrs[{i}]", "values are not ascending");
            if (!reader.TryBytes(size, out _)) return Truncated("pcrs");
            pcrs.Add(new TpmPcrValue((TpmAlgorithm)bank, index, bytes.Slice(bytes.Length - reader.Remaining - size, size)));
            last = place;
        }
        return reader.Remaining == 0
            ? Outcome.Accept(new TpmReport(attest, signature, (TpmKeyForm)form, key, pcrs.MoveToImmutable()))
            : Refuse(Refusal.ReportTrailingBytes, "report", $"{reader.Remaining} bytes follow the last value");
    }

    /// <summary>Fuzz target: an accepted report is written back to the same bytes.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Parse(bytes.ToArray()).TryGetValue(out TpmReport? report) && !report.Encode().AsSpan().SequenceEqual(bytes))
            throw new InvalidOperationException("Two encodings of one report.");
    }

    private static Refusal? TrySlice(ref FieldReader reader, ReadOnlyMemory<byte> whole, out ReadOnlyMemory<byte> slice)
    {
        slice = default;
        if (reader.TryPrefixed(TpmLayout.MaximumStructure, out ReadOnlySpan<byte> field) is not Refusal.None and var refusal) return refusal;
        slice = whole.Slice(whole.Length - reader.Remaining - field.Length, field.Length);
        return null;
    }

    private static Outcome<TpmReport> Unread(Refusal refusal, string field) => refusal == Refusal.EvidenceTruncated ? Truncated(field) : Refuse(Refusal.ReportField, field, "its length is over the layout's limit");

    private static Outcome<TpmReport> Truncated(string field) => Refuse(Refusal.ReportTruncated, field, "the report ends before this field does");

    private static Outcome<TpmReport> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<TpmReport>(refusal, field, reason);
}

/// <summary>How a report writes the attestation key. Numbers are part of the format.</summary>
public enum TpmKeyForm : ushort
{
    /// <summary>TPMT_PUBLIC: says what the TPM enforces for the key.</summary>
    TpmPublic = 1,

    /// <summary>DER SubjectPublicKeyInfo: only who vouches for the key can say that a TPM holds it.</summary>
    SubjectPublicKeyInfo = 2,
}

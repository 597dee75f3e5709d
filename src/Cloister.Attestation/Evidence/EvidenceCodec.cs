using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation;

/// <summary>An <see cref="EvidenceSet"/> as bytes and back (docs/formats/evidence.md). One encoding exists for each set.</summary>
public static class EvidenceCodec
{
    /// <summary>Most bytes of an encoded set.</summary>
    public const int MaximumSize = 16 << 20;

    /// <summary>Most pieces of evidence beside the primary's.</summary>
    public const int MaximumOthers = 16;

    /// <summary>Most bytes of a report.</summary>
    public const int MaximumReport = 1 << 20;

    /// <summary>Most bytes of an event log.</summary>
    public const int MaximumEventLog = 4 << 20;

    /// <summary>Most bytes of runtime data.</summary>
    public const int MaximumRuntimeData = 64 << 10;

    /// <summary>Most endorsements attached to one piece of evidence.</summary>
    public const int MaximumEndorsements = 32;

    /// <summary>Most bytes of one endorsement.</summary>
    public const int MaximumEndorsement = 2 << 20;

    private const int Version = 1, MaximumKind = 64;

    private static readonly SearchValues<byte> KindCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-."u8);

    private static ReadOnlySpan<byte> Magic => "CLOISTER EVIDENCE"u8;

    /// <summary>Encodes a set.</summary>
    /// <exception cref="ArgumentException">A part is larger than the format allows.</exception>
    public static byte[] Encode(EvidenceSet evidence)
    {
        ImmutableArray<Evidence> others = evidence.Others.IsDefault ? [] : evidence.Others;
        Require(others.Length <= MaximumOthers, "more evidence than the format holds");
        var writer = new FieldWriter();
        writer.Raw(Magic).UInt16(Version)
            .Prefixed(Binding.LabelOf(evidence.Stated.Role)).Prefixed(evidence.Stated.Nonce.Span).Prefixed(evidence.Stated.SubjectPublicKeyInfo.Span)
            .UInt16(1 + others.Length);
        foreach (Evidence one in others.Insert(0, evidence.Primary))
            Write(writer, one);
        Require(writer.Written.Length <= MaximumSize, "the set is larger than the format allows");
        return writer.ToArray();
    }

    /// <summary>
    /// What stands for a piece of evidence where another covers it: SHA-512 over kind, report, event log and runtime data.
    /// Endorsements are left out, since anybody may replace them by fresher ones.
    /// </summary>
    internal static byte[] Digest(Evidence evidence)
    {
        var writer = new FieldWriter();
        WriteCovered(writer, evidence);
        return SHA512.HashData(writer.Written);
    }

    private static void Write(FieldWriter writer, Evidence evidence)
    {
        ImmutableArray<Endorsement> endorsements = evidence.Endorsements.IsDefault ? [] : evidence.Endorsements;
        Require(endorsements.Length <= MaximumEndorsements, "more endorsements than the format holds");
        WriteCovered(writer, evidence);
        writer.UInt16(endorsements.Length);
        foreach (Endorsement endorsement in endorsements)
        {
            Require(IsKind(Encoding.UTF8.GetBytes(endorsement.Kind)), $"'{endorsement.Kind}' is not an endorsement's kind");
            Require(endorsement.Bytes.Length <= MaximumEndorsement, "an endorsement is larger than the format allows");
            writer.Prefixed(Encoding.ASCII.GetBytes(endorsement.Kind)).Prefixed(endorsement.Bytes.Span);
        }
    }

    private static void WriteCovered(FieldWriter writer, Evidence evidence)
    {
        Require(Enum.IsDefined(evidence.Kind), "the evidence's kind has no number");
        Require(evidence.Report.Length <= MaximumReport, "the report is larger than the format allows");
        Require(evidence.EventLog.Length <= MaximumEventLog, "the event log is larger than the format allows");
        Require(evidence.RuntimeData.Length <= MaximumRuntimeData, "the runtime data are larger than the format allows");
        writer.UInt16((ushort)evidence.Kind).Prefixed(evidence.Report.Span).Prefixed(evidence.EventLog.Span).Prefixed(evidence.RuntimeData.Span);
    }

    /// <summary>Decodes hostile bytes; refuses what <see cref="Encode"/> would not have written.</summary>
    public static Outcome<EvidenceSet> Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumSize) return Refuse(Refusal.EvidenceTooLarge, "evidence", $"{bytes.Length} bytes; at most {MaximumSize} are read");
        var reader = new FieldReader(bytes);
        if (!reader.TryBytes(Magic.Length, out ReadOnlySpan<byte> magic) || !magic.SequenceEqual(Magic))
            return Refuse(Refusal.EvidenceMagic, "magic", "these bytes are not Cloister evidence");
        if (!reader.TryUInt16(out ushort version)) return Truncated("version");
        if (version != Version) return Refuse(Refusal.EvidenceVersion, "version", $"version {version}; this verifier reads version {Version}");
        if (ReadBinding(ref reader, out Binding? stated) is { } badBinding) return badBinding;
        if (!reader.TryUInt16(out ushort count)) return Truncated("count");
        if (count is 0 or > 1 + MaximumOthers) return Refuse(Refusal.EvidenceCount, "count", $"{count} pieces of evidence; 1 to {1 + MaximumOthers} are read");
        var all = ImmutableArray.CreateBuilder<Evidence>(count);
        for (int i = 0; i < count; i++)
        {
            if (ReadEvidence(ref reader, i, out Evidence? one) is { } bad) return bad;
            all.Add(one!);
        }
        if (reader.Remaining != 0) return Refuse(Refusal.EvidenceTrailingBytes, "evidence", $"{reader.Remaining} bytes follow the end");
        return Outcome.Accept(new EvidenceSet(all[0], [.. all.Skip(1)], stated!));
    }

    /// <summary>Fuzz target: whatever is accepted encodes to the same bytes.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        Outcome<EvidenceSet> outcome = Decode(bytes);
        if (outcome.IsAccepted && !Encode(outcome.Value).AsSpan().SequenceEqual(bytes))
            throw new InvalidOperationException("Two encodings of one evidence set.");
    }

    private static Outcome<EvidenceSet>? ReadBinding(ref FieldReader reader, out Binding? binding)
    {
        binding = null;
        if (reader.TryPrefixed(MaximumKind, out ReadOnlySpan<byte> label) is not Refusal.None and var badLabel) return Unread(badLabel, "stated.role");
        if (RoleOf(label) is not { } role) return Refuse(Refusal.EvidenceRoleUnknown, "stated.role", "the role's label is not one of this version");
        if (reader.TryPrefixed(Binding.MaximumNonce, out ReadOnlySpan<byte> nonce) is not Refusal.None and var badNonce) return Unread(badNonce, "stated.nonce");
        if (!Binding.IsNonceLength(nonce.Length)) return Refuse(Refusal.EvidenceNonceLength, "stated.nonce", $"{nonce.Length} bytes; a nonce has {Binding.MinimumNonce} to {Binding.MaximumNonce}");
        if (reader.TryPrefixed(Binding.MaximumKey, out ReadOnlySpan<byte> key) is not Refusal.None and var badKey) return Unread(badKey, "stated.key");
        if (!Binding.IsKeyLength(key.Length)) return Refuse(Refusal.EvidenceKeyLength, "stated.key", "the key is empty");
        binding = new Binding(role, nonce.ToArray(), key.ToArray());
        return null;
    }

    private static Outcome<EvidenceSet>? ReadEvidence(ref FieldReader reader, int index, out Evidence? evidence)
    {
        evidence = null;
        string at = $"evidence[{index}]";
        if (!reader.TryUInt16(out ushort kind)) return Truncated(at + ".kind");
        if (!Enum.IsDefined((TeeKind)kind)) return Refuse(Refusal.EvidenceKindUnknown, at + ".kind", $"kind {kind} is not one of this version");
        if (reader.TryPrefixed(MaximumReport, out ReadOnlySpan<byte> report) is not Refusal.None and var badReport) return Unread(badReport, at + ".report");
        if (reader.TryPrefixed(MaximumEventLog, out ReadOnlySpan<byte> log) is not Refusal.None and var badLog) return Unread(badLog, at + ".eventLog");
        if (reader.TryPrefixed(MaximumRuntimeData, out ReadOnlySpan<byte> data) is not Refusal.None and var badData) return Unread(badData, at + ".runtimeData");
        if (!reader.TryUInt16(out ushort count)) return Truncated(at + ".endorsements");
        if (count > MaximumEndorsements) return Refuse(Refusal.EvidenceCount, at + ".endorsements", $"{count} endorsements; at most {MaximumEndorsements} are read");
        var endorsements = ImmutableArray.CreateBuilder<Endorsement>(count);
        for (int i = 0; i < count; i++)
        {
            string field = $"{at}.endorsements[{i}]";
            if (reader.TryPrefixed(MaximumKind, out ReadOnlySpan<byte> name) is not Refusal.None and var badName) return Unread(badName, field + ".kind");
            if (!IsKind(name)) return Refuse(Refusal.EvidenceTextInvalid, field + ".kind", "a kind is lower-case ASCII letters, digits, '-' and '.'");
            if (reader.TryPrefixed(MaximumEndorsement, out ReadOnlySpan<byte> content) is not Refusal.None and var badContent) return Unread(badContent, field);
            endorsements.Add(new Endorsement(Encoding.ASCII.GetString(name), content.ToArray()));
        }
        evidence = new Evidence((TeeKind)kind, report.ToArray(), log.ToArray(), data.ToArray(), endorsements.MoveToImmutable());
        return null;
    }

    private static AttesterRole? RoleOf(ReadOnlySpan<byte> label)
    {
        foreach (AttesterRole role in Enum.GetValues<AttesterRole>())
            if (label.SequenceEqual(Binding.LabelOf(role))) return role;
        return null;
    }

    private static bool IsKind(ReadOnlySpan<byte> kind) => kind.Length is > 0 and <= MaximumKind
        && !kind.ContainsAnyExcept(KindCharacters);

    private static Outcome<EvidenceSet> Unread(Refusal refusal, string field) => refusal == Refusal.EvidenceTruncated
        ? Truncated(field)
        : Refuse(refusal, field, "its length is over the format's limit");

    private static Outcome<EvidenceSet> Truncated(string field) => Refuse(Refusal.EvidenceTruncated, field, "the bytes end before this field does");

    private static Outcome<EvidenceSet> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<EvidenceSet>(refusal, field, reason);

    private static void Require(bool condition, string otherwise)
    {
        if (!condition) throw new ArgumentException($"This evidence cannot be encoded: {otherwise}.");
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Attestation;

namespace Cloister.Tests;

public sealed class EvidenceCodecTests
{
    private static readonly Evidence Plain = new(TeeKind.SevSnp, new byte[] { 1, 2, 3 }, new byte[] { 4 }, new byte[] { 5, 6 }, [new Endorsement("vcek.der", new byte[] { 7 }), new Endorsement("crl", default)]);
    private static readonly Evidence Gpu = new(TeeKind.NvidiaGpu, new byte[] { 8 }, default, default, []);
    private static readonly EvidenceSet Set = new(Plain, [Gpu], Sample.Binding);

    private const int MagicSize = 17, VersionAt = MagicSize, RoleAt = VersionAt + 2, RoleSize = 20, NonceAt = RoleAt + 4 + RoleSize,
        KeyAt = NonceAt + 4 + 32, KeySize = 91, CountAt = KeyAt + 4 + KeySize, KindAt = CountAt + 2, ReportAt = KindAt + 2;

    [Fact]
    public void The_format_is_frozen() => Assert.Equal(
        "694ae0478adaf5003e77a89c5b2be516858a8a4f961834475d8f820646009b25",
        Convert.ToHexStringLower(SHA256.HashData(EvidenceCodec.Encode(Set))));

    [Fact]
    public void A_set_comes_back_as_it_was()
    {
        EvidenceSet decoded = EvidenceCodec.Decode(EvidenceCodec.Encode(Set)).Value;
        Assert.Equal(EvidenceCodec.Encode(Set), EvidenceCodec.Encode(decoded));
        Assert.Equal(TeeKind.SevSnp, decoded.Primary.Kind);
        Assert.Equal(Plain.Report.ToArray(), decoded.Primary.Report.ToArray());
        Assert.Equal(Plain.EventLog.ToArray(), decoded.Primary.EventLog.ToArray());
        Assert.Equal(Plain.RuntimeData.ToArray(), decoded.Primary.RuntimeData.ToArray());
        Assert.Equal(["vcek.der", "crl"], decoded.Primary.Endorsements.Select(endorsement => endorsement.Kind));
        Assert.Equal(TeeKind.NvidiaGpu, Assert.Single(decoded.Others).Kind);
        Assert.Equal(AttesterRole.Workload, decoded.Stated.Role);
        Assert.Equal(Sample.Nonce, decoded.Stated.Nonce.ToArray());
        Assert.Equal(Sample.PeerKey, decoded.Stated.SubjectPublicKeyInfo.ToArray());
    }

    public static TheoryData<string, Refusal> Damages() => new()
    {
        { "empty", Refusal.EvidenceMagic },
        { "magic", Refusal.EvidenceMagic },
        { "version", Refusal.EvidenceVersion },
        { "role", Refusal.EvidenceRoleUnknown },
        { "role length", Refusal.EvidenceFieldTooLarge },
        { "short nonce", Refusal.EvidenceNonceLength },
        { "long nonce", Refusal.EvidenceFieldTooLarge },
        { "no key", Refusal.EvidenceKeyLength },
        { "no evidence", Refusal.EvidenceCount },
        { "too much evidence", Refusal.EvidenceCount },
        { "missing evidence", Refusal.EvidenceTruncated },
        { "kind", Refusal.EvidenceKindUnknown },
        { "report length", Refusal.EvidenceFieldTooLarge },
        { "report truncated", Refusal.EvidenceTruncated },
        { "endorsements", Refusal.EvidenceCount },
        { "endorsement kind", Refusal.EvidenceTextInvalid },
        { "trailing", Refusal.EvidenceTrailingBytes },
        { "cut", Refusal.EvidenceTruncated },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Damage_is_refused_by_its_number(string damage, Refusal expected)
    {
        byte[] bytes = EvidenceCodec.Encode(Set);
        const int endorsementsAt = ReportAt + 4 + 3 + 4 + 1 + 4 + 2;
        bytes = damage switch
        {
            "empty" => [],
            "magic" => With(bytes, 0, 0x63),
            "version" => With(bytes, VersionAt, 2),
            "role" => With(bytes, RoleAt + 4, (byte)'x'),
            "role length" => WithLength(bytes, RoleAt, 65),
            "short nonce" => [.. WithLength(bytes, NonceAt, 15)[..(NonceAt + 4 + 15)], .. bytes[KeyAt..]],
            "long nonce" => WithLength(bytes, NonceAt, 65),
            "no key" => [.. WithLength(bytes, KeyAt, 0)[..(KeyAt + 4)], .. bytes[CountAt..]],
            "no evidence" => With(bytes, CountAt, 0),
            "too much evidence" => With(bytes, CountAt, 18),
            "missing evidence" => With(bytes, CountAt, 3),
            "kind" => With(bytes, KindAt, 7),
            "report length" => WithLength(bytes, ReportAt, uint.MaxValue),
            "report truncated" => WithLength(bytes, ReportAt, EvidenceCodec.MaximumReport),
            "endorsements" => With(bytes, endorsementsAt, 33),
            "endorsement kind" => With(bytes, endorsementsAt + 2 + 4, (byte)'V'),
            "trailing" => [.. bytes, 0],
            "cut" => bytes[..^1],
            _ => throw new ArgumentOutOfRangeException(nameof(damage)),
        };
        Outcome<EvidenceSet> outcome = EvidenceCodec.Decode(bytes);
        Assert.False(outcome.IsAccepted);
        Assert.Equal(expected, outcome.Refusal);
        Assert.NotEmpty(outcome.Field);
        Assert.NotEmpty(outcome.Reason);
        Assert.Throws<InvalidOperationException>(() => outcome.Value);
    }

    [Fact]
    public void Every_shorter_length_is_refused()
    {
        byte[] bytes = EvidenceCodec.Encode(Set);
        for (int length = 0; length < bytes.Length; length++)
            Assert.False(EvidenceCodec.Decode(bytes.AsSpan(0, length)).IsAccepted);
    }

    [Fact]
    public void Too_many_bytes_are_refused_before_they_are_read() =>
        Assert.Equal(Refusal.EvidenceTooLarge, EvidenceCodec.Decode(new byte[EvidenceCodec.MaximumSize + 1]).Refusal);

    [Fact]
    public void Mutations_give_a_refusal_or_one_canonical_set()
    {
        foreach (byte[] bytes in Mutations.Of(EvidenceCodec.Encode(Set), 5_000, seed: 1))
            EvidenceCodec.Fuzz(bytes);
    }

    [Fact]
    public void What_the_format_does_not_hold_is_the_callers_mistake()
    {
        Assert.Throws<ArgumentException>(() => EvidenceCodec.Encode(Set with { Others = [.. Enumerable.Repeat(Gpu, EvidenceCodec.MaximumOthers + 1)] }));
        Assert.Throws<ArgumentException>(() => EvidenceCodec.Encode(Set with { Primary = Plain with { RuntimeData = new byte[EvidenceCodec.MaximumRuntimeData + 1] } }));
        Assert.Throws<ArgumentException>(() => EvidenceCodec.Encode(Set with { Primary = Plain with { Endorsements = [new Endorsement("A b", default)] } }));
        Assert.Throws<ArgumentException>(() => EvidenceCodec.Encode(Set with { Primary = Plain with { Kind = 0 } }));
    }

    [Fact]
    public void Endorsements_may_be_replaced_without_breaking_what_covers_the_evidence()
    {
        Assert.Equal(EvidenceCodec.Digest(Plain), EvidenceCodec.Digest(Plain with { Endorsements = [] }));
        Assert.NotEqual(EvidenceCodec.Digest(Plain), EvidenceCodec.Digest(Plain with { EventLog = default }));
    }

    private static byte[] With(byte[] bytes, int at, byte value)
    {
        byte[] changed = [.. bytes];
        changed[at] = value;
        return changed;
    }

    private static byte[] WithLength(byte[] bytes, int at, uint length)
    {
        byte[] changed = [.. bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(at), length);
        return changed;
    }
}

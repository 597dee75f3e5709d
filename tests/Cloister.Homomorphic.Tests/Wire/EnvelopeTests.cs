using System.Text;
using Cloister.Homomorphic.Wire;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class EnvelopeTests
{
    private static readonly byte[] KeyBytes = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static readonly EnvelopeHeader Header = new(
        EnvelopeKind.Query, Repeat(0xa1, 32), new KeyId(Repeat(0xb2, 16)), Repeat(0xc3, 32), Repeat(0xd4, 16));

    [Fact]
    public void LayoutIsFrozen()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] envelope = Envelope.Seal(Header, "hello"u8, key, Repeat(0xe5, 12));
        string header = Convert.ToHexStringLower("CLHEENVL"u8) + "0101000005000000" + Hex(0xa1, 32) + Hex(0xb2, 16) + Hex(0xc3, 32) + Hex(0xd4, 16) + Hex(0xe5, 12);
        Assert.Equal(header + "0b19b22977929909797c0bfda817369ae21d0a3432", Convert.ToHexStringLower(envelope));

        using EnvelopeKey derived = EnvelopeKey.Derive(KeyBytes, Header.ModelDigest.Span, Header.KeyId, Header.Owner.Span);
        Assert.Equal("f1e573f1d42696a74ca6761d25d6eb15f27b7556b3cbb58ac03976fde75953aa", Convert.ToHexStringLower(derived.Span));
    }

    [Fact]
    public void What_was_sealed_opens_and_two_envelopes_are_never_alike()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] body = Encoding.UTF8.GetBytes("a query"), first = Envelope.Seal(Header, body, key), second = Envelope.Seal(Header, body, key);
        Assert.Equal(Envelope.Overhead + body.Length, first.Length);
        Assert.NotEqual(first, second);
        Assert.Equal(body, Envelope.Open(first, Header, key));
        EnvelopeHeader read = Envelope.ReadHeader(first);
        Assert.Equal((Header.Kind, Header.KeyId), (read.Kind, read.KeyId));
        Assert.Equal(Header.ModelDigest.ToArray(), read.ModelDigest.ToArray());
        Assert.Equal(Header.Owner.ToArray(), read.Owner.ToArray());
        Assert.Equal(Header.RequestId.ToArray(), read.RequestId.ToArray());
    }

    [Fact]
    public void Another_subject_is_refused_by_its_own_number()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] envelope = Envelope.Seal(Header, "query"u8, key);
        (EnvelopeHeader Expected, HomomorphicError Error)[] cases =
        [
            (Header with { Kind = EnvelopeKind.Answer }, HomomorphicError.EnvelopeKind),
            (Header with { ModelDigest = Repeat(1, 32) }, HomomorphicError.EnvelopeModel),
            (Header with { KeyId = KeyId.Random() }, HomomorphicError.EnvelopeKeyId),
            (Header with { Owner = Repeat(1, 32) }, HomomorphicError.EnvelopeOwner),
            (Header with { RequestId = Envelope.NewRequestId() }, HomomorphicError.EnvelopeRequest),
        ];
        foreach ((EnvelopeHeader expected, HomomorphicError error) in cases) Refused(error, () => Envelope.Open(envelope, expected, key));

        using var other = new EnvelopeKey(Repeat(7, 32));
        Refused(HomomorphicError.EnvelopeNotAuthentic, () => Envelope.Open(envelope, Header, other));
    }

    [Fact]
    public void A_query_relabelled_as_its_answer_does_not_open()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] envelope = Envelope.Seal(Header, "query"u8, key);
        envelope[9] = (byte)EnvelopeKind.Answer;
        Refused(HomomorphicError.EnvelopeNotAuthentic, () => Envelope.Open(envelope, Header with { Kind = EnvelopeKind.Answer }, key));
        envelope[9] = (byte)EnvelopeKind.SealQuery;
        Refused(HomomorphicError.EnvelopeNotAuthentic, () => Envelope.Open(envelope, Header with { Kind = EnvelopeKind.SealQuery }, key));
    }

    [Fact]
    public void Every_changed_bit_is_refused()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] envelope = Envelope.Seal(Header, "body"u8, key);
        for (int bit = 0; bit < envelope.Length * 8; bit++)
        {
            byte[] changed = [.. envelope];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<HomomorphicException>(() => Envelope.Open(changed, Header, key));
        }
    }

    [Fact]
    public void Malformed_bytes_are_refused_by_number()
    {
        using var key = new EnvelopeKey(KeyBytes);
        byte[] envelope = Envelope.Seal(Header, "body"u8, key);
        Refused(HomomorphicError.WireTruncated, () => Envelope.ReadHeader(envelope.AsSpan(0, envelope.Length - 1)));
        Refused(HomomorphicError.WireTruncated, () => Envelope.ReadHeader(envelope.AsSpan(0, 20)));
        Refused(HomomorphicError.WireMagic, () => Envelope.ReadHeader(default));
        Refused(HomomorphicError.WireTrailing, () => Envelope.ReadHeader([.. envelope, 0]));
        foreach ((int at, byte value, HomomorphicError error) in new[]
        {
            (0, (byte)'X', HomomorphicError.WireMagic), (8, (byte)2, HomomorphicError.WireVersion), (9, (byte)0, HomomorphicError.EnvelopeKind),
            (9, (byte)5, HomomorphicError.EnvelopeKind), (10, (byte)1, HomomorphicError.WireReserved), (15, (byte)0xff, HomomorphicError.WireOversized),
        })
        {
            byte[] changed = [.. envelope];
            changed[at] = value;
            Refused(error, () => Envelope.ReadHeader(changed));
        }
    }

    [Fact]
    public void A_key_that_was_given_back_is_zero_and_not_used()
    {
        var key = new EnvelopeKey(KeyBytes);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Envelope.Seal(Header, "body"u8, key));
    }

    [Fact]
    public void Key_ids_are_read_strictly()
    {
        KeyId id = KeyId.Random();
        Assert.True(KeyId.TryParse(id.ToString(), out KeyId read) && read == id);
        foreach (string? text in new[] { null, "", id.ToString()[..31], id + "0", new string('G', 32), new string('A', 32) })
            Assert.False(KeyId.TryParse(text, out _));
    }

    [Fact]
    public void Mutated_envelopes_are_refused_and_nothing_else()
    {
        using var key = new EnvelopeKey(new byte[32]);
        Mutation.Drive(Envelope.Seal(Header, "a body that is a little longer"u8, key), Envelope.Fuzz);
    }

    private static void Refused(HomomorphicError error, Action action) => Assert.Equal(error, Assert.Throws<HomomorphicException>(action).Error);

    private static byte[] Repeat(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static string Hex(byte value, int count) => Convert.ToHexStringLower(Repeat(value, count));
}

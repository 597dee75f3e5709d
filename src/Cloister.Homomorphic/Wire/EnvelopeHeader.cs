using System.Buffers.Binary;

namespace Cloister.Homomorphic.Wire;

/// <summary>Whom and what an envelope is about. It travels in clear; only opening the envelope proves it.</summary>
/// <param name="Kind">What the body is.</param>
/// <param name="ModelDigest">SHA-256 of the compiled model, 32 bytes.</param>
/// <param name="KeyId">The client's key.</param>
/// <param name="Owner">The caller as the server named it at registration, 32 bytes.</param>
/// <param name="RequestId">16 bytes, fresh for every query; an answer has its query's.</param>
public sealed record EnvelopeHeader(EnvelopeKind Kind, ReadOnlyMemory<byte> ModelDigest, KeyId KeyId, ReadOnlyMemory<byte> Owner, ReadOnlyMemory<byte> RequestId)
{
    internal const int Size = 124, NonceAt = 112;

    private const int KindAt = 9, ReservedAt = 10, BodyAt = 12, DigestAt = 16, KeyIdAt = 48, OwnerAt = 64, RequestAt = 96;

    /// <summary>Reads the header of a whole envelope and checks that the envelope is as long as it says.</summary>
    internal static EnvelopeHeader Read(ReadOnlySpan<byte> envelope)
    {
        if (envelope.Length < Magic.Length || !envelope[..Magic.Length].SequenceEqual(Magic))
            throw new HomomorphicException(HomomorphicError.WireMagic, "This is no envelope: it does not begin with CLHEENVL.");
        if (envelope.Length < Size + Envelope.TagSize + 1)
            throw new HomomorphicException(HomomorphicError.WireTruncated, $"The envelope ends after {envelope.Length} bytes.");
        if (envelope[Magic.Length] != Envelope.Version)
            throw new HomomorphicException(HomomorphicError.WireVersion, $"The envelope has version {envelope[Magic.Length]}; this program knows {Envelope.Version}.");
        if (envelope[KindAt] is < (byte)EnvelopeKind.Query or > (byte)EnvelopeKind.SealAnswer)
            throw new HomomorphicException(HomomorphicError.EnvelopeKind, $"The envelope has the unknown kind {envelope[KindAt]}.");
        if (envelope[ReservedAt..BodyAt].ContainsAnyExcept((byte)0))
            throw new HomomorphicException(HomomorphicError.WireReserved, "The envelope's reserved bytes are not zero.");
        uint body = BinaryPrimitives.ReadUInt32LittleEndian(envelope[BodyAt..]);
        if (body is 0 or > Envelope.MaximumBody)
            throw new HomomorphicException(HomomorphicError.WireOversized, $"The envelope says that its body has {body} bytes; 1 to {Envelope.MaximumBody} are allowed.");
        WireLength.Require(envelope.Length, Size + (long)body + Envelope.TagSize, "The envelope");
        return new EnvelopeHeader(
            (EnvelopeKind)envelope[KindAt],
            envelope.Slice(DigestAt, Envelope.DigestSize).ToArray(),
            new KeyId(envelope.Slice(KeyIdAt, KeyId.Size)),
            envelope.Slice(OwnerAt, Envelope.OwnerSize).ToArray(),
            envelope.Slice(RequestAt, Envelope.RequestIdSize).ToArray());
    }

    /// <summary>Writes all of the header but its nonce.</summary>
    internal void Write(Span<byte> target, int body)
    {
        Require(ModelDigest, Envelope.DigestSize, "The model's digest");
        Require(Owner, Envelope.OwnerSize, "The owner");
        Require(RequestId, Envelope.RequestIdSize, "The request's id");
        target[..Size].Clear();
        Magic.CopyTo(target);
        target[Magic.Length] = Envelope.Version;
        target[KindAt] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(target[BodyAt..], body);
        ModelDigest.Span.CopyTo(target[DigestAt..]);
        KeyId.CopyTo(target[KeyIdAt..]);
        Owner.Span.CopyTo(target[OwnerAt..]);
        RequestId.Span.CopyTo(target[RequestAt..]);
    }

    private static ReadOnlySpan<byte> Magic => "CLHEENVL"u8;

    private static void Require(ReadOnlyMemory<byte> bytes, int size, string what)
    {
        if (bytes.Length != size) throw new ArgumentException($"{what} has {size} bytes, not {bytes.Length}.");
    }
}

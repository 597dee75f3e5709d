using System.Security.Cryptography;

namespace Cloister.Homomorphic.Wire;

/// <summary>
/// Binds a query or an answer to its model, key, caller and request (docs/formats/he-envelope.md): AES-256-GCM under a key of this request and direction.
/// Ciphertexts authenticate nothing by themselves.
/// </summary>
public static class Envelope
{
    /// <summary>Lengths of the header's members, in bytes.</summary>
    public const int DigestSize = 32, OwnerSize = 32, RequestIdSize = 16;

    /// <summary>The largest body, in bytes.</summary>
    public const int MaximumBody = 1 << 28;

    /// <summary>What an envelope adds to its body, in bytes.</summary>
    public const int Overhead = EnvelopeHeader.Size + TagSize;

    internal const int TagSize = 16, NonceSize = 12;
    internal const byte Version = 1;

    /// <summary>A fresh request id.</summary>
    public static byte[] NewRequestId() => RandomNumberGenerator.GetBytes(RequestIdSize);

    /// <summary>Reads an envelope's header. Nothing of it is proven: a server finds the key by it, and then opens the envelope.</summary>
    /// <exception cref="HomomorphicException">It is no envelope, or not as long as it says.</exception>
    public static EnvelopeHeader ReadHeader(ReadOnlySpan<byte> envelope) => EnvelopeHeader.Read(envelope);

    /// <summary>Encrypts a body.</summary>
    /// <param name="header">What it is bound to.</param>
    /// <param name="body">1 to <see cref="MaximumBody"/> bytes.</param>
    /// <param name="key">The key that the server gave for this model, key id and caller.</param>
    public static byte[] Seal(EnvelopeHeader header, ReadOnlySpan<byte> body, EnvelopeKey key)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        RandomNumberGenerator.Fill(nonce);
        return Seal(header, body, key, nonce);
    }

    internal static byte[] Seal(EnvelopeHeader header, ReadOnlySpan<byte> body, EnvelopeKey key, ReadOnlySpan<byte> nonce)
    {
        if (body.Length is 0 or > MaximumBody) throw new ArgumentException($"A body has 1 to {MaximumBody} bytes, not {body.Length}.", nameof(body));
        var envelope = new byte[Overhead + body.Length];
        Span<byte> head = envelope.AsSpan(0, EnvelopeHeader.Size);
        header.Write(head, body.Length);
        nonce.CopyTo(head[EnvelopeHeader.NonceAt..]);
        using AesGcm cipher = Cipher(header, key);
        cipher.Encrypt(nonce, body, envelope.AsSpan(EnvelopeHeader.Size, body.Length), envelope.AsSpan(envelope.Length - TagSize), head);
        return envelope;
    }

    /// <summary>Decrypts a body, if the envelope is exactly the expected one.</summary>
    /// <param name="envelope">Any bytes.</param>
    /// <param name="expected">What it must be bound to, in every member.</param>
    /// <param name="key">The key that the server gave, or derived, for them.</param>
    /// <exception cref="HomomorphicException">It is no envelope, is bound to something else, or was not sealed under this key.</exception>
    public static byte[] Open(ReadOnlySpan<byte> envelope, EnvelopeHeader expected, EnvelopeKey key)
    {
        EnvelopeHeader header = ReadHeader(envelope);
        Require(header.Kind == expected.Kind, HomomorphicError.EnvelopeKind, $"The envelope carries {header.Kind}, not {expected.Kind}.");
        Require(Same(header.ModelDigest, expected.ModelDigest), HomomorphicError.EnvelopeModel, "The envelope is for another model, or another version of it. Fetch the model's specification again.");
        Require(header.KeyId == expected.KeyId, HomomorphicError.EnvelopeKeyId, "The envelope is of another client's key.");
        Require(Same(header.Owner, expected.Owner), HomomorphicError.EnvelopeOwner, "The envelope is another caller's. Register the key as this caller.");
        Require(Same(header.RequestId, expected.RequestId), HomomorphicError.EnvelopeRequest, "The envelope answers another request.");
        var body = new byte[envelope.Length - Overhead];
        using AesGcm cipher = Cipher(header, key);
        try
        {
            cipher.Decrypt(envelope.Slice(EnvelopeHeader.NonceAt, NonceSize), envelope[EnvelopeHeader.Size..^TagSize], envelope[^TagSize..], body, envelope[..EnvelopeHeader.Size]);
            return body;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new HomomorphicException(HomomorphicError.EnvelopeNotAuthentic, "The envelope was changed on its way, or sealed under another key: register the key again.", e);
        }
    }

    private static AesGcm Cipher(EnvelopeHeader header, EnvelopeKey key)
    {
        ReadOnlySpan<byte> direction = header.Kind is EnvelopeKind.Query or EnvelopeKind.SealQuery ? "query"u8 : "answer"u8;
        Span<byte> request = stackalloc byte[EnvelopeKey.Size];
        try
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Span, request, header.RequestId.Span, Labels.Join("cloister/he/envelope/v1"u8, direction.ToArray()));
            return new AesGcm(request, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(request);
        }
    }

    private static bool Same(ReadOnlyMemory<byte> a, ReadOnlyMemory<byte> b) => CryptographicOperations.FixedTimeEquals(a.Span, b.Span);

    private static void Require(bool holds, HomomorphicError error, string message)
    {
        if (!holds) throw new HomomorphicException(error, message);
    }

    /// <summary>Fuzz target: any bytes are opened, or refused with a <see cref="HomomorphicException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        using var key = new EnvelopeKey(new byte[EnvelopeKey.Size]);
        try
        {
            _ = Open(bytes, ReadHeader(bytes), key);
        }
        catch (HomomorphicException)
        {
            // The documented refusal.
            return;
        }
    }
}

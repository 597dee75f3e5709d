using System.Buffers.Binary;
using System.Security.Cryptography;
using Cloister.Homomorphic;
using Cloister.Homomorphic.Wire;
using Cloister.Sealing;

namespace Cloister.Serving.Encrypted;

/// <summary>
/// The keys of envelopes, made anew from one master whenever they are needed: nothing about a client is kept, and servers with the same
/// master understand each other's clients. Each day has a master of its own, derived from it; today's and yesterday's are taken
/// (docs/formats/he-envelope.md).
/// </summary>
internal sealed class EnvelopeKeys : IDisposable
{
    /// <summary>How long one day's master is given out; envelopes under it are opened for as long again.</summary>
    public static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly SecretBytes _master;
    private readonly TimeProvider _time;

    /// <param name="master">32 bytes, copied; null for fresh ones, which end with this server.</param>
    /// <param name="time">The clock.</param>
    public EnvelopeKeys(SecretBytes? master, TimeProvider time)
    {
        if (master is not null && master.Length != EnvelopeKey.Size)
            throw new ServingException(ServingError.EnvelopeMasterRefused, $"The master of envelope keys has {master.Length} bytes instead of {EnvelopeKey.Size}; let the manifest give a symmetric-key of 256 bits.");
        _master = master is null ? SecretBytes.Random(EnvelopeKey.Size) : SecretBytes.Copy(master.Span);
        _time = time;
    }

    /// <summary>The key that a caller is given for a model and one of its own keys, and when it ends at the latest.</summary>
    public (EnvelopeKey Key, DateTimeOffset Expires) Register(ReadOnlySpan<byte> digest, KeyId keyId, ReadOnlySpan<byte> owner)
    {
        long today = Today;
        return (Derive(today, digest, keyId, owner), DateTimeOffset.UnixEpoch + (today + 2) * Day);
    }

    /// <summary>Decrypts a query's body.</summary>
    /// <param name="envelope">The query.</param>
    /// <param name="header">What it says of itself.</param>
    /// <param name="key">The key that opened it, for the answer; the caller disposes it.</param>
    /// <exception cref="ServingException"><see cref="ServingError.EnvelopeRefused"/>, one text for whatever the reason is.</exception>
    public byte[] Open(ReadOnlySpan<byte> envelope, EnvelopeHeader header, out EnvelopeKey key)
    {
        long today = Today;
        foreach (long day in (ReadOnlySpan<long>)[today, today - 1])
        {
            EnvelopeKey candidate = Derive(day, header.ModelDigest.Span, header.KeyId, header.Owner.Span);
            try
            {
                byte[] body = Envelope.Open(envelope, header, candidate);
                key = candidate;
                return body;
            }
            catch (HomomorphicException refusal) when (refusal.Error == HomomorphicError.EnvelopeNotAuthentic)
            {
                candidate.Dispose();
            }
        }
        throw new ServingException(ServingError.EnvelopeRefused,
            "The envelope does not open: its key is unknown here or has expired, or it was changed on its way. Register the key again and send the query anew.");
    }

    public void Dispose() => _master.Dispose();

    private long Today => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / Day.Ticks;

    private EnvelopeKey Derive(long day, ReadOnlySpan<byte> digest, KeyId keyId, ReadOnlySpan<byte> owner)
    {
        Span<byte> info = stackalloc byte[Label.Length + sizeof(int) + sizeof(long)];
        Label.CopyTo(info);
        BinaryPrimitives.WriteInt32LittleEndian(info[Label.Length..], sizeof(long));
        BinaryPrimitives.WriteInt64LittleEndian(info[(Label.Length + sizeof(int))..], day);
        Span<byte> master = stackalloc byte[EnvelopeKey.Size];
        try
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _master.Span, master, [], info);
            return EnvelopeKey.Derive(master, digest, keyId, owner);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(master);
        }
    }

    // LP("cloister/he/envelope-day/v1")
    private static ReadOnlySpan<byte> Label => "\x1b\0\0\0cloister/he/envelope-day/v1"u8;
}

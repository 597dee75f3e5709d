using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Client;

/// <summary>Certificates whose key lately proved by fresh evidence to be held inside the workload: bounded in number and time.</summary>
internal sealed class VerifiedKeys(TimeSpan lifetime, TimeProvider time)
{
    private const int Capacity = 1024;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _until = new(StringComparer.Ordinal);

    /// <summary>Whether this exact certificate was verified and its evidence still stands.</summary>
    public bool Contains(X509Certificate certificate) =>
        _until.TryGetValue(Key(certificate.GetRawCertData()), out DateTimeOffset until) && time.GetUtcNow() < until;

    /// <summary>Remembers a certificate until its evidence grows old or it expires, whichever comes first.</summary>
    public void Add(AttestedWorkload attested)
    {
        if (_until.Count >= Capacity)
            _until.Clear();
        DateTimeOffset until = time.GetUtcNow() + lifetime;
        _until[Key(attested.Certificate.Span)] = until < attested.Workload.NotAfter ? until : attested.Workload.NotAfter;
    }

    private static string Key(ReadOnlySpan<byte> certificate) => Convert.ToHexString(SHA256.HashData(certificate));
}

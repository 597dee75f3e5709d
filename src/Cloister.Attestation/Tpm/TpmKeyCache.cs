using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// Keeps imported attestation keys that verified a quote, bounded, for the next quote of the same machine. A key in use is never in
/// the cache, so that no two threads share one.
/// </summary>
internal sealed class TpmKeyCache
{
    private const int Maximum = 64;

    private readonly ConcurrentDictionary<string, TpmSigner> _keys = new(StringComparer.Ordinal);

    public TpmSigner? Take(ReadOnlySpan<byte> key) => !_keys.IsEmpty && _keys.TryRemove(NameOf(key), out TpmSigner? signer) ? signer : null;

    public void Return(ReadOnlySpan<byte> key, TpmSigner signer, bool known)
    {
        // A key that is new while the cache is full is not kept: strangers cannot drive the known ones out.
        if ((!known && _keys.Count >= Maximum) || !_keys.TryAdd(NameOf(key), signer)) signer.Dispose();
    }

    private static string NameOf(ReadOnlySpan<byte> key) => Convert.ToHexString(SHA256.HashData(key));
}

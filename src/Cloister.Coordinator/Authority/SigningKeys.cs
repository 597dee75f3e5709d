using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Coordinator.Authority;

/// <summary>
/// Handles on a certificate's private key. One belongs to one thread at a time, and a new one costs half as much again as a signature:
/// those that were used are kept, as many as were ever in use together.
/// </summary>
internal sealed class SigningKeys(X509Certificate2 certificate)
{
    private readonly ConcurrentBag<ECDsa> _free = [];

    public T Use<T>(Func<ECDsa, T> work)
    {
        ECDsa key = _free.TryTake(out ECDsa? free) ? free : certificate.GetECDsaPrivateKey()!;
        T outcome = work(key);
        _free.Add(key);
        return outcome;
    }
}

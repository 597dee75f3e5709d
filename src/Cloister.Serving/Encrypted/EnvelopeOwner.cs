using System.Security.Cryptography;
using System.Text;
using Cloister.Serving.Callers;

namespace Cloister.Serving.Encrypted;

/// <summary>A caller as an envelope names it: SHA-256 of its name in the manifest, of nothing where it has none.</summary>
internal static class EnvelopeOwner
{
    public static byte[] Of(Caller? caller) => SHA256.HashData(Encoding.UTF8.GetBytes(caller?.Name ?? ""));
}

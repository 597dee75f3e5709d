using System.Security.Cryptography.X509Certificates;

namespace Cloister.Serving.Callers.Certificates;

/// <summary>When a certificate is valid.</summary>
internal readonly record struct Validity(DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    public static Validity Of(X509Certificate2 certificate) => new(new(certificate.NotBefore.ToUniversalTime()), new(certificate.NotAfter.ToUniversalTime()));

    public bool Holds(DateTimeOffset now) => NotBefore <= now && now <= NotAfter;
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cloister.Serving.Callers;

/// <summary>
/// Who may use which model, as the manifest says: a bearer token is compared by its SHA-256 in constant time, a client certificate
/// byte for byte (its possession was proved in the TLS handshake). Without either, only models open to anybody.
/// </summary>
internal sealed class CallerRegistry
{
    private const int MaximumTokenLength = 8 << 10;

    private readonly List<(byte[] TokenSha256, Caller Caller)> _tokens = [];
    private readonly List<(byte[] Certificate, Caller Caller)> _certificates = [];
    private readonly HashSet<string> _anonymous;

    /// <exception cref="ArgumentException">A caller has neither a certificate nor a token's digest of 32 bytes, or both.</exception>
    public CallerRegistry(IReadOnlyList<CallerGrant> callers, IReadOnlyList<string> anonymousModels)
    {
        _anonymous = new HashSet<string>(anonymousModels, StringComparer.Ordinal);
        foreach (CallerGrant grant in callers)
        {
            var caller = new Caller(grant.Name, grant.Models);
            if (grant.Certificate.IsEmpty && grant.TokenSha256.Length == SHA256.HashSizeInBytes) _tokens.Add((grant.TokenSha256.ToArray(), caller));
            else if (!grant.Certificate.IsEmpty && grant.TokenSha256.IsEmpty) _certificates.Add((grant.Certificate.ToArray(), caller));
            else throw new ArgumentException($"Caller '{grant.Name}' needs either a certificate or the SHA-256 of a token.", nameof(callers));
        }
    }

    /// <summary>Checks that whoever asks may use the model.</summary>
    /// <returns>The caller; null where the model is open to anybody and nobody was named.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.Unauthenticated"/> or <see cref="ServingError.Forbidden"/>.</exception>
    public Caller? Authorise(HttpContext http, string model)
    {
        Caller? caller = Recognise(http);
        if (_anonymous.Contains(model)) return caller;
        if (caller is null)
            throw new ServingException(ServingError.Unauthenticated, $"Model '{model}' is not open to anybody: send a bearer token or a client certificate that the manifest names.");
        return caller.MayUse(model)
            ? caller
            : throw new ServingException(ServingError.Forbidden, $"Caller '{caller.Name}' may not use model '{model}'; the manifest's operator can allow it.");
    }

    /// <summary>Who asks; null where nobody was named.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.Unauthenticated"/>: a token was sent that is not right.</exception>
    // A token that is sent must be right, even for a model that needs none; a browser may send any certificate it has.
    public Caller? Recognise(HttpContext http)
    {
        var authorization = http.Request.Headers[HeaderNames.Authorization];
        if (authorization.Count > 1) throw Unknown("more than one Authorization header was sent");
        if (authorization.Count == 1) return FindToken(authorization[0]!);
        if (_certificates.Count == 0) return null;
        X509Certificate2? certificate = http.Connection.ClientCertificate;
        return certificate is null ? null : FindCertificate(certificate.RawDataMemory.Span);
    }

    private Caller FindToken(string header)
    {
        const string scheme = "Bearer ";
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) throw Unknown("the Authorization header must be 'Bearer' and a token");
        string token = header[scheme.Length..].Trim();
        if (token.Length is 0 or > MaximumTokenLength) throw Unknown("the bearer token is empty or too long");
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        byte[] bytes = Encoding.UTF8.GetBytes(token);
        SHA256.HashData(bytes, digest);
        CryptographicOperations.ZeroMemory(bytes);
        Caller? found = null;
        // Every entry is compared, so that time says nothing about which one fits.
        foreach ((byte[] tokenSha256, Caller caller) in _tokens)
            if (CryptographicOperations.FixedTimeEquals(tokenSha256, digest)) found = caller;
        return found ?? throw Unknown("the bearer token is not one that the manifest names");
    }

    private Caller? FindCertificate(ReadOnlySpan<byte> certificate)
    {
        foreach ((byte[] known, Caller caller) in _certificates)
            if (certificate.SequenceEqual(known)) return caller;
        return null;
    }

    private static ServingException Unknown(string reason) => new(ServingError.Unauthenticated, $"The caller was not recognised: {reason}.");
}

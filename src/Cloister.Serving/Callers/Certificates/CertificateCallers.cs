using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Cloister.Workload;

namespace Cloister.Serving.Callers.Certificates;

/// <summary>
/// Whose a client certificate is: those callers whose certificate it is byte for byte, and those whose authority's it is. The handshake
/// proved its key. What was found is kept as long as the connection keeps the certificate.
/// </summary>
internal sealed class CertificateCallers : IDisposable
{
    private readonly List<(byte[] Certificate, Caller Caller)> _exact = [];
    private readonly List<AuthorityRule> _rules = [];
    private readonly ConditionalWeakTable<X509Certificate2, Found> _found = [];

    public bool IsEmpty => _exact.Count + _rules.Count == 0;

    public void Add(ReadOnlyMemory<byte> certificate, Caller caller) => _exact.Add((certificate.ToArray(), caller));

    /// <exception cref="ArgumentException">The authority is not a certificate, or none that may issue others.</exception>
    public void Add(CertificateRuleGrant rule, Caller caller) => _rules.Add(new AuthorityRule(rule, caller));

    /// <summary>The callers of a certificate; none where it is a stranger's, or one of an authority that is not valid now.</summary>
    public Caller[] Recognise(X509Certificate2 certificate, DateTimeOffset now)
    {
        if (!_found.TryGetValue(certificate, out Found? found) || (found.Rules.Length == 0 && !found.Lasting))
        {
            found = Find(certificate, now);
            _found.AddOrUpdate(certificate, found);
        }
        if (found.Rules.Length == 0) return found.Exact;
        return found.Valid.Holds(now) ? [.. found.Exact, .. found.Rules.Where(rule => rule.IsValid(now)).Select(rule => rule.Caller)] : found.Exact;
    }

    private Found Find(X509Certificate2 certificate, DateTimeOffset now)
    {
        Caller[] exact = [.. _exact.Where(known => certificate.RawDataMemory.Span.SequenceEqual(known.Certificate)).Select(known => known.Caller)];
        Validity valid = Validity.Of(certificate);
        // A certificate that is not valid yet is looked at again.
        return new Found(exact, [.. _rules.Where(rule => rule.Fits(certificate, now))], valid, Lasting: valid.NotBefore <= now);
    }

    public void Dispose()
    {
        foreach (AuthorityRule rule in _rules) rule.Dispose();
    }

    private sealed record Found(Caller[] Exact, AuthorityRule[] Rules, Validity Valid, bool Lasting);
}

using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>Puts the chain of a signing key together and checks it: signing key, ASK or ASVK, the pinned ARK of its product line.</summary>
internal static class SnpChain
{
    private const int AuthorityBits = 4096, MaximumTried = 8;

    /// <summary>Finds the chain that holds. Time is not looked at.</summary>
    /// <param name="key">The signing key's certificate.</param>
    /// <param name="product">Its product line.</param>
    /// <param name="collateral">Authorities at hand.</param>
    /// <param name="roots">Roots of trust.</param>
    /// <param name="signatures">Checks and remembers signatures.</param>
    /// <param name="chain">Leaf to root, if one holds.</param>
    /// <returns>What is wrong with the first that could be tried, or null.</returns>
    public static Finding? Find(SnpCertificate key, SnpProduct product, SnpCollateral collateral, SnpRoots roots, SignatureChecker signatures, out Certificate[] chain)
    {
        chain = [];
        if (roots.Of(product) is not { } root) return new Finding(Refusal.ChainUntrusted, "chain", $"no root key of {product} is trusted");
        Certificate leaf = key.Certificate;
        string issuer = key.SubjectKind == SnpSigningKey.Vlek ? $"SEV-VLEK-{product}" : $"SEV-{product}";
        if (leaf.IssuerCommonName != issuer) return new Finding(Refusal.CertificateIssuerMismatch, CertificateChainCheck.Name(leaf), $"issued by {leaf.IssuerCommonName}; a {key.SubjectKind} of {product} is issued by {issuer}");
        if (leaf.KeyKind != PublicKeyKind.P384) return new Finding(Refusal.CertificateAlgorithm, CertificateChainCheck.Name(leaf), "its key is not ECDSA on P-384");
        if (leaf.IsAuthority) return new Finding(Refusal.CertificateExtension, CertificateChainCheck.Name(leaf), "a signing key that says it is an authority");

        Finding? first = null;
        int tried = 0;
        foreach (Certificate authority in collateral.Authorities.Concat(roots.Authorities(product)))
        {
            if (!authority.Subject.Span.SequenceEqual(leaf.Issuer.Span) || ++tried > MaximumTried) continue;
            Certificate[] candidate = [leaf, authority, root];
            Finding? finding = Algorithms(candidate) ?? CertificateChainCheck.Links(candidate, signatures);
            if (finding is null)
            {
                chain = candidate;
                return null;
            }
            first ??= finding;
        }
        return first ?? collateral.UnreadableAuthority ?? new Finding(Refusal.CollateralMissing, issuer, $"the certificate of {issuer} is missing: fetch AMD's cert_chain of {product}");
    }

    private static Finding? Algorithms(ReadOnlySpan<Certificate> chain)
    {
        foreach (Certificate certificate in chain)
            if (certificate.SignatureAlgorithm != SignatureAlgorithm.RsaPssSha384) return new Finding(Refusal.CertificateAlgorithm, CertificateChainCheck.Name(certificate), "not signed by RSASSA-PSS with SHA-384");
        foreach (Certificate authority in chain[1..])
            if ((authority.KeyKind, authority.KeyBits) != (PublicKeyKind.Rsa, AuthorityBits)) return new Finding(Refusal.CertificateAlgorithm, CertificateChainCheck.Name(authority), $"its key is not RSA of {AuthorityBits} bits");
        return null;
    }
}

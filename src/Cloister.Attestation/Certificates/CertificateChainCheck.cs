namespace Cloister.Attestation.Certificates;

/// <summary>
/// Checks a chain whose certificates the caller has put in order, leaf first, and whose last is a trust anchor of the caller's own
/// (never taken from a peer). No search for paths, no store of the system, no fetching.
/// </summary>
internal static class CertificateChainCheck
{
    /// <summary>Longest chain that is checked.</summary>
    public const int MaximumLength = 8;

    /// <summary>Names, rights, extensions, and every signature up to the anchor, whose own signature is checked if it is self-issued. Time is not looked at.</summary>
    /// <param name="leafFirst">Leaf to anchor; at least two.</param>
    /// <param name="signatures">Checks and remembers signatures.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Links(ReadOnlySpan<Certificate> leafFirst, SignatureChecker signatures)
    {
        if (leafFirst.Length is < 2 or > MaximumLength) return new Finding(Refusal.CertificateChainLength, "chain", $"{leafFirst.Length} certificates; a chain has 2 to {MaximumLength}");
        for (int i = 0; i < leafFirst.Length; i++)
            if (UnknownCritical(leafFirst[i]) is { } unknown) return unknown;
        for (int i = 0; i + 1 < leafFirst.Length; i++)
        {
            Certificate subject = leafFirst[i], issuer = leafFirst[i + 1];
            if (!subject.Issuer.Span.SequenceEqual(issuer.Subject.Span)) return new Finding(Refusal.CertificateIssuerMismatch, Name(subject), $"issued by {subject.IssuerCommonName}, followed by {Name(issuer)}");
            if (!issuer.MaySignCertificates) return new Finding(Refusal.CertificateNotAuthority, Name(issuer), "it may not issue certificates");
            // The limit counts the intermediates between the issuer and the leaf; those that are self-issued count too, which is stricter than RFC 5280.
            if (issuer.PathLength is { } limit && i > limit) return new Finding(Refusal.CertificateNotAuthority, Name(issuer), $"{i} intermediates stand below it and it allows {limit}");
        }
        // From the anchor down, so that no key is used before it is known whose it is.
        Certificate anchor = leafFirst[^1];
        if (anchor.IsSelfIssued && !signatures.Holds(anchor, anchor)) return Unsigned(anchor, anchor);
        for (int i = leafFirst.Length - 2; i >= 0; i--)
            if (!signatures.Holds(leafFirst[i], leafFirst[i + 1])) return Unsigned(leafFirst[i], leafFirst[i + 1]);
        return null;
    }

    /// <summary>Whether every certificate is valid at the time.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Dates(ReadOnlySpan<Certificate> chain, VerificationTime time)
    {
        if (time.Instant is not { } now) return null;
        foreach (Certificate certificate in chain)
        {
            if (now < certificate.NotBefore) return new Finding(Refusal.NotYetValid, Name(certificate), $"valid from {certificate.NotBefore:u}; the time is {now:u}");
            if (now > certificate.NotAfter) return new Finding(Refusal.Expired, Name(certificate), $"valid until {certificate.NotAfter:u}; the time is {now:u}");
        }
        return null;
    }

    /// <summary>How a certificate is called in reasons.</summary>
    public static string Name(Certificate certificate) => certificate.SubjectCommonName ?? "a certificate without a common name";

    private static Finding Unsigned(Certificate subject, Certificate issuer) => subject.SignatureAlgorithm == SignatureAlgorithm.None
        ? new Finding(Refusal.CertificateAlgorithm, Name(subject), "signed by an algorithm that is not accepted")
        : new Finding(Refusal.CertificateSignatureInvalid, Name(subject), $"not signed by the key of {Name(issuer)}");

    private static Finding? UnknownCritical(Certificate certificate)
    {
        foreach (CertificateExtension extension in certificate.Extensions)
        {
            ReadOnlySpan<byte> oid = extension.Oid.Span;
            // An alternative name is critical where the subject is empty (RFC 5280, 4.2.1.6); nothing here trusts a name.
            if (extension.IsCritical && !oid.SequenceEqual(Oids.BasicConstraints) && !oid.SequenceEqual(Oids.KeyUsage) && !oid.SequenceEqual(Oids.ExtendedKeyUsage) && !oid.SequenceEqual(Oids.SubjectAlternativeName))
                return new Finding(Refusal.CertificateExtension, Name(certificate), $"a critical extension that is not known: {Convert.ToHexStringLower(oid)}");
        }
        return null;
    }
}

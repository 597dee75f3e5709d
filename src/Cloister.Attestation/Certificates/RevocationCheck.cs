namespace Cloister.Attestation.Certificates;

/// <summary>Checks revocation lists: whose they are, whether they are in date, and what they list.</summary>
internal static class RevocationCheck
{
    /// <summary>Whether the list is its issuer's: name, right to sign lists, signature.</summary>
    /// <param name="list">The list.</param>
    /// <param name="issuer">A certificate that the caller trusts already.</param>
    /// <param name="signatures">Checks and remembers signatures.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Issuer(RevocationList list, Certificate issuer, SignatureChecker signatures)
    {
        if (!list.Issuer.Span.SequenceEqual(issuer.Subject.Span)) return new Finding(Refusal.RevocationListIssuer, "crl", $"issued by {list.IssuerCommonName}, not by {CertificateChainCheck.Name(issuer)}");
        if (!issuer.MaySignRevocationLists) return new Finding(Refusal.RevocationListIssuer, CertificateChainCheck.Name(issuer), "it may not sign revocation lists");
        if (list.SignatureAlgorithm == SignatureAlgorithm.None) return new Finding(Refusal.CertificateAlgorithm, "crl", "signed by an algorithm that is not accepted");
        return signatures.Holds(list, issuer) ? null : new Finding(Refusal.RevocationListSignature, "crl", $"not signed by the key of {CertificateChainCheck.Name(issuer)}");
    }

    /// <summary>Whether the list is in date.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Dates(RevocationList list, VerificationTime time)
    {
        if (time.Instant is not { } now) return null;
        if (now < list.ThisUpdate) return new Finding(Refusal.NotYetValid, "crl", $"made {list.ThisUpdate:u}; the time is {now:u}");
        return now > list.NextUpdate ? new Finding(Refusal.Expired, "crl", $"its successor was due {list.NextUpdate:u}; the time is {now:u}") : null;
    }

    /// <summary>Whether none of the certificates is listed.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Finding? Entries(RevocationList list, params ReadOnlySpan<Certificate> certificates)
    {
        foreach (Certificate certificate in certificates)
            if (list.Lists(certificate.SerialNumber.Span))
                return new Finding(Refusal.Revoked, CertificateChainCheck.Name(certificate), $"{list.IssuerCommonName} revoked serial number {Convert.ToHexStringLower(certificate.SerialNumber.Span)}");
        return null;
    }
}

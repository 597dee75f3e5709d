namespace Cloister.Protocol.Certificates;

/// <summary>Go's numbers of key usages (bits) and extended key usages (RFC 5280, 4.2.1.3 and 4.2.1.12).</summary>
public static class CertificateUsages
{
    /// <summary>Key usage: signatures.</summary>
    public const long DigitalSignature = 1;
    /// <summary>Key usage: agreement on keys.</summary>
    public const long KeyAgreement = 1 << 4;
    /// <summary>Key usage: certificates.</summary>
    public const long CertSign = 1 << 5;
    /// <summary>Extended key usage: TLS servers.</summary>
    public const long ServerAuth = 1;
    /// <summary>Extended key usage: TLS clients.</summary>
    public const long ClientAuth = 2;

    // In the order of Go's numbers, from 0 = any.
    private static readonly string[] s_extended =
    [
        "2.5.29.37.0",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.5.5.7.3.3",
        "1.3.6.1.5.5.7.3.4",
        "1.3.6.1.5.5.7.3.5",
        "1.3.6.1.5.5.7.3.6",
        "1.3.6.1.5.5.7.3.7",
        "1.3.6.1.5.5.7.3.8",
        "1.3.6.1.5.5.7.3.9",
        "1.3.6.1.4.1.311.10.3.3",
        "2.16.840.1.113730.4.1",
        "1.3.6.1.4.1.311.2.1.22",
        "1.3.6.1.4.1.311.61.1.1",
    ];

    /// <summary>The object identifier of an extended key usage, or null where there is none of this number.</summary>
    public static string? ExtendedId(long usage) => usage >= 0 && usage < s_extended.Length ? s_extended[usage] : null;
}

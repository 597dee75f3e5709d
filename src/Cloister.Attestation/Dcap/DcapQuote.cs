namespace Cloister.Attestation.Dcap;

/// <summary>What a quote's body is.</summary>
public enum QuoteBodyKind
{
    /// <summary>An SGX enclave's report, 384 bytes.</summary>
    Enclave = 1,

    /// <summary>A TD report of TDX 1.0, 584 bytes.</summary>
    Td10 = 2,

    /// <summary>A TD report of TDX 1.5, 648 bytes.</summary>
    Td15 = 3,
}

/// <summary>An Intel quote's parts as its bytes say, unproven. All memory is a slice of the quote.</summary>
public sealed record DcapQuote
{
    internal DcapQuote()
    {
    }

    /// <summary>3, 4 or 5.</summary>
    public required ushort Version { get; init; }

    /// <summary>What <see cref="Body"/> is.</summary>
    public required QuoteBodyKind BodyKind { get; init; }

    /// <summary>The quoting enclave's SVN; stated in version 3 only. Unused: the enclave's own report says it under a signature.</summary>
    public required ushort? QeSvn { get; init; }

    /// <summary>The provisioning certification enclave's SVN; stated in version 3 only. Unused: the PCK certificate says it.</summary>
    public required ushort? PceSvn { get; init; }

    /// <summary>20 bytes; the first 16 are an identifier of the quoting enclave.</summary>
    public required ReadOnlyMemory<byte> UserData { get; init; }

    /// <summary>What the attestation key signs: header and body.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    /// <summary>The enclave's or trust domain's report.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The attestation key's signature, r and s, big-endian.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The attestation key, a point of P-256: x and y, big-endian.</summary>
    public required ReadOnlyMemory<byte> AttestationKey { get; init; }

    /// <summary>The quoting enclave's own report, 384 bytes (<see cref="EnclaveReport"/>).</summary>
    public required ReadOnlyMemory<byte> QeReport { get; init; }

    /// <summary>The PCK's signature over <see cref="QeReport"/>, r and s.</summary>
    public required ReadOnlyMemory<byte> QeReportSignature { get; init; }

    /// <summary>What the quoting enclave hashed with its key into its report data.</summary>
    public required ReadOnlyMemory<byte> QeAuthenticationData { get; init; }

    /// <summary>1 to 3: the platform's identifiers; 4: the PCK certificate; 5: its chain; 7: a platform manifest.</summary>
    public required ushort CertificationType { get; init; }

    /// <summary>Content of that type.</summary>
    public required ReadOnlyMemory<byte> CertificationData { get; init; }

    /// <summary>What follows the quote in its buffer; nobody signed it. Real quotes carry zero bytes here.</summary>
    public required ReadOnlyMemory<byte> Trailing { get; init; }
}

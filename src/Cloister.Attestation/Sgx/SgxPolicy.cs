using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Sgx;

/// <summary>What is accepted of an enclave. Every field is said: there are no defaults.</summary>
public sealed record SgxPolicy() : TeePolicy(TeeKind.Sgx)
{
    /// <summary>Digest of the initial content.</summary>
    public required Requirement<string> MrEnclave { get; init; }

    /// <summary>Digest of the signer's key. A policy that accepts any enclave of a signer must ask for product and security version.</summary>
    public required Requirement<string> MrSigner { get; init; }

    /// <summary>The signer's number of the product.</summary>
    public required Requirement<long> ProductId { get; init; }

    /// <summary>The enclave's security version.</summary>
    public required Requirement<long> Svn { get; init; }

    /// <summary>Given at launch.</summary>
    public required Requirement<string> ConfigId { get; init; }

    /// <summary>The configuration's security version.</summary>
    public required Requirement<long> ConfigSvn { get; init; }

    /// <summary>The product family.</summary>
    public required Requirement<string> FamilyId { get; init; }

    /// <summary>The product's extended number.</summary>
    public required Requirement<string> ExtendedProductId { get; init; }

    /// <summary>Flags, but for those that <see cref="AllowDebug"/> and <see cref="AllowProvisionKey"/> speak of.</summary>
    public required BitRequirement Flags { get; init; }

    /// <summary>Processor features.</summary>
    public required BitRequirement Xfrm { get; init; }

    /// <summary>Whether the enclave may run under debug: then the host reads and changes all of it.</summary>
    public required bool AllowDebug { get; init; }

    /// <summary>Whether the enclave may reach the platform's provisioning key, which tells platforms apart.</summary>
    public required bool AllowProvisionKey { get; init; }

    /// <summary>The platform.</summary>
    public required TcbPolicy Tcb { get; init; }
}

using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>The certificates between a signing key and AMD's root, and the root: PEM, as the service gives them (<c>cert_chain</c>).</summary>
public sealed record SnpAuthoritiesRequest : CollateralRequest
{
    /// <summary>Asks for a line's authorities.</summary>
    /// <param name="product">The product line.</param>
    /// <param name="key">The key whose certificates they issue.</param>
    public SnpAuthoritiesRequest(SnpProduct product, SnpSigningKey key)
    {
        SnpNames.Require(product, key);
        (Product, Key) = (product, key);
    }

    /// <summary>The product line.</summary>
    public SnpProduct Product { get; }

    /// <summary>The key whose certificates they issue.</summary>
    public SnpSigningKey Key { get; }

    /// <inheritdoc/>
    public override string Name => SnpNames.Folder(Product, Key) + "/cert_chain.pem";

    /// <inheritdoc/>
    public override string EndorsementKind => SnpEndorsements.Authorities;

    internal override int MaximumSize => 64 * 1024;

    internal override Outcome<CollateralPeriod> Check(ReadOnlyMemory<byte> bytes)
    {
        Outcome<ImmutableArray<Certificate>> parsed = CertificateParser.ParsePem(bytes.Span);
        if (!parsed.TryGetValue(out ImmutableArray<Certificate> chain)) return parsed.RefuseAs<CollateralPeriod>();
        string wanted = SnpNames.Authority(Product, Key), root = SnpNames.Root(Product);
        CollateralPeriod period = CollateralPeriod.Always;
        bool found = false;
        foreach (Certificate one in chain)
        {
            if (one.SubjectCommonName != wanted && one.SubjectCommonName != root) return Refuse($"holds {one.SubjectCommonName}, which is neither {wanted} nor {root}");
            found |= one.SubjectCommonName == wanted;
            period = period.And(one.NotBefore, one.NotAfter);
        }
        return found ? Outcome.Accept(period) : Refuse($"lacks {wanted}");
    }

    private static Outcome<CollateralPeriod> Refuse(string reason) => Outcome.Refuse<CollateralPeriod>(Refusal.CertificateIssuerMismatch, "chain", reason);
}

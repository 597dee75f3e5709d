using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>AMD's revocation list of a product line, DER.</summary>
public sealed record SnpRevocationListRequest : CollateralRequest
{
    /// <summary>Asks for a line's list.</summary>
    /// <param name="product">The product line.</param>
    /// <param name="key">The key whose authorities it speaks of.</param>
    public SnpRevocationListRequest(SnpProduct product, SnpSigningKey key)
    {
        SnpNames.Require(product, key);
        (Product, Key) = (product, key);
    }

    /// <summary>The product line.</summary>
    public SnpProduct Product { get; }

    /// <summary>The key whose authorities it speaks of.</summary>
    public SnpSigningKey Key { get; }

    /// <inheritdoc/>
    public override string Name => SnpNames.Folder(Product, Key) + "/crl.der";

    /// <inheritdoc/>
    public override string EndorsementKind => SnpEndorsements.RevocationList;

    internal override int MaximumSize => CrlParser.MaximumSize;

    internal override Outcome<CollateralPeriod> Check(ReadOnlyMemory<byte> bytes)
    {
        Outcome<RevocationList> parsed = CrlParser.Parse(bytes);
        if (!parsed.TryGetValue(out RevocationList? list)) return parsed.RefuseAs<CollateralPeriod>();
        string issuer = SnpNames.Root(Product);
        return list.IssuerCommonName == issuer
            ? Outcome.Accept(new CollateralPeriod(list.ThisUpdate, list.NextUpdate))
            : Outcome.Refuse<CollateralPeriod>(Refusal.CertificateIssuerMismatch, "crl", $"by {list.IssuerCommonName}; asked was for one by {issuer}");
    }
}

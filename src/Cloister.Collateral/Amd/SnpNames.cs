using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>How AMD calls product lines and keys, in names of certificates, addresses and files.</summary>
internal static class SnpNames
{
    /// <summary>The line of a processor by CPUID; <see cref="SnpProduct.None"/> if it is not known.</summary>
    public static SnpProduct OfProcessor(byte family, byte model) => (family, model) switch
    {
        (0x19, <= 0x0F) => SnpProduct.Milan,
        (0x19, (>= 0x10 and <= 0x1F) or (>= 0xA0 and <= 0xAF)) => SnpProduct.Genoa,
        (0x1A, <= 0x11) => SnpProduct.Turin,
        _ => SnpProduct.None,
    };

    /// <summary><c>vcek</c> or <c>vlek</c>.</summary>
    public static string Of(SnpSigningKey key) => key == SnpSigningKey.Vlek ? "vlek" : "vcek";

    /// <summary>The common name of the root.</summary>
    public static string Root(SnpProduct product) => $"ARK-{product}";

    /// <summary>The common name of the authority that issues a key's certificates.</summary>
    public static string Authority(SnpProduct product, SnpSigningKey key) => key == SnpSigningKey.Vlek ? $"SEV-VLEK-{product}" : $"SEV-{product}";

    /// <summary>The folder of a line and key.</summary>
    public static string Folder(SnpProduct product, SnpSigningKey key) => $"snp/{product.ToString().ToLowerInvariant()}/{Of(key)}";

    public static void Require(SnpProduct product, SnpSigningKey key)
    {
        if (product is not (SnpProduct.Milan or SnpProduct.Genoa or SnpProduct.Turin)) throw new ArgumentException($"{product} is no product line.", nameof(product));
        if (key is not (SnpSigningKey.Vcek or SnpSigningKey.Vlek)) throw new ArgumentException($"{key} is no key.", nameof(key));
    }
}

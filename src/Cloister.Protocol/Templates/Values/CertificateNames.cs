using System.Globalization;

namespace Cloister.Protocol.Templates.Values;

/// <summary>Go's numbers and names of what stands in certificates (crypto/x509).</summary>
internal static class CertificateNames
{
    // The order is Go's iota.
    private static readonly string[] s_signatures =
        ["0", "MD2-RSA", "MD5-RSA", "SHA1-RSA", "SHA256-RSA", "SHA384-RSA", "SHA512-RSA", "DSA-SHA1", "DSA-SHA256", "ECDSA-SHA1", "ECDSA-SHA256", "ECDSA-SHA384", "ECDSA-SHA512",
         "SHA256-RSAPSS", "SHA384-RSAPSS", "SHA512-RSAPSS", "Ed25519"];

    private static readonly string[] s_keys = ["0", "RSA", "DSA", "ECDSA", "Ed25519"];

    private static readonly string[] s_usages =
        ["2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7",
         "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.9", "1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.2.1.22", "1.3.6.1.4.1.311.61.1.1"];

    // x509's stringer, in Go 1.26.
    private static readonly string[] s_usageNames =
        ["anyExtendedKeyUsage", "serverAuth", "clientAuth", "codeSigning", "emailProtection", "ipsecEndSystem", "ipsecTunnel", "ipsecUser", "timeStamping", "OCSPSigning", "msSGC",
         "nsSGC", "msCodeCom", "msKernelCode"];

    private static readonly Dictionary<long, string> s_keyUsageNames = new()
    {
        [1] = "digitalSignature", [2] = "contentCommitment", [4] = "keyEncipherment", [8] = "dataEncipherment", [16] = "keyAgreement", [32] = "keyCertSign",
        [64] = "cRLSign", [128] = "encipherOnly", [256] = "decipherOnly",
    };

    public static readonly GoType SignatureAlgorithmType = Enumeration("x509.SignatureAlgorithm", value => value > 0 && value < s_signatures.Length ? s_signatures[value] : Number(value));
    public static readonly GoType KeyAlgorithmType = Enumeration("x509.PublicKeyAlgorithm", value => value > 0 && value < s_keys.Length ? s_keys[value] : Number(value));
    public static readonly GoType KeyUsageType = Enumeration("x509.KeyUsage", value => s_keyUsageNames.GetValueOrDefault(value) ?? $"KeyUsage({Number(value)})");
    public static readonly GoType ExtKeyUsageType = Enumeration("x509.ExtKeyUsage", value => value >= 0 && value < s_usageNames.Length ? s_usageNames[value] : $"ExtKeyUsage({Number(value)})");

    public static long SignatureAlgorithm(string? oid) => oid switch
    {
        "1.2.840.113549.1.1.5" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        "1.3.101.112" => 16,
        _ => 0,
    };

    public static long KeyAlgorithm(string? oid) => oid switch
    {
        "1.2.840.113549.1.1.1" => 1,
        "1.2.840.10045.2.1" => 3,
        "1.3.101.112" => 4,
        _ => 0,
    };

    /// <summary>Go's number, or -1 of a usage that it does not know.</summary>
    public static long ExtKeyUsage(string oid) => Array.IndexOf(s_usages, oid);

    /// <summary>The parsed key. Its inside is no concern of a template's, except that an Ed25519 key is its bytes.</summary>
    public static TemplateValue? PublicKey(CertificateFields read) => KeyAlgorithm(read.KeyOid) switch
    {
        1 => new GoPointer(new GoType("*rsa.PublicKey", TemplateValueKind.Pointer), new GoStruct(new GoType("rsa.PublicKey", TemplateValueKind.Struct) { IsOpaque = true }, _ => null)),
        3 => new GoPointer(new GoType("*ecdsa.PublicKey", TemplateValueKind.Pointer), new GoStruct(new GoType("ecdsa.PublicKey", TemplateValueKind.Struct) { IsOpaque = true }, _ => null)),
        4 => new GoBytes(read.Key, new GoType("ed25519.PublicKey", TemplateValueKind.Slice) { Element = "uint8" }),
        _ => null,
    };

    private static GoType Enumeration(string name, Func<long, string> text) => CommonValues.WithText(name, TemplateValueKind.Int, value => text(((GoInt)value).Value));

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

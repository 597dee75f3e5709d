using System.Globalization;

namespace Cloister.Protocol.Manifest;

/// <summary>What is checked of a secret's certificate template, Go's x509.Certificate as JSON.</summary>
internal sealed record CertificateTemplate
{
    public bool HasNotAfter { get; private init; }
    public bool IsCa { get; private init; }
    public long MaxPathLen { get; private init; }
    public bool MaxPathLenZero { get; private init; }
    public long SignatureAlgorithm { get; private init; }
    public IReadOnlyList<long> ExtKeyUsage { get; private init; } = [];

    /// <summary>The template's checked members; null where the secret has none.</summary>
    public static CertificateTemplate? Read(ManifestSecret secret)
    {
        if (secret.CertificateJson.IsEmpty) return null;
        var template = new CertificateTemplate();
        foreach ((string name, GoValue value) in GoJson.Parse(secret.CertificateJson.Span, strict: false).Members)
            template = name.ToUpperInvariant() switch
            {
                "NOTAFTER" => template with { HasNotAfter = value.Kind == GoKind.String && value.Text != "0001-01-01T00:00:00Z" },
                "ISCA" => template with { IsCa = value.Boolean },
                "MAXPATHLEN" => template with { MaxPathLen = Number(value) },
                "MAXPATHLENZERO" => template with { MaxPathLenZero = value.Boolean },
                "SIGNATUREALGORITHM" => template with { SignatureAlgorithm = Number(value) },
                "EXTKEYUSAGE" => template with { ExtKeyUsage = [.. value.Items.Select(Number)] },
                _ => template,
            };
        return template;
    }

    private static long Number(GoValue value) =>
        value.Kind == GoKind.Number && long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : 0;
}

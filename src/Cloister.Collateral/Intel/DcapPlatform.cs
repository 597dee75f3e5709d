using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;

namespace Cloister.Collateral;

/// <summary>Who issues the certificates of an Intel platform.</summary>
public enum PckAuthority
{
    /// <summary>Intel SGX PCK Processor CA: client processors and servers of one socket.</summary>
    Processor = 1,

    /// <summary>Intel SGX PCK Platform CA: registered platforms.</summary>
    Platform = 2,
}

/// <summary>What a quote says of the platform whose TCB data it needs. Unproven: the quote is not verified here.</summary>
public sealed record DcapPlatform
{
    private const int FmspcSize = 6;

    /// <summary>Names a kind of platform.</summary>
    /// <param name="kind">TDX or SGX.</param>
    /// <param name="fmspc">6 bytes: family, model, stepping, platform type, custom SKU.</param>
    /// <param name="authority">Who issued its certificate.</param>
    /// <exception cref="ArgumentException">One of them cannot be.</exception>
    public DcapPlatform(TeeKind kind, ReadOnlySpan<byte> fmspc, PckAuthority authority)
    {
        if (kind is not (TeeKind.Tdx or TeeKind.Sgx)) throw new ArgumentException($"{kind} is neither TDX nor SGX.", nameof(kind));
        if (fmspc.Length != FmspcSize) throw new ArgumentException($"{fmspc.Length} bytes; an FMSPC has {FmspcSize}.", nameof(fmspc));
        if (authority is not (PckAuthority.Processor or PckAuthority.Platform)) throw new ArgumentException($"{authority} is no authority.", nameof(authority));
        (Kind, Fmspc, Authority) = (kind, Convert.ToHexStringLower(fmspc), authority);
    }

    /// <summary>TDX or SGX.</summary>
    public TeeKind Kind { get; }

    /// <summary>12 hexadecimal digits, lower case.</summary>
    public string Fmspc { get; }

    /// <summary>Who issued its certificate.</summary>
    public PckAuthority Authority { get; }

    /// <summary>The common name of that authority.</summary>
    internal string AuthorityName => Authority == PckAuthority.Platform ? PlatformCa : ProcessorCa;

    private const string PlatformCa = "Intel SGX PCK Platform CA", ProcessorCa = "Intel SGX PCK Processor CA";

    /// <summary>Reads a quote that carries its certificate chain, or its leaf alone.</summary>
    public static Outcome<DcapPlatform> Of(ReadOnlyMemory<byte> quote)
    {
        Outcome<DcapQuote> parsed = QuoteLayout.Parse(quote);
        if (!parsed.TryGetValue(out DcapQuote? read)) return parsed.RefuseAs<DcapPlatform>();
        if (read.CertificationType is not (4 or 5)) return Refuse($"certification data of type {read.CertificationType} has no certificate: name the platform yourself");
        Outcome<ImmutableArray<Certificate>> chain = CertificateParser.ParsePem(read.CertificationData.Span);
        if (!chain.IsAccepted) return chain.RefuseAs<DcapPlatform>();
        Certificate? leaf = chain.Value.FirstOrDefault(one => !one.IsAuthority);
        if (leaf is null) return Refuse("its chain has no leaf");
        if (leaf.IssuerCommonName is not (PlatformCa or ProcessorCa)) return Refuse($"its certificate is by {leaf.IssuerCommonName}");
        Outcome<PckExtension> extension = PckExtension.Parse(leaf);
        return extension.IsAccepted
            ? Outcome.Accept(new DcapPlatform(read.BodyKind == QuoteBodyKind.Enclave ? TeeKind.Sgx : TeeKind.Tdx, extension.Value.Fmspc.Span, leaf.IssuerCommonName == PlatformCa ? PckAuthority.Platform : PckAuthority.Processor))
            : extension.RefuseAs<DcapPlatform>();
    }

    /// <summary>Fuzz target: any bytes give a platform, whose collateral has a name, or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Of(bytes.ToArray()).TryGetValue(out DcapPlatform? platform) && !new DcapRequest(platform).Name.StartsWith("dcap/", StringComparison.Ordinal))
            throw new InvalidOperationException("A platform without a name.");
    }

    private static Outcome<DcapPlatform> Refuse(string reason) => Outcome.Refuse<DcapPlatform>(Refusal.PckCertificateInvalid, "certificationData", reason);
}

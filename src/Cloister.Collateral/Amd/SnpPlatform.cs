using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>What a SEV-SNP report says of the platform whose certificates it needs. Unproven: the report is not verified here.</summary>
public sealed record SnpPlatform
{
    private const int ReportedTcbAt = 0x180, TcbSize = 8, TurinHardwareId = 8, HardwareIdSize = 64;

    /// <summary>Names a platform.</summary>
    /// <param name="product">Its product line.</param>
    /// <param name="key">The key that signs its reports.</param>
    /// <param name="hardwareId">The chip's identity: 64 bytes, on Turin 8; empty for a VLEK, which belongs to no chip.</param>
    /// <param name="tcb">The security versions that the key is derived for.</param>
    /// <exception cref="ArgumentException">They do not fit together.</exception>
    public SnpPlatform(SnpProduct product, SnpSigningKey key, ReadOnlySpan<byte> hardwareId, SnpTcb tcb)
    {
        SnpNames.Require(product, key);
        int size = key == SnpSigningKey.Vlek ? 0 : product == SnpProduct.Turin ? TurinHardwareId : HardwareIdSize;
        if (hardwareId.Length != size) throw new ArgumentException($"{hardwareId.Length} bytes; a {key} of {product} has {size}.", nameof(hardwareId));
        if (product != SnpProduct.Turin && tcb.Fmc != 0) throw new ArgumentException($"{product} has no first mutable code.", nameof(tcb));
        (Product, Key, HardwareId, Tcb) = (product, key, Convert.ToHexStringLower(hardwareId), tcb);
    }

    /// <summary>The product line.</summary>
    public SnpProduct Product { get; }

    /// <summary>The key that signs its reports.</summary>
    public SnpSigningKey Key { get; }

    /// <summary>The chip's identity in hexadecimal; empty for a VLEK.</summary>
    public string HardwareId { get; }

    /// <summary>The security versions that the key is derived for.</summary>
    public SnpTcb Tcb { get; }

    /// <summary>Reads a report.</summary>
    /// <param name="report">A report, or what carries it (<see cref="SnpLayout.Unwrap"/>).</param>
    /// <param name="product">The line of processors, for reports of version 2, which do not name it; for others it may be left out.</param>
    /// <returns>The platform, or why no certificate can be asked for: among others a host that masks its chip's identity.</returns>
    public static Outcome<SnpPlatform> Of(ReadOnlyMemory<byte> report, SnpProduct product = SnpProduct.None)
    {
        ReadOnlyMemory<byte> bytes = SnpLayout.Unwrap(report);
        Outcome<SnpReport> parsed = SnpLayout.Parse(bytes);
        if (!parsed.TryGetValue(out SnpReport? read)) return parsed.RefuseAs<SnpPlatform>();
        SnpProduct named = read.Version >= 3 ? SnpNames.OfProcessor(read.Family, read.Model) : product;
        if (named == SnpProduct.None) return Refuse(Refusal.ReportField, "CPUID", read.Version >= 3 ? $"family {read.Family:x2}h, model {read.Model:x2}h is no line that is known" : "a report of version 2 does not name its processor: say the product line");
        if (product != SnpProduct.None && product != named) return Refuse(Refusal.ReportField, "CPUID", $"the report is of {named}, asked was for {product}");
        if (read.SigningKey == SnpSigningKey.None) return Refuse(Refusal.ReportField, "SIGNING_KEY", "the report is not signed");

        ReadOnlySpan<byte> tcb = bytes.Span.Slice(ReportedTcbAt, TcbSize);
        bool turin = named == SnpProduct.Turin;
        if ((turin ? tcb[4..7] : tcb[2..6]).ContainsAnyExcept((byte)0)) return Refuse(Refusal.SnpReservedNotZero, "REPORTED_TCB", "a reserved byte is not zero");
        SnpTcb versions = turin ? new SnpTcb(tcb[0], tcb[1], tcb[2], tcb[3], tcb[7]) : new SnpTcb(0, tcb[0], tcb[1], tcb[6], tcb[7]);
        if (read.SigningKey == SnpSigningKey.Vlek) return Outcome.Accept(new SnpPlatform(named, SnpSigningKey.Vlek, [], versions));

        ReadOnlySpan<byte> chip = read.ChipId.Span;
        if (!chip.ContainsAnyExcept((byte)0)) return Refuse(Refusal.ReportField, "CHIP_ID", "the host masks the chip's identity: the certificate must come with the evidence");
        if (turin && chip[TurinHardwareId..].ContainsAnyExcept((byte)0)) return Refuse(Refusal.SnpReservedNotZero, "CHIP_ID", "Turin's has 8 bytes, and more are set");
        return Outcome.Accept(new SnpPlatform(named, SnpSigningKey.Vcek, turin ? chip[..TurinHardwareId] : chip, versions));
    }

    /// <summary>Fuzz target: any bytes give a platform, whose certificate has a name, or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Of(bytes.ToArray(), SnpProduct.None).TryGetValue(out SnpPlatform? platform) && !new SnpKeyRequest(platform).Name.StartsWith("snp/", StringComparison.Ordinal))
            throw new InvalidOperationException("A platform without a name.");
    }

    private static Outcome<SnpPlatform> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<SnpPlatform>(refusal, field, reason);
}

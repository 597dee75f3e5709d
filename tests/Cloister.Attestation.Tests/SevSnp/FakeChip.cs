using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Tests.Certificates;

namespace Cloister.Tests.SevSnp;

/// <summary>A chip with its vendor: it really signs, under roots of its own. Everything that is signed can be made wrong before.</summary>
internal sealed class FakeChip
{
    public const string Spl = "1.3.6.1.4.1.3704.1.3.";
    private const string Prefix = "1.3.6.1.4.1.3704.1.";

    private static readonly Lazy<ImmutableDictionary<SnpProduct, FakeChip>> All = new(() => new[] { SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin }.ToImmutableDictionary(product => product, product => new FakeChip(product)));

    private FakeChip(SnpProduct product)
    {
        Product = product;
        ChipId = SHA512.HashData([(byte)product]);
        if (product == SnpProduct.Turin) ChipId.AsSpan(8).Clear();
        Root = Authority("ARK", RootKey, RootKey, 0x10000);
        Ask = Authority("SEV", AskKey, RootKey, 0x10001);
        Asvk = Authority("SEV-VLEK", AsvkKey, RootKey, 0x10002);
    }

    public static RSA RootKey { get; } = RSA.Create(4096);
    public static RSA AskKey { get; } = RSA.Create(4096);
    public static RSA AsvkKey { get; } = RSA.Create(4096);
    public static RSA OtherKey { get; } = RSA.Create(4096);
    public static ECDsa ChipKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    public static ECDsa OtherChipKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    public static SnpTcb Tcb { get; } = new(3, 4, 1, 22, 175);
    public static VerificationTime Now { get; } = VerificationTime.At(new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero));

    public SnpProduct Product { get; }
    public byte[] ChipId { get; }
    public MadeCertificate Root { get; }
    public MadeCertificate Ask { get; }
    public MadeCertificate Asvk { get; }

    public static FakeChip Of(SnpProduct product) => All.Value[product];

    public static string Name(string commonName) => $"CN={commonName}, O=Advanced Micro Devices, S=CA, L=Santa Clara, C=US, OU=Engineering";

    public MadeCertificate Vcek() => new()
    {
        Subject = Name("SEV-VCEK"),
        Issuer = Name($"SEV-{Product}"),
        PublicKey = ChipKey.ExportSubjectPublicKeyInfo(),
        IssuerKey = AskKey,
        Serial = 0,
        Algorithm = Product == SnpProduct.Milan ? MadeCertificate.PssSha384Trailer : MadeCertificate.PssSha384,
        Extensions = [.. Versions(), (Prefix + "4", false, Product == SnpProduct.Turin ? ChipId[..8] : ChipId)],
    };

    public MadeCertificate Vlek() => Vcek() with
    {
        Subject = Name("SEV-VLEK"),
        Issuer = Name($"SEV-VLEK-{Product}"),
        IssuerKey = AsvkKey,
        Extensions = [.. Versions(), (Prefix + "5", false, MadeCertificate.Ia5("cloud.example"))],
    };

    /// <summary>A report of the newest version that the product writes, all in order; unsigned.</summary>
    public byte[] Report()
    {
        byte[] report = new byte[SnpLayout.ReportSize];
        uint version = Product switch
        {
            SnpProduct.Milan => 2,
            SnpProduct.Genoa => 3,
            _ => 5,
        };
        BinaryPrimitives.WriteUInt32LittleEndian(report, version);
        BinaryPrimitives.WriteUInt64LittleEndian(report.AsSpan(SnpLayout.PolicyAt), 0x30000 | 0x01_33);
        report[SnpLayout.GuestSvnAt] = 7;
        report[SnpLayout.AlgorithmAt] = 1;
        report[SnpLayout.PlatformInfoAt] = 0x25;
        SHA512.HashData("report data"u8).CopyTo(report, SnpLayout.ReportDataAt);
        SHA384.HashData("image"u8).CopyTo(report, SnpLayout.MeasurementAt);
        SHA256.HashData("host"u8).CopyTo(report, SnpLayout.HostDataAt);
        foreach (int at in new[] { SnpLayout.CurrentTcbAt, SnpLayout.ReportedTcbAt, SnpLayout.CommittedTcbAt, SnpLayout.LaunchTcbAt })
            WriteTcb(report.AsSpan(at), Tcb);
        if (version >= 3) (report[SnpLayout.ProcessorAt], report[SnpLayout.ProcessorAt + 1]) = Product == SnpProduct.Turin ? ((byte)0x1A, (byte)0x02) : ((byte)0x19, (byte)0xA0);
        if (version >= 5) report[SnpLayout.LaunchMitigationsAt] = report[SnpLayout.CurrentMitigationsAt] = 0x3F;
        ChipId.CopyTo(report, SnpLayout.ChipIdAt);
        foreach (int at in new[] { SnpLayout.CurrentFirmwareAt, SnpLayout.CommittedFirmwareAt })
            (report[at], report[at + 1], report[at + 2]) = (40, 55, 1);
        return report;
    }

    public void WriteTcb(Span<byte> at, SnpTcb tcb)
    {
        at[..8].Clear();
        if (Product == SnpProduct.Turin) (at[0], at[1], at[2], at[3], at[7]) = (tcb.Fmc, tcb.Bootloader, tcb.Tee, tcb.Snp, tcb.Microcode);
        else (at[0], at[1], at[6], at[7]) = (tcb.Bootloader, tcb.Tee, tcb.Snp, tcb.Microcode);
    }

    public static byte[] Sign(byte[] report, ECDsa? key = null)
    {
        byte[] signature = (key ?? ChipKey).SignData(report.AsSpan(0, SnpLayout.SignatureAt), HashAlgorithmName.SHA384);
        for (int i = 0; i < 48; i++)
        {
            report[SnpLayout.SignatureAt + i] = signature[47 - i];
            report[SnpLayout.SignatureAt + SnpLayout.CoordinateSize + i] = signature[95 - i];
        }
        return report;
    }

    public Anchors Anchors() => new([new Anchor(TeeKind.SevSnp, "ark", Root.Encode())]);

    public Endorsements Endorse(MadeCertificate key, params Endorsement[] more) => new(
    [
        new Endorsement(SnpEndorsements.SigningKey, key.Encode()),
        new Endorsement(SnpEndorsements.Authorities, Ask.Encode()),
        new Endorsement(SnpEndorsements.Authorities, Asvk.Encode()),
        .. more,
    ]);

    public byte[] RevocationList(RSA? by = null, string issuer = "ARK", int madeDaysAgo = 10, int days = 30, params byte[][] serials)
    {
        var builder = new CertificateRevocationListBuilder();
        DateTimeOffset made = Now.Instant!.Value.AddDays(-madeDaysAgo);
        foreach (byte[] serial in serials)
            builder.AddEntry(serial, made);
        return builder.Build(new X500DistinguishedName(Name($"{issuer}-{Product}")), X509SignatureGenerator.CreateForRSA(by ?? RootKey, RSASignaturePadding.Pss), 1, made.AddDays(days), HashAlgorithmName.SHA384,
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier([1]), made);
    }

    private MadeCertificate Authority(string kind, RSA key, RSA issuerKey, int serial) => new()
    {
        Subject = Name($"{kind}-{Product}"),
        Issuer = Name($"ARK-{Product}"),
        PublicKey = key.ExportSubjectPublicKeyInfo(),
        IssuerKey = issuerKey,
        Serial = serial,
        NotBefore = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero),
        NotAfter = new DateTimeOffset(2050, 1, 1, 0, 0, 0, TimeSpan.Zero),
        Extensions = MadeCertificate.Authority(),
    };

    private ImmutableArray<(string Oid, bool Critical, byte[] Value)> Versions() =>
    [
        (Prefix + "1", false, MadeCertificate.Integer(Product == SnpProduct.Turin ? 1 : 0)),
        (Prefix + "2", false, MadeCertificate.Ia5(Product == SnpProduct.Milan ? "Milan-B0" : $"{Product}")),
        (Spl + "1", false, MadeCertificate.Integer(Tcb.Bootloader)),
        (Spl + "2", false, MadeCertificate.Integer(Tcb.Tee)),
        (Spl + "5", false, MadeCertificate.Integer(0)),
        (Spl + "3", false, MadeCertificate.Integer(Tcb.Snp)),
        (Spl + "8", false, MadeCertificate.Integer(Tcb.Microcode)),
        .. Product == SnpProduct.Turin ? ImmutableArray.Create((Spl + "9", false, MadeCertificate.Integer(Tcb.Fmc))) : [],
    ];
}

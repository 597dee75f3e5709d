using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Dcap;

/// <summary>
/// A chip, its quoting enclave and Intel's services, that really sign, under a root of their own. Each property is one thing a
/// test may get wrong; as made, everything is in order.
/// </summary>
internal sealed class FakeIntel
{
    public static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), Until = new(2035, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ECDsa RootKey = NewKey(), CaKey = NewKey(), PckKey = NewKey(), TcbKey = NewKey(), AttestationKey = NewKey();

    public static ECDsa OtherKey { get; } = NewKey();

    public static byte[] ReportData { get; } = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];

    // The platform and its certificates.
    public bool Sgx { get; init; }
    public byte[] Fmspc { get; init; } = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60];
    public byte[] SgxComponents { get; init; } = [7, 7, 3, 3, 255, 255, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0];
    public int PceSvn { get; init; } = 13;
    public string LeafName { get; init; } = "Intel SGX PCK Certificate";
    public string CaName { get; init; } = "Intel SGX PCK Platform CA";
    public string TcbSignerName { get; init; } = "Intel SGX TCB Signing";
    public DateTimeOffset LeafUntil { get; init; } = Until;
    public DateTimeOffset TcbSignerUntil { get; init; } = Until;
    public bool LeafIsAuthority { get; init; }
    public bool ReverseExtension { get; init; }
    public bool UnknownExtensionItem { get; init; }
    public bool WithoutExtension { get; init; }
    public int DuplicateExtensionItem { get; init; }
    public bool? Smt { get; init; } = false;
    public ECDsa CaSigner { get; init; } = RootKey;
    public ECDsa LeafSigner { get; init; } = CaKey;
    public ECDsa TcbCertificateSigner { get; init; } = RootKey;

    // Revocation.
    public ECDsa RootCrlSigner { get; init; } = RootKey;
    public ECDsa PckCrlSigner { get; init; } = CaKey;
    public string? PckCrlIssuer { get; init; }
    public bool RevokeLeaf { get; init; }
    public bool RevokeCa { get; init; }
    public bool RevokeTcbSigner { get; init; }
    public DateTimeOffset CrlFrom { get; init; } = Now.AddDays(-10);
    public DateTimeOffset CrlUntil { get; init; } = Now.AddDays(20);

    // TCB info and identity.
    public Func<string, string> EditTcbInfo { get; init; } = text => text;
    public Func<string, string> EditQeIdentity { get; init; } = text => text;
    public Func<byte[], byte[]> TamperTcbInfo { get; init; } = text => text;
    public Func<byte[], byte[]> TamperQeIdentity { get; init; } = text => text;
    public ECDsa TcbSigner { get; init; } = TcbKey;
    public ECDsa QeIdentitySigner { get; init; } = TcbKey;

    // The quote.
    public int Version { get; init; } = 4;
    public byte[] TeeTcbSvn { get; init; } = Versions(6, 1, 3);
    public byte[] TeeTcbSvn2 { get; init; } = Versions(6, 1, 3);
    public Action<byte[]> EditBody { get; init; } = _ => { };
    public Action<byte[]> EditQeReport { get; init; } = _ => { };
    public Action<byte[]> EditQuote { get; init; } = _ => { };
    public int QeSvn { get; init; } = 8;

    /// <summary>5 carries the whole chain, 4 the leaf, 1 and 7 something else; what is missing stands in the collateral.</summary>
    public int CertificationType { get; init; } = 5;
    public bool ChainBeside { get; init; }
    public ECDsa QeSigner { get; init; } = PckKey;
    public ECDsa QuoteSigner { get; init; } = AttestationKey;

    public TeeKind Kind => Sgx ? TeeKind.Sgx : TeeKind.Tdx;

    public bool Td15 => Version == 5 && !Sgx;

    /// <summary>The version bytes of a TDX module: security version, module version, loader.</summary>
    public static byte[] Versions(byte svn, byte version, byte loader) => [svn, version, loader, .. new byte[13]];

    public Anchors Anchors => new([new Anchor(Kind, "intel-sgx-root", Root().RawData)]);

    public byte[] Quote()
    {
        byte[] body = Sgx ? EnclaveBody() : TrustDomainBody();
        EditBody(body);
        byte[] header = new byte[48];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), Sgx ? 0u : 0x81u);
        Convert.FromHexString("939A7233F79C4CA9940A0DB3957F0607").CopyTo(header, 12);
        byte[] descriptor = Version < 5 ? [] : [(byte)(Sgx ? 1 : 3), 0, .. BitConverter.GetBytes(body.Length)];
        byte[] signed = [.. header, .. descriptor, .. body];

        byte[] point = PointOf(AttestationKey), authentication = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] qeReport = new byte[384];
        Convert.FromHexString("11").CopyTo(qeReport, 0x30);
        Convert.FromHexString("DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5").CopyTo(qeReport, 0x80);
        BinaryPrimitives.WriteUInt16LittleEndian(qeReport.AsSpan(0x100), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(qeReport.AsSpan(0x102), (ushort)QeSvn);
        SHA256.HashData([.. point, .. authentication]).CopyTo(qeReport, 0x140);
        EditQeReport(qeReport);
        byte[] pem = CertificationType switch { 5 => PckChainPem(), 4 => Encoding.ASCII.GetBytes(Leaf().ExportCertificatePem() + "\0"), _ => new byte[34] };
        byte[] tail = [.. qeReport, .. Sign(QeSigner, qeReport), 32, 0, .. authentication, (byte)CertificationType, 0, .. BitConverter.GetBytes(pem.Length), .. pem];
        byte[] wrapped = Version < 4 ? tail : [6, 0, .. BitConverter.GetBytes(tail.Length), .. tail];
        byte[] data = [.. Sign(QuoteSigner, signed), .. point, .. wrapped];
        byte[] quote = [.. signed, .. BitConverter.GetBytes(data.Length), .. data];
        EditQuote(quote);
        return quote;
    }

    public DcapCollateral Collateral()
    {
        byte[] tcb = Encoding.ASCII.GetBytes(EditTcbInfo(TcbInfoText())), identity = Encoding.ASCII.GetBytes(EditQeIdentity(QeIdentityText()));
        byte[] signer = Encoding.ASCII.GetBytes($"{TcbCertificate().ExportCertificatePem()}\n{Root().ExportCertificatePem()}\n");
        return new DcapCollateral
        {
            PckCrlIssuerChain = Encoding.ASCII.GetBytes($"{Ca().ExportCertificatePem()}\n{Root().ExportCertificatePem()}\n"),
            RootCrl = Crl(RootCrlSigner, "Intel SGX Root CA", [.. RevokeCa ? [Ca()] : Nobody, .. RevokeTcbSigner ? [TcbCertificate()] : Nobody]),
            PckCrl = Crl(PckCrlSigner, PckCrlIssuer ?? CaName, RevokeLeaf ? [Leaf()] : []),
            TcbInfoIssuerChain = signer,
            TcbInfo = TamperTcbInfo(tcb),
            TcbInfoSignature = Sign(TcbSigner, tcb),
            QeIdentityIssuerChain = signer,
            QeIdentity = TamperQeIdentity(identity),
            QeIdentitySignature = Sign(QeIdentitySigner, identity),
            PckCertificateChain = ChainBeside ? PckChainPem() : default,
        };
    }

    private static X509Certificate2[] Nobody => [];

    private byte[] PckChainPem() => Encoding.ASCII.GetBytes(string.Join('\n', new[] { Leaf(), Ca(), Root() }.Select(one => one.ExportCertificatePem())) + "\n\0");

    public string TcbInfoText()
    {
        string zero48 = new('0', 96);
        string module = $"\"mrsigner\":\"{zero48}\",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"";
        string tdx = $"\"tdxModule\":{{{module}}},\"tdxModuleIdentities\":[{{\"id\":\"TDX_01\",{module},\"tcbLevels\":[{{\"tcb\":{{\"isvsvn\":6}},\"tcbDate\":\"2026-02-11T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}},{{\"tcb\":{{\"isvsvn\":4}},\"tcbDate\":\"2024-03-13T00:00:00Z\",\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-01044\"]}}]}}],";
        return $"{{\"id\":\"{(Sgx ? "SGX" : "TDX")}\",\"version\":3,\"issueDate\":\"{Text(Now.AddDays(-10))}\",\"nextUpdate\":\"{Text(Now.AddDays(20))}\",\"fmspc\":\"{Convert.ToHexString(Fmspc)}\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":19,"
            + $"{(Sgx ? "" : tdx)}\"tcbLevels\":[{Level([7, 7, 3, 3, 255, 255, 1, 0, 5], 13, [5, 0, 3], "2026-02-11", "UpToDate", "")},{Level([6, 6, 2, 3, 255, 255, 1, 0, 5], 11, [3, 0, 2], "2024-03-13", "OutOfDate", "\"INTEL-SA-00900\"")}]}}";
    }

    /// <summary>One level as TCB info writes it.</summary>
    public string Level(byte[] sgx, int pceSvn, byte[] tdx, string date, string status, string advisories) =>
        $"{{\"tcb\":{{\"sgxtcbcomponents\":[{Components(sgx)}],\"pcesvn\":{pceSvn}{(Sgx ? "" : $",\"tdxtcbcomponents\":[{Components(tdx)}]")}}},\"tcbDate\":\"{date}T00:00:00Z\",\"tcbStatus\":\"{status}\"{(advisories.Length > 0 ? $",\"advisoryIDs\":[{advisories}]" : "")}}}";

    public string QeIdentityText() => $"{{\"id\":\"{(Sgx ? "QE" : "TD_QE")}\",\"version\":2,\"issueDate\":\"{Text(Now.AddDays(-10))}\",\"nextUpdate\":\"{Text(Now.AddDays(20))}\",\"tcbEvaluationDataNumber\":19,"
        + "\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\",\"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
        + "\"mrsigner\":\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":2,\"tcbLevels\":[{\"tcb\":{\"isvsvn\":8},\"tcbDate\":\"2026-02-11T00:00:00Z\",\"tcbStatus\":\"UpToDate\"},"
        + "{\"tcb\":{\"isvsvn\":6},\"tcbDate\":\"2021-11-10T00:00:00Z\",\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"INTEL-SA-00615\"]},{\"tcb\":{\"isvsvn\":5},\"tcbDate\":\"2020-11-11T00:00:00Z\",\"tcbStatus\":\"Revoked\"}]}";

    private static string Text(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Components(byte[] first) => string.Join(',', first.Concat(new byte[16 - first.Length]).Select(svn => $"{{\"svn\":{svn}}}"));

    private byte[] TrustDomainBody()
    {
        byte[] body = new byte[Td15 ? TdReport.Size15 : TdReport.Size10];
        TeeTcbSvn.CopyTo(body, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(120), TdReport.SeptVeDisable);
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(128), 0xE7);
        body.AsSpan(136, 48).Fill(0xAA);
        ReportData.CopyTo(body, 520);
        if (Td15) TeeTcbSvn2.CopyTo(body, 584);
        return body;
    }

    private static byte[] EnclaveBody()
    {
        byte[] body = new byte[EnclaveReport.Size];
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(0x30), 5);
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(0x38), 0xE7);
        body.AsSpan(0x40, 32).Fill(0xAA);
        body.AsSpan(0x80, 32).Fill(0xBB);
        BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(0x100), 7);
        BinaryPrimitives.WriteUInt16LittleEndian(body.AsSpan(0x102), 4);
        ReportData.CopyTo(body, 0x140);
        return body;
    }

    // Signed once: ECDSA signs differently each time, and a root counts by its bytes.
    private static readonly X509Certificate2 RootCertificate = Issue("Intel SGX Root CA", RootKey, "Intel SGX Root CA", RootKey, 1, true, Until);
    private X509Certificate2? _ca, _tcb, _leaf;

    private static X509Certificate2 Root() => RootCertificate;

    private X509Certificate2 Ca() => _ca ??= Issue(CaName, CaKey, "Intel SGX Root CA", CaSigner, 2, true, Until);

    private X509Certificate2 TcbCertificate() => _tcb ??= Issue(TcbSignerName, TcbKey, "Intel SGX Root CA", TcbCertificateSigner, 3, false, TcbSignerUntil);

    private X509Certificate2 Leaf() => _leaf ??= Issue(LeafName, PckKey, CaName, LeafSigner, 4, LeafIsAuthority, LeafUntil, WithoutExtension ? null : new X509Extension("1.2.840.113741.1.13.1", SgxExtension(), false));

    private static X509Certificate2 Issue(string name, ECDsa key, string issuer, ECDsa signer, byte serial, bool authority, DateTimeOffset until, X509Extension? extra = null)
    {
        var request = new CertificateRequest(NameOf(name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, true));
        if (extra is not null) request.CertificateExtensions.Add(extra);
        return request.Create(NameOf(issuer), X509SignatureGenerator.CreateForECDsa(signer), From, until, [serial]);
    }

    private static X500DistinguishedName NameOf(string name)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(name);
        builder.AddOrganizationName("Intel Corporation");
        builder.AddCountryOrRegion("US");
        return builder.Build();
    }

    private byte[] SgxExtension()
    {
        const string Arc = "1.2.840.113741.1.13.1";
        List<Action<AsnWriter>> items =
        [
            writer => Item(writer, $"{Arc}.1", () => writer.WriteOctetString(new byte[16])),
            writer => Item(writer, $"{Arc}.2", () =>
            {
                using (writer.PushSequence())
                {
                    for (int i = 0; i < 16; i++)
                        Item(writer, $"{Arc}.2.{i + 1}", () => writer.WriteInteger(SgxComponents[i]));
                    Item(writer, $"{Arc}.2.17", () => writer.WriteInteger(PceSvn));
                    Item(writer, $"{Arc}.2.18", () => writer.WriteOctetString(new byte[16]));
                }
            }),
            writer => Item(writer, $"{Arc}.3", () => writer.WriteOctetString([0, 0])),
            writer => Item(writer, $"{Arc}.4", () => writer.WriteOctetString(Fmspc)),
            writer => Item(writer, $"{Arc}.5", () => writer.WriteEncodedValue([0x0A, 0x01, 0x01])),
        ];
        if (Smt is { } smt)
        {
            items.Add(writer => Item(writer, $"{Arc}.7", () =>
            {
                using (writer.PushSequence())
                {
                    Item(writer, $"{Arc}.7.1", () => writer.WriteBoolean(false));
                    Item(writer, $"{Arc}.7.2", () => writer.WriteBoolean(false));
                    Item(writer, $"{Arc}.7.3", () => writer.WriteBoolean(smt));
                }
            }));
        }
        if (UnknownExtensionItem) items.Add(writer => Item(writer, $"{Arc}.99", () => writer.WriteNull()));
        if (DuplicateExtensionItem > 0) items.Add(items[DuplicateExtensionItem - 1]);
        if (ReverseExtension) items.Reverse();
        var content = new AsnWriter(AsnEncodingRules.DER);
        using (content.PushSequence())
            foreach (Action<AsnWriter> item in items)
                item(content);
        return content.Encode();
    }

    private static void Item(AsnWriter writer, string oid, Action value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            value();
        }
    }

    private byte[] Crl(ECDsa signer, string issuer, X509Certificate2[] revoked)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (X509Certificate2 one in revoked)
            builder.AddEntry(one, Now.AddDays(-20));
        return builder.Build(NameOf(issuer), X509SignatureGenerator.CreateForECDsa(signer), 1, CrlUntil, HashAlgorithmName.SHA256,
            X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(new X509SubjectKeyIdentifierExtension(new byte[20], false)), CrlFrom);
    }

    private static byte[] Sign(ECDsa key, byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private static byte[] PointOf(ECDsa key)
    {
        ECPoint point = key.ExportParameters(false).Q;
        return [.. point.X!, .. point.Y!];
    }

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The same in an enclave, as far as both can have it.</summary>
    public FakeIntel InEnclave() => new()
    {
        Sgx = true,
        Version = 3,
        Fmspc = Fmspc,
        SgxComponents = SgxComponents,
        PceSvn = PceSvn,
        CertificationType = CertificationType,
        LeafName = LeafName,
        CaName = CaName,
        TcbSignerName = TcbSignerName,
        LeafUntil = LeafUntil,
        TcbSignerUntil = TcbSignerUntil,
        LeafIsAuthority = LeafIsAuthority,
        WithoutExtension = WithoutExtension,
        DuplicateExtensionItem = DuplicateExtensionItem,
        Smt = Smt,
        CaSigner = CaSigner,
        LeafSigner = LeafSigner,
        TcbCertificateSigner = TcbCertificateSigner,
        RootCrlSigner = RootCrlSigner,
        PckCrlSigner = PckCrlSigner,
        PckCrlIssuer = PckCrlIssuer,
        RevokeLeaf = RevokeLeaf,
        RevokeCa = RevokeCa,
        RevokeTcbSigner = RevokeTcbSigner,
        CrlFrom = CrlFrom,
        CrlUntil = CrlUntil,
        EditTcbInfo = EditTcbInfo,
        EditQeIdentity = EditQeIdentity,
        TamperTcbInfo = TamperTcbInfo,
        TamperQeIdentity = TamperQeIdentity,
        TcbSigner = TcbSigner,
        QeIdentitySigner = QeIdentitySigner,
        EditBody = EditBody,
        EditQeReport = EditQeReport,
        QeSvn = QeSvn,
        QeSigner = QeSigner,
        QuoteSigner = QuoteSigner,
    };
}

using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Tests.Certificates;

namespace Cloister.Tests.SevSnp;

/// <summary>A chip that really signs; one thing wrong at a time, properly signed where it can be.</summary>
public sealed class SnpVerifierTests
{
    private static readonly SnpProduct[] Products = [SnpProduct.Milan, SnpProduct.Genoa, SnpProduct.Turin];
    private readonly SnpVerifier _verifier = new();

    [Fact]
    public void Every_product_and_kind_of_key_is_proven()
    {
        foreach (SnpProduct product in Products)
        {
            FakeChip chip = FakeChip.Of(product);
            Claims vcek = Prove(chip, chip.Report()).Claims!;
            Assert.Equal((product.ToString(), "VCEK", "not checked"), (vcek.Fields[SnpFields.Product], vcek.Fields[SnpFields.SigningKey], vcek.Fields[SnpFields.Revocation]));
            Assert.Equal(product == SnpProduct.Turin ? FakeChip.Tcb : FakeChip.Tcb with { Fmc = 0 }, SnpTcb.TryParse(vcek.Fields[SnpFields.ReportedTcb], out SnpTcb tcb) ? tcb : default);
            byte[] report = chip.Report();
            report[SnpLayout.FlagsAt] = 1 << 2;
            Claims vlek = Prove(chip, report, chip.Vlek(), new Endorsement(SnpEndorsements.RevocationList, chip.RevocationList())).Claims!;
            Assert.Equal(("VLEK", "cloud.example", "checked"), (vlek.Fields[SnpFields.SigningKey], vlek.Fields[SnpFields.Provider], vlek.Fields[SnpFields.Revocation]));
        }
    }

    [Fact]
    public void Every_version_from_2_to_5_is_read()
    {
        foreach (SnpProduct product in Products)
            foreach (uint version in new uint[] { 2, 3, 4, 5 })
            {
                FakeChip chip = FakeChip.Of(product);
                byte[] report = chip.Report();
                BinaryPrimitives.WriteUInt32LittleEndian(report, version);
                (report[SnpLayout.ProcessorAt], report[SnpLayout.ProcessorAt + 1]) = version == 2 ? ((byte)0, (byte)0) : product switch
                {
                    SnpProduct.Milan => ((byte)0x19, (byte)0x01),
                    SnpProduct.Genoa => ((byte)0x19, (byte)0xA0),
                    _ => ((byte)0x1A, (byte)0x11),
                };
                report[SnpLayout.LaunchMitigationsAt] = report[SnpLayout.CurrentMitigationsAt] = version == 5 ? (byte)1 : (byte)0;
                Assert.NotNull(Prove(chip, report).Claims);
            }
    }

    public static TheoryData<string, string, Action<byte[]>> ReportFaults() => new()
    {
        { "version 1", "format", report => report[0] = 1 },
        { "version 6", "format", report => report[0] = 6 },
        { "version with a high byte", "format", report => report[3] = 1 },
        { "algorithm", "format", report => report[SnpLayout.AlgorithmAt] = 2 },
        { "policy bit 17", "format", report => report[SnpLayout.PolicyAt + 2] ^= 2 },
        { "policy bit 26", "format", report => report[SnpLayout.PolicyAt + 3] |= 4 },
        { "policy bit 63", "format", report => report[SnpLayout.PolicyAt + 7] |= 0x80 },
        { "flags bit 5", "format", report => report[SnpLayout.FlagsAt] |= 0x20 },
        { "signing key 2", "format", report => report[SnpLayout.FlagsAt] |= 2 << 2 },
        { "reserved after flags", "format", report => report[0x4C] = 1 },
        { "reserved after processor", "format", report => report[0x18B] = 1 },
        { "reserved after current firmware", "format", report => report[0x1EB] = 1 },
        { "reserved after committed firmware", "format", report => report[0x1EF] = 1 },
        { "reserved before signature", "format", report => report[0x29F] = 1 },
        { "reserved behind signature", "format", report => report[0x330] = 1 },
        { "last byte", "format", report => report[^1] = 1 },
        { "processor of nobody", "product", report => report[SnpLayout.ProcessorAt] = 0x1B },
        { "processor model of nobody", "product", report => report[SnpLayout.ProcessorAt + 1] = 0x60 },
        { "no processor", "product", report => report[SnpLayout.ProcessorAt] = report[SnpLayout.ProcessorAt + 1] = 0 },
        { "another processor", "product", report => (report[SnpLayout.ProcessorAt], report[SnpLayout.ProcessorAt + 1]) = (0x19, 0x01) },
        { "not signed", "signing_key", report => report[SnpLayout.FlagsAt] = 7 << 2 },
        { "signed by a provider's key", "signing_key", report => report[SnpLayout.FlagsAt] = 1 << 2 },
        { "another chip", "chip_id", report => report[SnpLayout.ChipIdAt] ^= 1 },
        { "a longer chip id", "chip_id", report => report[SnpLayout.ChipIdAt + 63] ^= 1 },
        { "another first mutable code", "tcb.cert_mismatch", report => report[SnpLayout.ReportedTcbAt]++ },
        { "another bootloader", "tcb.cert_mismatch", report => report[SnpLayout.ReportedTcbAt + 1]++ },
        { "a newer snp", "tcb.cert_mismatch", report => report[SnpLayout.ReportedTcbAt + 3]++ },
        { "another microcode", "tcb.cert_mismatch", report => report[SnpLayout.ReportedTcbAt + 7]-- },
        { "reserved byte of the tcb", "tcb.cert_mismatch", report => report[SnpLayout.ReportedTcbAt + 5] = 1 },
    };

    [Theory, MemberData(nameof(ReportFaults))]
    public void A_signed_report_with_one_fault_is_refused_where_it_is(string fault, string check, Action<byte[]> break_)
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        byte[] report = chip.Report();
        break_(report);
        Check refused = Refused(Prove(chip, report));
        Assert.Equal((fault, check), (fault, refused.Id));
        Assert.NotEmpty(refused.Reason);
    }

    [Fact]
    public void Older_versions_have_no_processor_and_no_mitigations()
    {
        FakeChip milan = FakeChip.Of(SnpProduct.Milan), genoa = FakeChip.Of(SnpProduct.Genoa);
        byte[] processor = milan.Report(), mitigations = genoa.Report();
        processor[SnpLayout.ProcessorAt] = 0x19;
        mitigations[SnpLayout.CurrentMitigationsAt] = 1;
        Assert.Equal(Refusal.SnpReservedNotZero, Refused(Prove(milan, processor)).Refusal);
        Assert.Equal(Refusal.SnpReservedNotZero, Refused(Prove(genoa, mitigations)).Refusal);
    }

    public static TheoryData<string, string, Func<MadeCertificate, MadeCertificate>> KeyFaults() => new()
    {
        { "subject of nobody", "signing_key", key => key with { Subject = FakeChip.Name("SEV-OTHER") } },
        { "a provider beside the chip", "signing_key", key => key with { Extensions = key.Extensions.Add(("1.3.6.1.4.1.3704.1.5", false, MadeCertificate.Ia5("x"))) } },
        { "product of another line", "product", key => Change(key, "1.3.6.1.4.1.3704.1.2", MadeCertificate.Ia5("Milan-B0")) },
        { "issuer of another line", "product", key => key with { Issuer = FakeChip.Name("SEV-Genoa") } },
        { "issuer of the providers' keys", "chain", key => key with { Issuer = FakeChip.Name("SEV-VLEK-Turin"), IssuerKey = FakeChip.AsvkKey } },
        { "signed by another key", "chain", key => key with { IssuerKey = FakeChip.OtherKey } },
        { "signed by the root", "chain", key => key with { IssuerKey = FakeChip.RootKey } },
        { "signed with PKCS #1", "chain", key => key with { Algorithm = MadeCertificate.Pkcs1Sha384 } },
        { "key on P-256", "chain", key => key with { PublicKey = Sample.HostKey.ExportSubjectPublicKeyInfo() } },
        { "RSA key", "chain", key => key with { PublicKey = FakeChip.OtherKey.ExportSubjectPublicKeyInfo() } },
        { "an authority", "chain", key => key with { Extensions = key.Extensions.AddRange(MadeCertificate.Authority()) } },
        { "unknown critical extension", "chain", key => key with { Extensions = key.Extensions.Add(("1.3.6.1.4.1.99999.1", true, [5, 0])) } },
        { "an extension twice", "chain", key => key with { Extensions = key.Extensions.Add(key.Extensions[2]) } },
        { "expired", "chain.expired", key => key with { NotAfter = FakeChip.Now.Instant!.Value.AddSeconds(-1) } },
        { "not yet valid", "chain.expired", key => key with { NotBefore = FakeChip.Now.Instant!.Value.AddSeconds(1) } },
        { "no chip", "chip_id", key => Drop(key, "1.3.6.1.4.1.3704.1.4") },
        { "a chip id of 64 bytes", "chip_id", key => Change(key, "1.3.6.1.4.1.3704.1.4", new byte[64]) },
        { "a chip id of 7 bytes", "chip_id", key => Change(key, "1.3.6.1.4.1.3704.1.4", FakeChip.Of(SnpProduct.Turin).ChipId[..7]) },
        { "no structure version", "tcb.cert_mismatch", key => Drop(key, "1.3.6.1.4.1.3704.1.1") },
        { "structure version of nobody", "tcb.cert_mismatch", key => Change(key, "1.3.6.1.4.1.3704.1.1", MadeCertificate.Integer(2)) },
        { "no product", "tcb.cert_mismatch", key => Drop(key, "1.3.6.1.4.1.3704.1.2") },
        { "no bootloader", "tcb.cert_mismatch", key => Drop(key, FakeChip.Spl + "1") },
        { "no tee", "tcb.cert_mismatch", key => Drop(key, FakeChip.Spl + "2") },
        { "no snp", "tcb.cert_mismatch", key => Drop(key, FakeChip.Spl + "3") },
        { "no microcode", "tcb.cert_mismatch", key => Drop(key, FakeChip.Spl + "8") },
        { "no first mutable code", "tcb.cert_mismatch", key => Drop(key, FakeChip.Spl + "9") },
        { "reserved version", "tcb.cert_mismatch", key => Change(key, FakeChip.Spl + "5", MadeCertificate.Integer(1)) },
        { "negative version", "tcb.cert_mismatch", key => Change(key, FakeChip.Spl + "1", MadeCertificate.Integer(-1)) },
        { "version over 255", "tcb.cert_mismatch", key => Change(key, FakeChip.Spl + "8", MadeCertificate.Integer(256 + FakeChip.Tcb.Microcode)) },
        { "version of 2^64", "tcb.cert_mismatch", key => Change(key, FakeChip.Spl + "8", MadeCertificate.Integer(BigInteger.Pow(2, 64) + FakeChip.Tcb.Microcode)) },
        { "version of the wrong type", "tcb.cert_mismatch", key => Change(key, FakeChip.Spl + "8", MadeCertificate.Ia5("7")) },
        { "another chip's key", "signature", key => key with { PublicKey = FakeChip.OtherChipKey.ExportSubjectPublicKeyInfo() } },
    };

    [Theory, MemberData(nameof(KeyFaults))]
    public void A_signing_key_with_one_fault_is_refused_where_it_is(string fault, string check, Func<MadeCertificate, MadeCertificate> break_)
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        Assert.Equal((fault, check), (fault, Refused(Prove(chip, chip.Report(), break_(chip.Vcek()))).Id));
    }

    [Fact]
    public void A_point_off_the_curve_is_refused()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] key = chip.Vcek().PublicKey;
        key[^1] ^= 1;
        Assert.Equal("signature", Refused(Prove(chip, chip.Report(), chip.Vcek() with { PublicKey = key })).Id);
    }

    [Fact]
    public void A_providers_key_names_a_provider_and_no_chip()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] report = chip.Report();
        report[SnpLayout.FlagsAt] = 1 << 2;
        Assert.Equal("signing_key", Refused(Prove(chip, report, Drop(chip.Vlek(), "1.3.6.1.4.1.3704.1.5"))).Id);
        Assert.Equal("signing_key", Refused(Prove(chip, report, chip.Vlek() with { Extensions = chip.Vlek().Extensions.Add(("1.3.6.1.4.1.3704.1.4", false, chip.ChipId)) })).Id);
        Assert.Equal("signing_key", Refused(Prove(chip, chip.Report(), chip.Vlek())).Id);
        Assert.Equal("chain", Refused(Prove(chip, report, chip.Vlek() with { Issuer = FakeChip.Name("SEV-Genoa"), IssuerKey = FakeChip.AskKey })).Id);
    }

    [Fact]
    public void A_chain_that_does_not_reach_the_pinned_root_is_refused()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] report = FakeChip.Sign(chip.Report()), vek = chip.Vcek().Encode();
        string At(MadeCertificate ask, MadeCertificate? root = null) => Refused(_verifier.ProveReport(report, new Endorsements([new(SnpEndorsements.SigningKey, vek), new(SnpEndorsements.Authorities, ask.Encode())]),
            root is null ? chip.Anchors() : new Anchors([new Anchor(TeeKind.SevSnp, "ark", root.Encode())]), FakeChip.Now, false)).Id;
        Assert.Equal("chain", At(chip.Ask with { IssuerKey = FakeChip.OtherKey }));
        Assert.Equal("chain", At(chip.Ask with { Extensions = MadeCertificate.Authority(false) }));
        Assert.Equal("chain", At(chip.Ask with { PublicKey = FakeChip.OtherKey.ExportSubjectPublicKeyInfo() }));
        Assert.Equal("chain", At(chip.Asvk));
        Assert.Equal("chain", At(chip.Root));
        Assert.Equal("chain", At(chip.Ask, chip.Root with { IssuerKey = FakeChip.OtherKey, PublicKey = FakeChip.OtherKey.ExportSubjectPublicKeyInfo() }));
        Assert.Equal("chain", At(chip.Ask, chip.Root with { IssuerKey = FakeChip.OtherKey }));
        Assert.Equal("chain", At(chip.Ask, FakeChip.Of(SnpProduct.Turin).Root));
        Assert.Equal("chain", At(chip.Ask, chip.Ask));
        Assert.Equal("chain.expired", At(chip.Ask with { NotAfter = FakeChip.Now.Instant!.Value.AddDays(-1) }));
        Assert.Equal("chain.expired", At(chip.Ask, chip.Root with { NotBefore = FakeChip.Now.Instant!.Value.AddDays(1) }));
        using RSA small = RSA.Create(2048);
        Assert.Equal("chain", Refused(_verifier.ProveReport(report, new Endorsements([new(SnpEndorsements.SigningKey, (chip.Vcek() with { IssuerKey = small }).Encode()), new(SnpEndorsements.Authorities, (chip.Ask with { PublicKey = small.ExportSubjectPublicKeyInfo() }).Encode())]),
            chip.Anchors(), FakeChip.Now, false)).Id);
        // Under AMD's own roots nothing of this is genuine.
        Assert.Equal("chain", Refused(_verifier.ProveReport(report, chip.Endorse(chip.Vcek()), Anchors.Pinned, FakeChip.Now, false)).Id);
    }

    [Fact]
    public void What_is_missing_or_unreadable_is_named()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] report = FakeChip.Sign(chip.Report());
        Check Without(params Endorsement[] items) => Refused(_verifier.ProveReport(report, new Endorsements([.. items]), chip.Anchors(), FakeChip.Now, true));
        Endorsement vek = new(SnpEndorsements.SigningKey, chip.Vcek().Encode()), ask = new(SnpEndorsements.Authorities, chip.Ask.Encode());
        Assert.Equal(("signing_key", Refusal.CollateralMissing), Name(Without(ask)));
        Assert.Equal(("chain", Refusal.CertificateMalformed), Name(Without(ask, new Endorsement(SnpEndorsements.SigningKey, new byte[] { 0x30, 0 }))));
        Assert.Equal(("chain", Refusal.CollateralMissing), Name(Without(vek)));
        Assert.Equal(("chain", Refusal.CertificateMalformed), Name(Without(vek, new Endorsement(SnpEndorsements.Authorities, "x"u8.ToArray()))));
        Assert.Equal(("crl", Refusal.CollateralMissing), Name(Without(vek, ask)));
        Assert.Equal(("crl", Refusal.RevocationListMalformed), Name(Without(vek, ask, new Endorsement(SnpEndorsements.RevocationList, new byte[] { 0x30, 0 }))));
        static (string, Refusal) Name(Check check) => (check.Id, check.Refusal);
    }

    [Fact]
    public void Revocation_lists_count_if_they_are_the_roots_and_in_date()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] ask = [1, 0, 1], other = [9], vek = [0];
        byte[] clean = chip.RevocationList(serials: [other]), empty = chip.RevocationList(), revoked = chip.RevocationList(serials: [other, ask]), stale = chip.RevocationList(madeDaysAgo: 60),
            staleRevoked = chip.RevocationList(madeDaysAgo: 60, serials: [ask]), future = chip.RevocationList(madeDaysAgo: -1), foreign = chip.RevocationList(FakeChip.OtherKey), byAsk = chip.RevocationList(FakeChip.AskKey, "SEV"),
            otherLine = FakeChip.Of(SnpProduct.Turin).RevocationList();
        Assert.Null(With(clean));
        Assert.Null(With(empty));
        Assert.Equal("revoked", With(revoked));
        Assert.Equal("revoked", With(chip.RevocationList(serials: [vek])));
        Assert.Equal("crl.expired", With(stale));
        Assert.Equal("crl.expired", With(future));
        Assert.Equal("crl.expired", With(staleRevoked));
        Assert.Equal("crl", With(foreign));
        Assert.Equal("crl", With(byAsk));
        Assert.Equal("crl", With(otherLine));
        Assert.Equal("crl", With([1, 2, 3]));
        // Somebody else's hint neither hides the good list nor what an old one revoked.
        Assert.Null(With(foreign, clean));
        Assert.Null(With([1, 2, 3], stale, clean));
        Assert.Equal("revoked", With(staleRevoked, clean));
        Assert.Equal("revoked", With(clean, revoked));
        Assert.NotNull(_verifier.ProveReport(FakeChip.Sign(chip.Report()), chip.Endorse(chip.Vcek(), new Endorsement(SnpEndorsements.RevocationList, stale)), chip.Anchors(), VerificationTime.NoTimeCheck, true).Claims);

        string? With(params byte[][] lists) => Prove(chip, chip.Report(), chip.Vcek(), [.. lists.Select(list => new Endorsement(SnpEndorsements.RevocationList, list))]).Checks.FirstOrDefault(check => check.Verdict == Verdict.Failed)?.Id;
    }

    [Fact]
    public void The_certificate_that_fits_is_found_among_hints()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        MadeCertificate otherTcb = Change(chip.Vcek(), FakeChip.Spl + "8", MadeCertificate.Integer(1)), otherChip = Change(chip.Vcek(), "1.3.6.1.4.1.3704.1.4", new byte[8]);
        ImmutableArray<Endorsement> hints = [new(SnpEndorsements.SigningKey, "junk"u8.ToArray()), .. new[] { chip.Vlek(), otherTcb, otherChip, chip.Vcek() }.Select(one => new Endorsement(SnpEndorsements.SigningKey, one.Encode())),
            new("unknown", new byte[3]), new(SnpEndorsements.Authorities, (chip.Ask with { IssuerKey = FakeChip.OtherKey }).Encode()), new(SnpEndorsements.Authorities, chip.Ask.Encode())];
        Assert.NotNull(_verifier.ProveReport(FakeChip.Sign(chip.Report()), new Endorsements(hints), chip.Anchors(), FakeChip.Now, false).Claims);
        Assert.Equal("chip_id", Refused(Prove(chip, chip.Report(), otherChip)).Id);
        Assert.Equal("tcb.cert_mismatch", Refused(Prove(chip, chip.Report(), otherTcb)).Id);
    }

    [Fact]
    public void A_certificate_table_is_read_within_its_bounds()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Genoa);
        byte[] vek = chip.Vcek().Encode(), ask = chip.Ask.Encode();
        byte[] table = new byte[3 * 24 + vek.Length + ask.Length];
        Entry(0, "63da758d-e664-4564-adc5-f4b93be8accd", 72, vek.Length);
        Entry(1, "4ab7b379-bbac-4fe4-a02f-05aef327c782", 72 + vek.Length, ask.Length);
        vek.CopyTo(table, 72);
        ask.CopyTo(table, 72 + vek.Length);
        Assert.NotNull(Prove(table).Claims);
        Entry(1, "4ab7b379-bbac-4fe4-a02f-05aef327c782", 72 + vek.Length, ask.Length + 1);
        Assert.Equal("chain", Refused(Prove(table)).Id);
        Entry(0, "63da758d-e664-4564-adc5-f4b93be8accd", -1, vek.Length);
        Assert.Equal("signing_key", Refused(Prove(table)).Id);
        foreach (byte[] changed in Mutations.Of(table, 500, seed: 5))
            _ = Prove(changed);

        Proof Prove(byte[] bytes) => _verifier.ProveReport(FakeChip.Sign(chip.Report()), new Endorsements([new Endorsement(SnpEndorsements.CertificateTable, bytes)]), chip.Anchors(), FakeChip.Now, false);
        void Entry(int index, string name, int offset, int length)
        {
            new Guid(name).ToByteArray().CopyTo(table, index * 24);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(index * 24 + 16), offset);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(index * 24 + 20), length);
        }
    }

    [Fact]
    public void Every_flipped_bit_of_a_signed_byte_and_of_the_signature_is_refused()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        byte[] report = FakeChip.Sign(chip.Report());
        Endorsements endorsements = chip.Endorse(chip.Vcek());
        Anchors anchors = chip.Anchors();
        Assert.NotNull(_verifier.ProveReport(report, endorsements, anchors, FakeChip.Now, false).Claims);
        for (int at = 0; at < report.Length; at++)
        {
            byte[] changed = [.. report];
            changed[at] ^= (byte)(1 << at % 8);
            Assert.Null(_verifier.ProveReport(changed, endorsements, anchors, FakeChip.Now, false).Claims);
        }
    }

    [Fact]
    public void Signatures_out_of_range_are_refused_and_the_mirrored_one_is_not()
    {
        var order = new BigInteger(Convert.FromHexString("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"), isUnsigned: true, isBigEndian: true);
        FakeChip chip = FakeChip.Of(SnpProduct.Milan);
        byte[] good = FakeChip.Sign(chip.Report());
        foreach (int at in new[] { SnpLayout.SignatureAt, SnpLayout.SignatureAt + SnpLayout.CoordinateSize })
        {
            var value = new BigInteger(good.AsSpan(at, 48), isUnsigned: true);
            foreach (BigInteger bad in new[] { BigInteger.Zero, order, value + order })
                Assert.Equal("signature", Refused(Unsigned(Put(good, at, bad))).Id);
        }
        // ECDSA signatures are malleable: (r, n - s) is another signature of the same report. Nothing here may take a signature for a name.
        int s = SnpLayout.SignatureAt + SnpLayout.CoordinateSize;
        Assert.NotNull(Unsigned(Put(good, s, order - new BigInteger(good.AsSpan(s, 48), isUnsigned: true))).Claims);

        Proof Unsigned(byte[] report) => _verifier.ProveReport(report, chip.Endorse(chip.Vcek()), chip.Anchors(), FakeChip.Now, false);
        static byte[] Put(byte[] report, int at, BigInteger value)
        {
            byte[] changed = [.. report];
            changed.AsSpan(at, SnpLayout.CoordinateSize).Clear();
            value.ToByteArray(isUnsigned: true).CopyTo(changed, at);
            return changed;
        }
    }

    [Fact]
    public void A_masked_chip_and_a_wrapped_chip_id_are_proven()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        byte[] masked = chip.Report();
        masked.AsSpan(SnpLayout.ChipIdAt, 64).Clear();
        Assert.NotNull(Prove(chip, masked).Claims);
        Assert.NotNull(Prove(chip, chip.Report(), Change(chip.Vcek(), "1.3.6.1.4.1.3704.1.4", [4, 8, .. chip.ChipId[..8]])).Claims);
    }

    [Fact]
    public void A_report_is_taken_out_of_what_carries_it()
    {
        byte[] report = FakeChip.Of(SnpProduct.Genoa).Report(), response = [0, 0, 0, 0, 0xA0, 4, 0, 0, .. new byte[24], .. report];
        foreach (byte[] wrapped in new byte[][] { report, [.. report, .. new byte[20]], response, [.. response, .. new byte[2784]] })
            Assert.Equal(report, SnpLayout.Unwrap(wrapped).ToArray());
        foreach (byte[] other in new byte[][] { [], [.. report, 1], [.. response, 1], [1, .. response[1..]], report[..^1] })
            Assert.False(SnpLayout.Parse(SnpLayout.Unwrap(other)).IsAccepted);
    }

    [Fact]
    public void Mutations_are_proven_or_refused_within_bounds()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        byte[] report = FakeChip.Sign(chip.Report()), vek = chip.Vcek().Encode();
        Anchors anchors = chip.Anchors();
        Endorsement ask = new(SnpEndorsements.Authorities, chip.Ask.Encode());
        Mutations.Bounded(report, SnpLayout.Fuzz, 20_000);
        Mutations.Bounded(report, bytes => _verifier.ProveReport(bytes.ToArray(), new Endorsements([new(SnpEndorsements.SigningKey, vek), ask]), anchors, FakeChip.Now, false), 1_000);
        Mutations.Bounded(vek, bytes => _verifier.ProveReport(report, new Endorsements([new(SnpEndorsements.SigningKey, bytes.ToArray()), ask]), anchors, FakeChip.Now, false), 1_000);
    }

    [Fact]
    public async Task Threads_may_share_a_verifier()
    {
        FakeChip chip = FakeChip.Of(SnpProduct.Turin);
        byte[] report = FakeChip.Sign(chip.Report());
        Endorsements endorsements = chip.Endorse(chip.Vcek());
        Anchors anchors = chip.Anchors();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 20; i++)
                Assert.NotNull(_verifier.ProveReport(report, endorsements, anchors, FakeChip.Now, false).Claims);
        })));
    }

    private static MadeCertificate Drop(MadeCertificate key, string oid) => key with { Extensions = [.. key.Extensions.Where(one => one.Oid != oid)] };

    private static MadeCertificate Change(MadeCertificate key, string oid, byte[] value) => key with { Extensions = [.. key.Extensions.Select(one => one.Oid == oid ? (one.Oid, one.Critical, value) : one)] };

    private static Check Refused(Proof proof)
    {
        Assert.Null(proof.Claims);
        Check refused = proof.Checks.Single(check => check.Verdict == Verdict.Failed);
        Assert.True(Enum.IsDefined(refused.Refusal));
        return refused;
    }

    private Proof Prove(FakeChip chip, byte[] report, MadeCertificate? key = null, params Endorsement[] more) =>
        _verifier.ProveReport(FakeChip.Sign(report), chip.Endorse(key ?? chip.Vcek(), more), chip.Anchors(), FakeChip.Now, false);
}

using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Bench;

/// <summary>
/// Parsing, proving and judging real evidence, beside the signature checks alone that it cannot do without. Cold: nothing was
/// seen before, every key is imported. Warm: the same chip's next report, with what is remembered of its certificates.
/// </summary>
internal sealed class QuoteVerification : IComparison
{
    private const int WarmUp = 200, Rounds = 200, PerRound = 4;
    private const double ColdBar = 1.3, WarmBar = 1.15, WarmMicroseconds = 10;

    public string Name => "quote-verification";

    public async IAsyncEnumerable<Figure> RunAsync(BenchContext context, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask;
        if (!QuoteSamples.Present) yield break;
        foreach (Figure figure in Compare("SNP Genoa", Snp("genoa", "2026-06-01T00:00:00Z"))) yield return figure;
        foreach (Figure figure in Compare("SNP Turin", Snp("turin", "2026-06-01T00:00:00Z"))) yield return figure;
        foreach (Figure figure in Compare("TDX v4", Dcap(TeeKind.Tdx, "tdx/real/tdx-real-v4-uptodate"))) yield return figure;
        foreach (Figure figure in Compare("SGX v3", Dcap(TeeKind.Sgx, "sgx/real/sgx-real-v3"))) yield return figure;
        foreach (Figure figure in Compare("TPM RSA, Windows log", Tpm(QuoteSamples.WindowsBoot()))) yield return figure;
    }

    /// <summary>The same work four times: ours and the bare checks, each without and with memory. All say whether it held.</summary>
    private sealed record Work(Func<bool> Cold, Func<bool> BareCold, Func<bool> Warm, Func<bool> BareWarm);

    private static IEnumerable<Figure> Compare(string name, Work work)
    {
        Func<bool>[] all = [work.Cold, work.BareCold, work.Warm, work.BareWarm];
        List<double>[] samples = [[], [], [], []];
        for (int round = -WarmUp; round < Rounds; round++)
        {
            for (int i = 0; i < all.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                for (int run = 0; run < PerRound; run++)
                    if (!all[i]()) throw new InvalidOperationException($"{name} does not hold.");
                if (round >= 0) samples[i].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / PerRound);
            }
        }
        double[] median = [.. samples.Select(Samples.Median)];
        yield return new Figure($"{name}, cold", median[0], median[1], "us", "its signature checks alone", ColdBar);
        // The bar allows some fixed microseconds: written as a ratio, so that it reads like the others.
        yield return new Figure($"{name}, warm", median[2], median[3], "us", "its signature checks alone", WarmBar + (WarmMicroseconds / median[3]));
    }

    private static Work Snp(string product, string now)
    {
        string name = product == "turin" ? "snp-real-turin-v5" : "snp-real-genoa-v3";
        byte[] report = QuoteSamples.Read($"attestation/snp/real/{name}.bin"), vek = QuoteSamples.Read($"attestation/snp/real/{name}.vek.der");
        VerificationTime time = At(now);
        var endorsements = new Endorsements([new Endorsement(SnpEndorsements.SigningKey, vek)]);
        Certificate leaf = CertificateParser.ParseAny(vek).Value, authority = Amd(product, "ask"), root = Amd(product, "ark");
        byte[] signature = [.. report[0x2A0..0x2D0].Reverse(), .. report[0x2E8..0x318].Reverse()]; // r and s are little-endian, of 72 bytes each
        var appraiser = new SnpAppraiser();
        var warm = new SnpVerifier();
        bool One(SnpVerifier verifier) => verifier.ProveReport(report, endorsements, Anchors.Pinned, time, false).Judge(appraiser, SnpPolicies.Lax, time).Refused is null;
        bool Report(ECDsa key) => key.VerifyData(report.AsSpan(0, 0x2A0), signature, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        ECDsa kept = Ecdsa(leaf);
        return new Work(
            () => One(new SnpVerifier()),
            () =>
            {
                using RSA ark = Rsa(root), ask = Rsa(authority);
                using ECDsa key = Ecdsa(leaf);
                return Pss(ark, authority) & Pss(ask, leaf) & Report(key);
            },
            () => One(warm),
            () => Report(kept));
    }

    private static Work Dcap(TeeKind kind, string sample)
    {
        byte[] quote = QuoteSamples.Read($"attestation/{sample}.quote"), json = QuoteSamples.Read($"attestation/{sample}.collateral.json");
        VerificationTime time = At("2025-07-10T00:00:00Z");
        DcapQuote read = QuoteLayout.Parse(quote).Value;
        DcapCollateral collateral = DcapCollateral.Parse(json).Value;
        ReadOnlyMemory<byte> reportData = kind == TeeKind.Tdx ? new TdReport(read.Body).ReportData : new EnclaveReport(read.Body).ReportData;
        var evidence = new Evidence(kind, quote, default, default, []);
        var endorsements = new Endorsements([new Endorsement(DcapCollateral.EndorsementKind, json)]);
        IAppraiser appraiser = kind == TeeKind.Tdx ? new TdxAppraiser() : new SgxAppraiser();
        TeePolicy policy = kind == TeeKind.Tdx ? DcapPolicies.Tdx : DcapPolicies.Sgx;
        IVerifier Verifier() => kind == TeeKind.Tdx ? new TdxVerifier() : new SgxVerifier();
        IVerifier warm = Verifier();
        bool One(IVerifier verifier) => verifier.Prove(evidence, reportData, endorsements, Anchors.Pinned, time).Judge(appraiser, policy, time).Refused is null;

        ImmutableArray<Certificate> chain = CertificateParser.ParsePem(read.CertificationData.Span).Value;
        Certificate leaf = chain[0], authority = chain[1], root = chain[2], signer = CertificateParser.ParsePem(collateral.TcbInfoIssuerChain.Span).Value[0];
        RevocationList rootList = CrlParser.Parse(collateral.RootCrl).Value, list = CrlParser.Parse(collateral.PckCrl).Value;
        ECDsa AttestationKey() => ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = read.AttestationKey[..32].ToArray(), Y = read.AttestationKey[32..].ToArray() } });
        static bool Der(ECDsa key, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature) => key.VerifyData(data.Span, signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        static bool Raw(ECDsa key, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature) => key.VerifyData(data.Span, signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        ECDsa kept = Ecdsa(leaf);
        return new Work(
            () => One(Verifier()),
            () =>
            {
                using ECDsa kr = Ecdsa(root), ka = Ecdsa(authority), kl = Ecdsa(leaf), ks = Ecdsa(signer), kq = AttestationKey();
                return Der(kr, authority.Signed, authority.Signature) & Der(ka, leaf.Signed, leaf.Signature) & Der(kr, signer.Signed, signer.Signature)
                    & Der(kr, rootList.Signed, rootList.Signature) & Der(ka, list.Signed, list.Signature)
                    & Raw(ks, collateral.TcbInfo, collateral.TcbInfoSignature) & Raw(ks, collateral.QeIdentity, collateral.QeIdentitySignature)
                    & Raw(kl, read.QeReport, read.QeReportSignature) & Raw(kq, read.Signed, read.Signature);
            },
            () => One(warm),
            () =>
            {
                using ECDsa key = AttestationKey();
                return Raw(kept, read.QeReport, read.QeReportSignature) & Raw(key, read.Signed, read.Signature);
            });
    }

    private static Work Tpm((TpmReport Report, byte[] Log, byte[] Nonce) sample)
    {
        (TpmReport report, byte[] log, byte[] nonce) = sample;
        var evidence = new Evidence(TeeKind.Tpm, report.Encode(), log, default, []);
        var appraiser = new TpmAppraiser();
        TpmAlgorithm bank = report.Pcrs[0].Bank;
        var policy = new TpmPolicy(new TpmKeyPolicy.Any(), bank, report.Pcrs.Where(pcr => pcr.Bank == bank).ToImmutableSortedDictionary(pcr => pcr.Index, pcr => (Requirement<string>)Requirement.Exactly(Convert.ToHexStringLower(pcr.Value.Span))), TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>())
        {
            AllowSha1 = true,
        };
        var warm = new TpmVerifier();
        bool One(TpmVerifier verifier) => verifier.Prove(evidence, nonce, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck).Judge(appraiser, policy, VerificationTime.NoTimeCheck).Refused is null;

        TpmPublic key = TpmLayout.ParsePublic(report.Key).Value;
        TpmSignature signature = TpmLayout.ParseSignature(report.Signature).Value;
        HashAlgorithmName hash = signature.Hash == TpmAlgorithm.Sha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;
        RSA Import() => RSA.Create(new RSAParameters { Modulus = key.First.ToArray(), Exponent = [1, 0, 1] });
        TcgEventLog read = TcgEventLog.Parse(log).Value;
        byte[][] tied = [.. read.Events.ToArray().Where(one => CryptographicOperations.HashData(HashOf(bank), read.DataOf(one)).AsSpan().SequenceEqual(read.DigestOf(one, bank))).Select(one => read.DataOf(one).ToArray())];
        int events = read.Events.Length, size = report.Pcrs[0].Value.Length;
        // The log's hashing: one extension an event, and the data that digests are of.
        bool Bare(RSA rsa)
        {
            Span<byte> register = stackalloc byte[2 * SHA256.HashSizeInBytes];
            register = register[..(2 * size)];
            for (int i = 0; i < events; i++)
                CryptographicOperations.HashData(HashOf(bank), register, register[..size]);
            foreach (byte[] data in tied)
                CryptographicOperations.HashData(HashOf(bank), data, register[..size]);
            return rsa.VerifyData(report.Attest.Span, signature.First.Span, hash, RSASignaturePadding.Pkcs1);
        }
        RSA remembered = Import();
        return new Work(
            () => One(new TpmVerifier()),
            () =>
            {
                using RSA once = Import();
                return Bare(once);
            },
            () => One(warm),
            () => Bare(remembered));
    }

    private static HashAlgorithmName HashOf(TpmAlgorithm bank) => bank == TpmAlgorithm.Sha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256;

    private static Certificate Amd(string product, string name) => CertificateParser.ParseAny(QuoteSamples.Read($"trust-anchors/amd/{product}_{name}.pem")).Value;

    private static bool Pss(RSA key, Certificate signed) => key.VerifyData(signed.Signed.Span, signed.Signature.Span, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);

    private static RSA Rsa(Certificate certificate)
    {
        var key = RSA.Create();
        key.ImportSubjectPublicKeyInfo(certificate.SubjectPublicKeyInfo.Span, out _);
        return key;
    }

    private static ECDsa Ecdsa(Certificate certificate)
    {
        // Cheaper for .NET than the bare key, so the fairer peer.
        using X509Certificate2 read = X509CertificateLoader.LoadCertificate(certificate.Encoded.Span);
        return read.GetECDsaPublicKey()!;
    }

    private static VerificationTime At(string moment) => VerificationTime.At(DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture));
}

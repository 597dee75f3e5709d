using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Tdx;

namespace Cloister.Attestation.Dcap;

/// <summary>
/// Proves SGX and TDX quotes: the procedure of Intel's Quote Verification Library with every check told apart. One instance
/// serves one kind; it holds nothing but what <see cref="DcapMemory"/> remembers.
/// </summary>
internal sealed class DcapProver(TeeKind kind, bool signatureOnly, DcapMemory memory)
{
    private const int KeySize = 64, ReportDataSize = 64;

    public static ImmutableArray<PlannedCheck> PlanOf(TeeKind kind, bool signatureOnly)
    {
        var plan = ImmutableArray.CreateBuilder<PlannedCheck>();
        plan.Add(new("format", "report"));
        if (!signatureOnly) plan.Add(new("format", "endorsements.collateral"));
        plan.Add(new("chain", "report.pckCertificate"));
        plan.Add(new("chain_expired", "report.pckCertificate"));
        if (!signatureOnly)
        {
            plan.AddRange(
                new("crl_signature", "endorsements.collateral.crl"),
                new("revoked", "report.pckCertificate"),
                new("tcb_info", "endorsements.collateral.tcbInfo"),
                new("tcb_info_signature", "endorsements.collateral.tcbInfo"),
                new("qe_identity", "endorsements.collateral.qeIdentity"),
                new("qe_identity_signature", "endorsements.collateral.qeIdentity"),
                new("collateral_expired", "endorsements.collateral"),
                new("crl_expired", "endorsements.collateral.crl"));
            if (kind == TeeKind.Tdx) plan.Add(new("tdx_module", "report.mrSignerSeam"));
        }
        plan.Add(new("qe_report_signature", "report.qeReport"));
        plan.Add(new("qe_report_data", "report.qeReport.reportData"));
        if (!signatureOnly) plan.Add(new("qe_identity", "report.qeReport"));
        plan.Add(new("quote_signature", "report.signature"));
        plan.Add(new("report_data", "report.reportData"));
        if (kind == TeeKind.Tdx)
        {
            plan.Add(new("replay", "eventLog"));
            plan.Add(new("event_data", "eventLog"));
        }
        return plan.ToImmutable();
    }

    public ImmutableArray<PlannedCheck> Plan { get; } = PlanOf(kind, signatureOnly);

    public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time)
    {
        if (evidence.Kind != kind) throw new ArgumentException($"This is {evidence.Kind} evidence.", nameof(evidence));
        var run = new Run(Plan, IntelAnchors.Root(anchors, kind), time);
        bool proven = Format(run, evidence, endorsements)
            && Chain(run)
            && (signatureOnly || (Revocation(run) && TcbInfo(run) && QeIdentity(run) && Dates(run) && Module(run)))
            && QuotingEnclave(run)
            && Quote(run, expectedReportData.Span)
            && (kind == TeeKind.Sgx || EventLog(run, evidence.EventLog));
        Claims? claims = run.Quote is null ? null : DcapClaims.Of(kind, run.Quote, run.Chain?.Platform, signatureOnly ? null : run.Evaluate(), run.Collateral);
        return new Proof(run.Checks.Finish(), proven ? claims : null) { Stated = claims };
    }

    private bool Format(Run run, Evidence evidence, Endorsements endorsements)
    {
        Outcome<DcapQuote> parsed = QuoteLayout.Parse(evidence.Report);
        if (!parsed.TryGetValue(out DcapQuote? quote)) return run.Checks.Fail("format", parsed.Refusal, $"{parsed.Field}: {parsed.Reason}");
        if (quote.BodyKind == QuoteBodyKind.Enclave != (kind == TeeKind.Sgx)) return run.Checks.Fail("format", Refusal.QuoteTeeType, $"a quote of {(kind == TeeKind.Sgx ? "TDX" : "SGX")} stands where one of {kind} is meant");
        if (kind == TeeKind.Sgx && !evidence.EventLog.IsEmpty) return run.Checks.Fail("format", Refusal.EventLogUnexpected, "an enclave keeps no event log");
        run.Quote = quote;
        run.Checks.Pass("format", $"version {quote.Version}");
        if (signatureOnly)
        {
            run.Endorsed = Find(endorsements);
            return true;
        }
        if (Find(endorsements) is not { } collateral) return run.Checks.Fail("format", Refusal.CollateralMissing, $"no {DcapCollateral.EndorsementKind}: fetch TCB info, identity and revocation lists for this platform");
        Outcome<ReadCollateral> read = memory.CollateralOf(collateral.Span, run.Root);
        if (!run.Checks.Next("format", read.IsAccepted, read.Refusal, $"{read.Field}: {read.Reason}")) return false;
        run.Collateral = read.Value;
        return true;
    }

    /// <summary>The first that was given: what the caller fetched stands before what the evidence's maker attached.</summary>
    private static ReadOnlyMemory<byte>? Find(Endorsements endorsements)
    {
        if (!endorsements.Items.IsDefaultOrEmpty)
            foreach (Endorsement one in endorsements.Items)
                if (one.Kind == DcapCollateral.EndorsementKind) return one.Bytes;
        return null;
    }

    private bool Chain(Run run)
    {
        DcapQuote quote = run.Quote!;
        ReadOnlyMemory<byte> pem = Certificates(run, quote);
        if (pem.IsEmpty) return run.Checks.Fail("chain", Refusal.PckChainInvalid, $"the quote carries certification data of type {quote.CertificationType} and the PCK certificate's chain was not given beside it");
        Outcome<PckChain> chain = memory.ChainOf(pem.Span, run.Root);
        if (!chain.IsAccepted) return run.Checks.Fail("chain", chain.Refusal, $"{chain.Field}: {chain.Reason}");
        run.Chain = chain.Value;
        if (run.Collateral is { Chain: { } wrong }) return run.Checks.Fail("chain", wrong.Refusal, $"{wrong.Field}: {wrong.Reason}");
        run.Checks.Pass("chain", run.Chain.Authority.SubjectCommonName);

        Finding? dated = CertificateChainCheck.Dates(run.Chain.LeafFirst.AsSpan(), time: run.Time) ?? (run.Collateral is { } collateral ? CertificateChainCheck.Dates(collateral.Signers.AsSpan(), run.Time) : null);
        return run.Next("chain_expired", dated);
    }

    /// <summary>The PCK certificate with its authority: from the quote, completed or replaced by what was given beside it.</summary>
    private static ReadOnlyMemory<byte> Certificates(Run run, DcapQuote quote)
    {
        const int LeafAlone = 4, WholeChain = 5;
        ReadOnlyMemory<byte> carried = quote.CertificationData.TrimEnd((byte)0); // the end of a C string
        if (quote.CertificationType == WholeChain) return carried;
        DcapCollateral? beside = run.Collateral?.Source;
        if (beside is null && run.Endorsed is { } endorsed && DcapCollateral.Parse(endorsed).TryGetValue(out DcapCollateral? parsed)) beside = parsed;
        if (beside is null) return default;
        return quote.CertificationType == LeafAlone && !beside.PckCrlIssuerChain.IsEmpty
            ? (byte[])[.. carried.Span, (byte)'\n', .. beside.PckCrlIssuerChain.Span]
            : beside.PckCertificateChain;
    }

    private bool Revocation(Run run)
    {
        ReadCollateral collateral = run.Collateral!;
        PckChain chain = run.Chain!;
        if (!run.Next("crl_signature", collateral.RootCrlFinding ?? PckCrl(run))) return false;
        RevocationList root = collateral.RootCrl.Value, pck = collateral.PckCrl.Value;
        // Dates come after what is said: who was revoked in an old list stays revoked.
        return run.Next("revoked", RevocationCheck.Entries(root, chain.Authority) ?? RevocationCheck.Entries(root, collateral.Signers.AsSpan()) ?? RevocationCheck.Entries(pck, chain.Leaf));
    }

    private Finding? PckCrl(Run run)
    {
        ReadCollateral collateral = run.Collateral!;
        if (!collateral.PckCrl.TryGetValue(out RevocationList? list)) return new Finding(collateral.PckCrl.Refusal, collateral.PckCrl.Field, collateral.PckCrl.Reason);
        Certificate authority = run.Chain!.Authority;
        if (collateral.PckCrlIssuer is { } stated && (!stated.Subject.Span.SequenceEqual(authority.Subject.Span) || !stated.SubjectPublicKeyInfo.Span.SequenceEqual(authority.SubjectPublicKeyInfo.Span)))
            return new Finding(Refusal.RevocationListIssuer, "crl", $"the revocation list of {CertificateChainCheck.Name(stated)} was given and {CertificateChainCheck.Name(authority)} issued the PCK certificate");
        return RevocationCheck.Issuer(list, authority, memory.Signatures);
    }

    private bool TcbInfo(Run run)
    {
        ReadCollateral collateral = run.Collateral!;
        if (!collateral.TcbInfo.TryGetValue(out TcbInfo? info)) return run.Checks.Fail("tcb_info", collateral.TcbInfo.Refusal, $"{collateral.TcbInfo.Field}: {collateral.TcbInfo.Reason}");
        PckExtension platform = run.Chain!.Platform;
        string fmspc = Convert.ToHexStringLower(platform.Fmspc.Span);
        if (info.IsTdx != (kind == TeeKind.Tdx)) return run.Checks.Fail("tcb_info", Refusal.TcbInfoMismatch, $"it is TCB info for {(info.IsTdx ? "TDX" : "SGX")}");
        if (!info.Fmspc.Span.SequenceEqual(platform.Fmspc.Span)) return run.Checks.Fail("tcb_info", Refusal.TcbInfoMismatch, "it is of platforms with another FMSPC", Convert.ToHexStringLower(info.Fmspc.Span), fmspc);
        if (!info.PceId.Span.SequenceEqual(platform.PceId.Span)) return run.Checks.Fail("tcb_info", Refusal.TcbInfoMismatch, "it is of another provisioning certification enclave", Convert.ToHexStringLower(info.PceId.Span), Convert.ToHexStringLower(platform.PceId.Span));
        run.Checks.Pass("tcb_info", fmspc);
        return run.Checks.Next("tcb_info_signature", collateral.TcbInfoSigned, Refusal.TcbInfoSignature, "Intel's TCB signing key did not sign this exact text");
    }

    private bool QeIdentity(Run run)
    {
        ReadCollateral collateral = run.Collateral!;
        if (!collateral.QeIdentity.TryGetValue(out QeIdentity? identity)) return run.Checks.Fail("qe_identity", collateral.QeIdentity.Refusal, $"{collateral.QeIdentity.Field}: {collateral.QeIdentity.Reason}");
        if (!run.Checks.Next("qe_identity", identity.IsTdx == (kind == TeeKind.Tdx), Refusal.QeIdentityMismatch, $"it is the identity of the quoting enclave of {(identity.IsTdx ? "TDX" : "SGX")}", identity.IsTdx ? "TD_QE" : "QE")) return false;
        return run.Checks.Next("qe_identity_signature", collateral.QeIdentitySigned, Refusal.QeIdentitySignature, "Intel's TCB signing key did not sign this exact text");
    }

    private static bool Dates(Run run)
    {
        TcbInfo info = run.Collateral!.TcbInfo.Value;
        QeIdentity identity = run.Collateral.QeIdentity.Value;
        return run.Next("collateral_expired", InDate("TCB info", info.IssueDate, info.NextUpdate, run.Time) ?? InDate("the quoting enclave's identity", identity.IssueDate, identity.NextUpdate, run.Time))
            && run.Next("crl_expired", RevocationCheck.Dates(run.Collateral.RootCrl.Value, run.Time) ?? RevocationCheck.Dates(run.Collateral.PckCrl.Value, run.Time));
    }

    private static Finding? InDate(string what, DateTimeOffset from, DateTimeOffset until, VerificationTime time)
    {
        if (time.Instant is not { } now) return null;
        if (now < from) return new Finding(Refusal.NotYetValid, "collateral", $"{what} was issued {from:u}; the time is {now:u}");
        return now > until ? new Finding(Refusal.Expired, "collateral", $"the next update of {what} was due {until:u}; the time is {now:u}") : null;
    }

    private bool Module(Run run)
    {
        if (kind != TeeKind.Tdx) return true;
        Finding? wrong = TdxModuleCheck.Check(run.Collateral!.TcbInfo.Value, new TdReport(run.Quote!.Body), out EnclaveTcbLevel? level);
        run.Module = level;
        return run.Next("tdx_module", wrong);
    }

    private bool QuotingEnclave(Run run)
    {
        DcapQuote quote = run.Quote!;
        bool signed = memory.Signatures.Verify(run.Chain!.Leaf, SignatureAlgorithm.EcdsaSha256, quote.QeReport.Span, quote.QeReportSignature.Span, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        if (!run.Checks.Next("qe_report_signature", signed, Refusal.QeReportSignature, "the platform's PCK did not sign the quoting enclave's report")) return false;

        var report = new EnclaveReport(quote.QeReport);
        Span<byte> expected = stackalloc byte[ReportDataSize];
        expected.Clear();
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            hash.AppendData(quote.AttestationKey.Span);
            hash.AppendData(quote.QeAuthenticationData.Span);
            hash.GetHashAndReset(expected);
        }
        if (!run.Checks.Next("qe_report_data", report.ReportData.Span.SequenceEqual(expected), Refusal.QeReportData, "the quoting enclave did not make this attestation key")) return false;
        return signatureOnly || run.Next("qe_identity", Accepted(report, run.Collateral!.QeIdentity.Value));
    }

    private static Finding? Accepted(EnclaveReport report, QeIdentity identity)
    {
        if (!MaskedEqual(report.Bytes.Span.Slice(0x10, 4), identity.MiscSelect.Span, identity.MiscSelectMask.Span)) return Other("miscSelect", "Intel's quoting enclave saves other things");
        if (!MaskedEqual(report.Attributes.Span, identity.Attributes.Span, identity.AttributesMask.Span)) return Other("attributes", "Intel's quoting enclave has other attributes; this one may run under debug");
        if (!report.MrSigner.Span.SequenceEqual(identity.MrSigner.Span)) return Other("mrSigner", "another than Intel signed the quoting enclave");
        return report.ProductId == identity.ProductId ? null : Other("isvProdId", $"product {report.ProductId} of this signer is not the quoting enclave");
    }

    private static Finding Other(string field, string reason) => new(Refusal.QeNotAccepted, field, reason);

    private static bool MaskedEqual(ReadOnlySpan<byte> value, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> mask)
    {
        for (int i = 0; i < mask.Length; i++)
            if ((value[i] & mask[i]) != expected[i]) return false;
        return true;
    }

    private bool Quote(Run run, ReadOnlySpan<byte> expectedReportData)
    {
        DcapQuote quote = run.Quote!;
        using ECDsa? key = ImportPoint(quote.AttestationKey.Span);
        if (key is null) return run.Checks.Fail("quote_signature", Refusal.AttestationKeyInvalid, "the attestation key is no point of P-256");
        bool signed = key.VerifyData(quote.Signed.Span, quote.Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        if (!run.Checks.Next("quote_signature", signed, Refusal.QuoteSignature, "the quote was changed, or another key signed it")) return false;
        ReadOnlySpan<byte> stated = kind == TeeKind.Tdx ? new TdReport(quote.Body).ReportData.Span : new EnclaveReport(quote.Body).ReportData.Span;
        return run.Checks.Next("report_data", CryptographicOperations.FixedTimeEquals(stated, expectedReportData), Refusal.ReportDataMismatch,
            "what was signed covers another role, nonce, key, runtime data or accompanying evidence", Convert.ToHexStringLower(stated), Convert.ToHexStringLower(expectedReportData));
    }

    /// <summary>A log explains the registers; without one the policy compares them as they are.</summary>
    private static bool EventLog(Run run, ReadOnlyMemory<byte> eventLog) => eventLog.IsEmpty
        ? run.Checks.Pass("replay", "no log") && run.Checks.Pass("event_data", "no log")
        : RtmrReplay.Add(run.Checks, eventLog, new TdReport(run.Quote!.Body), true, out _);

    private static ECDsa? ImportPoint(ReadOnlySpan<byte> point)
    {
        try
        {
            return ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[..(KeySize / 2)].ToArray(), Y = point[(KeySize / 2)..].ToArray() },
            });
        }
        catch (Exception offCurve) when (offCurve is CryptographicException or PlatformNotSupportedException)
        {
            return null; // .NET says "platform not supported" where OpenSSL finds the point off the curve
        }
    }

    /// <summary>One verification on its way.</summary>
    private sealed class Run(ImmutableArray<PlannedCheck> plan, Certificate root, VerificationTime time)
    {
        public CheckList Checks { get; } = new(plan);

        public Certificate Root { get; } = root;

        public VerificationTime Time { get; } = time;

        public DcapQuote? Quote { get; set; }

        public ReadCollateral? Collateral { get; set; }

        /// <summary>Collateral that was given where none is asked for.</summary>
        public ReadOnlyMemory<byte>? Endorsed { get; set; }

        public PckChain? Chain { get; set; }

        public EnclaveTcbLevel? Module { get; set; }

        public bool Next(string id, Finding? wrong) => wrong is null
            ? Checks.Pass(id)
            : Checks.Fail(id, wrong.Refusal, $"{wrong.Field}: {wrong.Reason}");

        /// <summary>What signed collateral says of the platform, also where a later check failed: a refusal can then say what would have been.</summary>
        public TcbEvaluation? Evaluate()
        {
            if (Quote is null || Chain is null || Collateral is not { TcbInfoSigned: true, QeIdentitySigned: true } collateral) return null;
            TcbInfo info = collateral.TcbInfo.Value;
            bool tdx = Quote.BodyKind != QuoteBodyKind.Enclave;
            if (info.IsTdx != tdx || !info.Fmspc.Span.SequenceEqual(Chain.Platform.Fmspc.Span)) return null;
            EnclaveTcbLevel? module = Module;
            if (tdx && module is null && TdxModuleCheck.Check(info, new TdReport(Quote.Body), out module) is not null) return null;
            return TcbEvaluation.Of(info, Chain.Platform, tdx ? new TdReport(Quote.Body) : null, module, collateral.QeIdentity.Value, new EnclaveReport(Quote.QeReport).Svn);
        }
    }
}

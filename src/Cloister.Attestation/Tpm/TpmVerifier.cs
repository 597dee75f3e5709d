using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// Proves that an attestation key signed a fresh quote over the stated PCR values, and that the event log leads to them. Whose key
/// that is and whether the values are wanted is for the policy to say; a certificate is looked at and stated, not asked for.
/// It keeps imported keys and checked certificate signatures, bounded; the outcome is the same without.
/// </summary>
public sealed class TpmVerifier : IVerifier
{
    /// <summary>Endorsement: the attestation key's certificate, DER.</summary>
    public const string KeyCertificate = "tpm.ak-certificate";

    /// <summary>Endorsement: an intermediate certificate, DER; may stand several times.</summary>
    public const string Intermediate = "tpm.intermediate";

    /// <summary>Endorsement: Linux's integrity measurement list (binary_runtime_measurements), proven by PCR 10.</summary>
    public const string ImaList = "tpm.ima-list";

    /// <summary>Bytes of a quote's nonce that are taken from longer report data (docs/formats/evidence.md).</summary>
    public const int NonceSize = 32;

    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("format", "report"),
        new("magic", "report.attest.magic"),
        new("type", "report.attest.type"),
        new("signature", "report.signature"),
        new("ak_attributes", "report.key"),
        new("nonce", "report.attest.extraData"),
        new("pcr_selection", "report.attest.pcrSelect"),
        new("pcr_digest", "report.attest.pcrDigest"),
        new("replay", "eventLog"),
        new("event_data", "eventLog"),
    ];

    private readonly SignatureChecker _signatures = new();
    private readonly TpmKeyCache _keys = new();

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Tpm;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    /// <remarks>The nonce must be all of <paramref name="expectedReportData"/>, or its first 32 bytes if it is longer.</remarks>
    public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time)
    {
        if (evidence.Kind != Kind) throw new ArgumentException($"This is {evidence.Kind} evidence.", nameof(evidence));
        var checks = new CheckList(Checks);
        Outcome<TpmQuote> read = TpmQuote.Read(evidence);
        if (!checks.Next("format", read.IsAccepted, read.Refusal, $"{read.Field}: {read.Reason}", $"{evidence.Report.Length} bytes")) return Refused(checks);
        TpmQuote quote = read.Value;
        TpmAttest attest = quote.Attest;
        if (!checks.Next("magic", attest.Magic == TpmAttest.Generated, Refusal.TpmMagic, "no TPM made this statement: a restricted key signs nothing else", $"{attest.Magic:x8}", $"{TpmAttest.Generated:x8}")) return Refused(checks, quote);
        if (!checks.Next("type", attest.Type == TpmAttest.Quote, Refusal.TpmAttestType, "a TPM's statement of another kind, not a quote", $"{attest.Type:x4}", $"{TpmAttest.Quote:x4}")) return Refused(checks, quote);

        TpmSigner? signer = _keys.Take(quote.Report.Key.Span);
        bool known = signer is not null;
        signer ??= quote.ImportKey();
        if (!CheckSignature(checks, quote, signer))
        {
            signer?.Dispose();
            return Refused(checks, quote);
        }
        string algorithm = $"{SchemeName(quote.Signature.Scheme)} {signer!.Algorithm} {TpmHash.NameOf(quote.Signature.Hash)}";
        string? hierarchy = quote.Key is null ? null : signer.HierarchyOf(quote.Key, attest.QualifiedSigner.Span);
        byte[]? certified = HasCertificate(endorsements) ? signer.SubjectPublicKeyInfo() : null;
        _keys.Return(quote.Report.Key.Span, signer, known);

        if (!checks.Next("ak_attributes", quote.Key?.AttestationKeyProblem is null, Refusal.TpmKeyAttributes, quote.Key?.AttestationKeyProblem ?? "", quote.Key is { } area ? $"{area.Attributes}" : "not stated")) return Refused(checks, quote);
        ReadOnlySpan<byte> nonce = expectedReportData.Length > NonceSize ? expectedReportData.Span[..NonceSize] : expectedReportData.Span;
        if (!checks.Next("nonce", CryptographicOperations.FixedTimeEquals(attest.ExtraData.Span, nonce), Refusal.ReportDataMismatch,
            "what was signed is for another nonce: an old quote, or one bound to another role, key, runtime data or evidence", Hex(attest.ExtraData.Span), Hex(nonce))) return Refused(checks, quote);

        ImmutableArray<TpmPcrValue> values = quote.Report.Pcrs;
        string selected = quote.DescribeSelection();
        bool any = attest.Selection.Any(bank => bank.Mask != 0);
        if (!checks.Next("pcr_selection", any && TpmPcrValues.FirstMissing(attest.Selection, values) is null, Refusal.TpmPcrSelection,
            any ? "a PCR that was signed has no stated value; stated values of others prove nothing" : "the quote covers no PCR", selected)) return Refused(checks, quote);
        byte[] digest = TpmPcrValues.Digest(attest.Selection, values, quote.Signature.Hash);
        if (!checks.Next("pcr_digest", attest.PcrDigest.Span.SequenceEqual(digest), Refusal.TpmPcrDigest,
            "the stated PCR values are not those that were signed", Hex(digest), Hex(attest.PcrDigest.Span))) return Refused(checks, quote);

        var claims = new TpmClaims(quote, algorithm, hierarchy);
        if (!CheckLog(checks, quote, claims)) return Refused(checks, quote);
        claims.AddIma(endorsements);
        if (certified is not null) claims.AddCertificate(endorsements, certified, TpmRoots.Of(anchors), _signatures, time);
        Claims proven = claims.Finish();
        return new Proof(checks.Finish(), proven) { Stated = proven };
    }

    private static bool CheckSignature(CheckList checks, TpmQuote quote, TpmSigner? signer)
    {
        if (signer is null) return checks.Fail("signature", Refusal.SignerKeyInvalid, "the attestation key is not RSA of 2048 to 4096 bits or a point on P-256, P-384 or P-521");
        TpmSignature signature = quote.Signature;
        if (quote.Key is { } key && key.Scheme != TpmAlgorithm.Null && (key.Scheme != signature.Scheme || key.SchemeHash != signature.Hash))
            return checks.Fail("signature", Refusal.TpmSignatureScheme, "not the scheme that the key is confined to", $"{signature.Scheme} {signature.Hash}", $"{key.Scheme} {key.SchemeHash}");
        return checks.Next("signature", signer.Verify(quote.Report.Attest.Span, signature), Refusal.SignatureInvalid, "the statement was changed, or another key signed it", $"{signature.Scheme} {signature.Hash}");
    }

    private static bool CheckLog(CheckList checks, TpmQuote quote, TpmClaims claims)
    {
        if (quote.Log is not { } log) return checks.Pass("replay", "no event log") && checks.Pass("event_data", "no event log");
        TpmAlgorithm[] banks = [.. quote.Attest.Selection.Where(bank => bank.Mask != 0 && log.HasBank(bank.Bank)).Select(bank => bank.Bank)];
        if (banks.Length == 0) return checks.Fail("replay", Refusal.EventLogReplay, "the log has no digests of a quoted bank", string.Join(", ", log.Banks.Select(bank => TpmHash.NameOf(bank.Algorithm))), quote.DescribeSelection());
        foreach (TpmAlgorithm bank in banks)
        {
            var replay = EventLogReplay.Run(log, bank);
            string phases = "";
            for (int pcr = 0; pcr < TpmLayout.PcrCount; pcr++)
            {
                if (!quote.IsQuoted(bank, pcr)) continue;
                ReadOnlySpan<byte> value = TpmPcrValues.Find(quote.Report.Pcrs, bank, pcr)!.Value.Span;
                if (replay.Explain(pcr, value, out string passed) == PcrExplanation.Unexplained)
                    return checks.Fail("replay", Refusal.EventLogReplay, $"the log does not lead to the quoted PCR {pcr} ({TpmHash.NameOf(bank)}): it was changed, or it is of another boot", Hex(replay.Value(pcr)), Hex(value));
                if (passed.Length > 0) phases = passed;
            }
            claims.Replayed(bank, phases);
        }
        checks.Pass("replay", string.Join(", ", banks.Select(TpmHash.NameOf)));
        foreach (TpmAlgorithm bank in banks)
        {
            if (EventLogData.FirstProblem(log, bank) is { } problem)
                return checks.Fail("event_data", Refusal.EventLogData, $"event {problem.Index} (PCR {problem.Pcr}, {problem.Type}): {problem.Reason}");
            claims.AddBoot(log, bank);
        }
        return checks.Pass("event_data", $"{log.Events.Length} events");
    }

    private static bool HasCertificate(Endorsements endorsements) => !endorsements.Items.IsDefault && endorsements.Items.Any(one => one.Kind == KeyCertificate);

    private static string SchemeName(TpmAlgorithm scheme) => scheme switch { TpmAlgorithm.RsaSsa => "rsassa", TpmAlgorithm.RsaPss => "rsapss", _ => "ecdsa" };

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>A refusal states what was read, so that it can be explained.</summary>
    private static Proof Refused(CheckList checks, TpmQuote? quote = null) => new(checks.Finish(), null)
    {
        Stated = quote is { Attest.Type: TpmAttest.Quote } ? new TpmClaims(quote, $"{SchemeName(quote.Signature.Scheme)} {TpmHash.NameOf(quote.Signature.Hash)}", null).Finish() : null,
    };
}

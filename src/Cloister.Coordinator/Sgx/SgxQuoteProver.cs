using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Collateral;

namespace Cloister.Coordinator.Sgx;

/// <summary>A proven SGX quote.</summary>
/// <param name="Claims">What it says, and the state of its platform.</param>
/// <param name="Quote">Its parts.</param>
internal sealed record ProvenQuote(Claims Claims, DcapQuote Quote);

/// <summary>
/// Proves the SGX quotes of MarbleRun's wire up to Intel's root, with collateral of this coordinator's own source. Collateral is looked for
/// only after the quote's signatures held: a stranger's invented platform fetches nothing.
/// </summary>
internal sealed class SgxQuoteProver(ICollateralSource? collateral, Anchors anchors, TimeProvider time)
{
    private const int HashSize = 32;

    private readonly DcapMemory _memory = new();

    /// <param name="bytes">Hostile; with Open Enclave's header or without.</param>
    /// <param name="boundTo">The 32 bytes that its report data must begin with, or null where any report data will do.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="CoordinatorException">EvidenceRefused, with the reason alone as its text.</exception>
    public async Task<ProvenQuote> ProveAsync(ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte>? boundTo, CancellationToken cancellation)
    {
        if (OeQuote.Unwrap(bytes, out string reason) is not { } raw)
            throw Refused(reason);
        Outcome<DcapQuote> parsed = QuoteLayout.Parse(raw);
        if (!parsed.TryGetValue(out DcapQuote? quote))
            throw Refused(raw.IsEmpty ? "the quote is empty" : $"{(int)parsed.Refusal} {parsed.Refusal} at {parsed.Field}: {parsed.Reason}");
        if (quote.BodyKind != QuoteBodyKind.Enclave)
            throw Refused("it is a quote of TDX; on this wire only those of SGX are known");
        if (quote.Trailing.Span.ContainsAnyExcept((byte)0))
            throw Refused("bytes follow the quote that nobody signed");

        var evidence = new Evidence(TeeKind.Sgx, raw, default, default, []);
        ReadOnlyMemory<byte> stated = new EnclaveReport(quote.Body).ReportData;
        _ = Require(SgxVerifier.SignatureOnly(_memory), evidence, stated, Endorsements.None);
        if (boundTo is { } hash && !stated.Span[..HashSize].SequenceEqual(hash.Span))
            throw Refused($"its report data are of another certificate: {Convert.ToHexStringLower(stated.Span[..HashSize])}, and this connection's has {Convert.ToHexStringLower(hash.Span)}");
        Claims claims = Require(new SgxVerifier(_memory), evidence, stated, await CollateralAsync(raw, cancellation));
        return new ProvenQuote(claims, quote);
    }

    private Claims Require(SgxVerifier verifier, Evidence evidence, ReadOnlyMemory<byte> reportData, Endorsements endorsements)
    {
        Proof proof = verifier.Prove(evidence, reportData, endorsements, anchors, VerificationTime.At(time.GetUtcNow()));
        if (proof.Claims is { } claims)
            return claims;
        Check failed = proof.Checks.First(check => check.Verdict == Verdict.Failed);
        throw Refused($"{(int)failed.Refusal} {failed.Refusal} at {failed.Id}: {failed.Reason}");
    }

    private async Task<Endorsements> CollateralAsync(ReadOnlyMemory<byte> quote, CancellationToken cancellation)
    {
        if (collateral is null)
            throw Refused("this coordinator has no collateral to verify it with: name a folder in CLOISTER_COLLATERAL_DIR, and in CLOISTER_COLLATERAL_SERVICE a service to fetch it from");
        Outcome<DcapPlatform> platform = DcapPlatform.Of(quote);
        if (!platform.IsAccepted)
            throw Refused($"{platform.Field}: {platform.Reason}");
        try
        {
            return (await CollateralSet.GetAsync(collateral, platform.Value, cancellation)).ToEndorsements();
        }
        catch (CollateralException absent)
        {
            throw Refused($"its platform's collateral is not to be had ({absent.Error}): {absent.Message}", absent);
        }
    }

    private static CoordinatorException Refused(string reason, Exception? cause = null) => new(CoordinatorError.EvidenceRefused, reason, cause);
}

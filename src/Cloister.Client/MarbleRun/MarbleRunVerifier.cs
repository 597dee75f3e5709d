using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Sgx;
using Cloister.Collateral;

namespace Cloister.Client.MarbleRun;

/// <summary>A MarbleRun coordinator that proved to be the wanted enclave. Only <see cref="MarbleRunVerifier"/> makes one.</summary>
public sealed class VerifiedMarbleRun
{
    internal VerifiedMarbleRun(Uri coordinator, MarbleRunQuote quote, bool fresh, AttestationResult result) =>
        (Coordinator, Certificates, IsFresh, Result, RootKey) = (coordinator, quote, fresh, result, CoordinatorCertificates.KeyOf(quote.Root));

    /// <summary>Its address.</summary>
    public Uri Coordinator { get; }

    /// <summary>Certificates and quote, now believed.</summary>
    public MarbleRunQuote Certificates { get; }

    /// <summary>Whether the quote was made over this verification's nonce. Coordinators without version 2 know none: their quote may be old.</summary>
    public bool IsFresh { get; }

    /// <summary>Every check that was made, in order; all passed.</summary>
    public AttestationResult Result { get; }

    /// <summary>The attested root's key, DER: the key of every further TLS connection to this coordinator.</summary>
    public ReadOnlyMemory<byte> RootKey { get; }
}

/// <summary>
/// Verifies a coordinator on MarbleRun's wire by its SGX quote: genuine up to Intel's root, over SHA-256(root certificate, nonce),
/// of the wanted enclave, and its root's key the key of this TLS connection, which MarbleRun's own CLI learns only with the next call.
/// </summary>
public sealed class MarbleRunVerifier
{
    private const int NonceBytes = 32, HeaderBytes = 16, NotAllowed = 405;
    private static readonly ImmutableArray<PlannedCheck> Present = [new("quote.present", "quote"), new("tls.key", "root")];
    private readonly ICollateralSource _collateral;
    private readonly ClientOptions _options;
    private readonly Anchors _anchors;

    /// <summary>Creates a verifier.</summary>
    /// <param name="collateral">Where Intel's data about the coordinator's platform comes from.</param>
    /// <param name="options">Bounds and clock.</param>
    /// <param name="anchors">Roots in place of Intel's pinned one.</param>
    public MarbleRunVerifier(ICollateralSource collateral, ClientOptions? options = null, Anchors? anchors = null) =>
        (_collateral, _options, _anchors) = (collateral, options ?? new ClientOptions(), anchors ?? Anchors.Pinned);

    /// <summary>Verifies the coordinator at an address.</summary>
    /// <param name="coordinator">Its https address (client API).</param>
    /// <param name="policy">What is accepted: see <see cref="EraConfiguration.ToPolicy"/>.</param>
    /// <param name="nonce">The caller's own nonce; empty makes one.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">Whoever answers is not the coordinator that the policy wants; the exception holds every check.</exception>
    /// <exception cref="ClientException">It cannot be reached, or its answer cannot be read.</exception>
    /// <exception cref="CollateralException">Intel's data about its platform is not to be had.</exception>
    public async Task<VerifiedMarbleRun> VerifyAsync(Uri coordinator, SgxPolicy policy, ReadOnlyMemory<byte> nonce = default, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(policy);
        using var client = new MarbleRunClient(coordinator, options: _options);
        (MarbleRunQuote quote, ReadOnlyMemory<byte> over) = await FetchAsync(client, nonce, cancellation);
        var first = new CheckList(Present);
        bool here = first.Next("quote.present", !quote.Quote.IsEmpty, Refusal.SimulationNotNamed, "the coordinator has no quote: it runs in simulation, which proves nothing")
            && first.Next("tls.key", client.PeerKey.Span.SequenceEqual(CoordinatorCertificates.KeyOf(quote.Root).Span), Refusal.KeyMismatch, "the certificate that the quote speaks of is not this connection's: somebody is in the middle");
        AttestationResult result = here
            ? await ProveAsync(quote, over, policy, first.Finish(), cancellation)
            : new AttestationResult(first.Finish(), [], simulated: quote.Quote.IsEmpty);
        return result.Refused is null ? new VerifiedMarbleRun(coordinator, quote, !over.IsEmpty, result) : throw new PeerRefusedException($"The coordinator at {coordinator.Authority}", result);
    }

    private static async Task<(MarbleRunQuote Quote, ReadOnlyMemory<byte> Over)> FetchAsync(MarbleRunClient client, ReadOnlyMemory<byte> nonce, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> over = nonce.IsEmpty ? RandomNumberGenerator.GetBytes(NonceBytes) : nonce;
        try
        {
            return (await client.GetQuoteAsync(over, cancellation), over);
        }
        catch (ClientException old) when (old.HttpStatus == NotAllowed && nonce.IsEmpty)
        {
            // Before version 2 there were no nonces. Whoever wants freshness gives a nonce, and is refused here.
            return (await client.GetQuoteAsync(default, cancellation), default);
        }
    }

    private async Task<AttestationResult> ProveAsync(MarbleRunQuote quote, ReadOnlyMemory<byte> nonce, SgxPolicy policy, ImmutableArray<Check> first, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> raw = WithoutHeader(quote.Quote);
        // Report data have 64 bytes; a hash fills the first 32.
        byte[] expected = [.. SHA256.HashData([.. quote.Root.Span, .. nonce.Span]), .. new byte[SHA256.HashSizeInBytes]];
        var evidence = new Evidence(TeeKind.Sgx, raw, default, default, []);
        VerificationTime time = VerificationTime.At(_options.Time.GetUtcNow());
        Outcome<DcapPlatform> platform = DcapPlatform.Of(raw);
        // Without a platform nothing can be fetched, and the verifier says what is wrong with the quote.
        Endorsements endorsements = platform.IsAccepted ? (await CollateralSet.GetAsync(_collateral, platform.Value, cancellation)).ToEndorsements() : Endorsements.None;
        Proof proof = new SgxVerifier().Prove(evidence, expected, endorsements, _anchors, time);
        AttestationResult judged = proof.Judge(new SgxAppraiser(), policy, time);
        return judged.TryAccept(out Claims? claims, out _)
            ? new AttestationResult([.. first, .. judged.Checks], [claims], judged.Simulated)
            : new AttestationResult([.. first, .. judged.Checks], [], judged.Simulated);
    }

    /// <summary>A quote may stand behind Open Enclave's header: u32 version 1, u32 type 2, u64 length, little-endian.</summary>
    private static ReadOnlyMemory<byte> WithoutHeader(ReadOnlyMemory<byte> quote)
    {
        ReadOnlySpan<byte> span = quote.Span;
        bool header = span.Length >= HeaderBytes && BinaryPrimitives.ReadUInt32LittleEndian(span) == 1 && BinaryPrimitives.ReadUInt32LittleEndian(span[4..]) == 2
            && BinaryPrimitives.ReadUInt64LittleEndian(span[8..]) == (ulong)(span.Length - HeaderBytes);
        return header ? quote[HeaderBytes..] : quote;
    }
}

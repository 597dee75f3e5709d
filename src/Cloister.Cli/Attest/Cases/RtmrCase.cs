using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Tdx;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Maps a case of kind <c>rtmr</c> to the library's call: a log against a quote that is trusted as it stands.</summary>
internal static class RtmrCase
{
    public static ImmutableArray<Check> Run(AttestationCase one)
    {
        Outcome<DcapQuote> quote = QuoteLayout.Parse(one.NeededFile("quote"));
        return quote.IsAccepted && quote.Value.BodyKind != QuoteBodyKind.Enclave
            ? RtmrReplay.Run(one.NeededFile("ccel"), new TdReport(quote.Value.Body), out _)
            : [Check.Fail("format", "report", Refusal.QuoteTeeType, "not a quote of a trust domain")];
    }
}

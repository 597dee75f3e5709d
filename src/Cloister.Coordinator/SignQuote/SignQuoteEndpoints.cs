using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Attestation.Dcap;
using Cloister.Coordinator.Manifest;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.Sgx;
using Cloister.Coordinator.State;
using Cloister.Protocol;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.SignQuote;

/// <summary>MarbleRun's signing of quotes: the root key vouches that a quote was verified, and for the state of its platform.</summary>
internal static class SignQuoteEndpoints
{
    public const string Path = "/api/v2/sign-quote";

    // The largest quote as base64, with room for the members around it.
    private const int MaxBody = 128 << 10;

    public static void MapSignQuote(this IEndpointRouteBuilder routes, LiveState state, SgxQuoteProver quotes, ILogger logger) =>
        routes.MapRest("POST", Path, RestSurface.V2, logger, async http =>
        {
            CoordinatorSnapshot snapshot = state.Current;
            FeatureGate.Require(snapshot.Manifest?.Document, FeatureGate.SignQuote);
            byte[] quote = Read(await RequestBody.ReadAsync(http, MaxBody, requireJson: false));
            string status = await VerifyAsync(quotes, quote, http.RequestAborted);
            byte[] signature = Sign(snapshot, quote, status);
            logger.QuoteSigned(status);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new SignQuoteResponse(status, signature)), MarbleRunJson.Lenient.JSendSignQuoteResponse);
        });

    private static byte[] Read(byte[] body)
    {
        try
        {
            return RestJson.Read(body, MarbleRunJson.Lenient.SignQuoteRequest, MaxBody).SgxQuote ?? [];
        }
        catch (ProtocolException error)
        {
            throw new CoordinatorException(CoordinatorError.BadRequest, "bad request: " + error.Message, error) { FailedMember = new("sgxQuote", "failed to parse JSON data") };
        }
    }

    // Any state of the platform is signed, since the signature covers it, but one of which Intel says nothing that is understood.
    private static async Task<string> VerifyAsync(SgxQuoteProver quotes, byte[] quote, CancellationToken cancellation)
    {
        string reason;
        try
        {
            string status = (await quotes.ProveAsync(quote, null, cancellation)).Claims.Fields[DcapFields.TcbStatus];
            if (status is not (nameof(TcbStatus.Unrecognized) or nameof(TcbStatus.NotSupported) or nameof(TcbStatus.NotEvaluated)))
                return status;
            reason = $"TCB level invalid: {status}";
        }
        catch (CoordinatorException refused) when (refused.Error == CoordinatorError.EvidenceRefused)
        {
            reason = refused.Message;
        }
        throw new CoordinatorException(CoordinatorError.QuoteRefused, "quote verification failed") { FailedMember = new("sgxQuote", "quote verification failed: " + reason) };
    }

    // Over the quote exactly as it came, header and all.
    private static byte[] Sign(CoordinatorSnapshot snapshot, byte[] quote, string status)
    {
        using ECDsa root = snapshot.Authority.Root.GetECDsaPrivateKey()!;
        return root.SignData(Encoding.ASCII.GetBytes(Convert.ToBase64String(quote) + status), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}

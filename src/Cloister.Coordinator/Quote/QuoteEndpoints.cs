using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Quote;

/// <summary>The coordinator's evidence with the certificates it vouches for.</summary>
internal static class QuoteEndpoints
{
    private const int MaxMarbleRunNonce = 4096, MaxCredential = 4096;

    public static void MapQuote(this IEndpointRouteBuilder routes, LiveState state, EvidenceSource evidence, bool simulation, ILogger logger)
    {
        routes.MapRest("GET", RestPaths.EvidenceV3, RestSurface.V3, logger, async http =>
        {
            if (!NonceText.TryDecode(http.Request.Query["nonce"], out byte[]? nonce))
                throw new CoordinatorException(CoordinatorError.BadRequest, $"The query must name nonce=, {NonceText.MinBytes} to {NonceText.MaxBytes} fresh random bytes as base64url.");
            CoordinatorSnapshot snapshot = state.Current;
            // The client port's TLS key is the root's.
            EvidenceSet issued = await evidence.IssueAsync(snapshot, nonce, snapshot.Authority.RootSpki, http.RequestAborted);
            var answer = new EvidenceV3(EvidenceCodec.Encode(issued), Chain(snapshot.Authority), Pem(snapshot.Authority.MarbleRoot), evidence.Simulated);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendEvidenceV3);
        });
        routes.MapRest("POST", RestPaths.CredentialV3, RestSurface.V3, logger, async http =>
        {
            CredentialV3 body = RestJson.Read(await RequestBody.ReadAsync(http, MaxCredential, requireJson: true), RestJson.Strict.CredentialV3);
            byte[] secret = await evidence.OpenAsync(new TpmCredential(body.Blob, body.EncryptedSecret), http.RequestAborted);
            try
            {
                return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new CredentialSecretV3(secret)), RestJson.Strict.JSendCredentialSecretV3);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        });
        routes.MapRest("GET", RestPaths.QuoteV2, RestSurface.V2, logger, http =>
        {
            CheckMarbleRunNonce(http.Request.Query["nonce"]);
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
                JSend.Of(new QuoteV2(Chain(state.Current.Authority), NullQuote(simulation))), RestJson.Strict.JSendQuoteV2));
        });
        routes.MapRest("GET", "/quote", RestSurface.V1, logger, _ => Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
            JSend.Of(new QuoteV1(Chain(state.Current.Authority), NullQuote(simulation))), MarbleRunJson.Lenient.JSendQuoteV1)));
    }

    private static byte[]? NullQuote(bool simulation) => simulation
        ? null
        : throw new CoordinatorException(CoordinatorError.NoEvidence,
            $"This coordinator has no SGX quote, which is all that this path can carry. Its evidence is at {RestPaths.EvidenceV3}?nonce=...");

    private static void CheckMarbleRunNonce(string? nonce)
    {
        if (string.IsNullOrEmpty(nonce))
            return;
        if (nonce.Length > MaxMarbleRunNonce || nonce.Length % 4 != 0 || !Base64Url.IsValid(nonce))
            throw new CoordinatorException(CoordinatorError.BadRequest, "invalid query: bad nonce format: it is not padded base64url");
    }

    private static string Chain(CertificateAuthority authority) => Pem(authority.Intermediate) + Pem(authority.Root);

    private static string Pem(System.Security.Cryptography.X509Certificates.X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";
}

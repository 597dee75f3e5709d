using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Templates;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// Activation on MarbleRun's wire, as its simulation does it: any quote and any marble is accepted, the coordinator makes the marble's key,
/// and the certificate is valid for about 292 years. Without simulation this wire is refused: nothing on it proves who asks.
/// </summary>
internal sealed class MarbleRunActivation(LiveState state, ActivationBudget budget, bool simulation, TimeProvider time, ILogger logger)
{
    public async Task<ActivationResp> ActivateAsync(ActivationReq request, CancellationToken cancellation)
    {
        CoordinatorSnapshot snapshot = ActivationBudget.RequireReady(state.Current);
        MarblePlan plan = ActivationBudget.FindType(snapshot, request.MarbleType);
        if (!simulation)
            throw new CoordinatorException(CoordinatorError.WireNotAllowed,
                "A request without a challenge is MarbleRun's, whose SGX quotes this coordinator does not verify yet. Ask for a challenge (rpc.Marble/Challenge), or run the coordinator with OE_SIMULATION=1 for tests.");
        ActivationBudget.RequireLeft(snapshot, plan);
        if (!UuidText.TryParse(request.UUID, out Guid uuid))
            throw new CoordinatorException(CoordinatorError.BadUuid, "The UUID cannot be read.");
        SigningRequest signing = SigningRequest.Read(request.CSR.Span, out string reason)
            ?? throw new CoordinatorException(CoordinatorError.RequestRefused, $"Refused: {reason}.");
        DateTimeOffset now = time.GetUtcNow();
        using MarbleSecrets secrets = NeededSecrets.Collect(snapshot, plan, uuid, now), previous = new(snapshot, plan, uuid, previous: true, now);
        TemplateData data = GrantedParameters.Data(snapshot) with { Secrets = secrets, PreviousSecrets = previous, UnsetIsEmpty = true };

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var publicKey = new PublicKey(key);
        byte[] leaf = snapshot.Authority.Issue(new LeafProfile(uuid, plan.Type, publicKey, signing.Names, now, now + CertificateAuthority.Forever));
        byte[] privateKey = key.ExportPkcs8PrivateKey();
        try
        {
            var certificate = new TemplateSecret("", leaf, publicKey.ExportSubjectPublicKeyInfo(), privateKey);
            var answer = new ActivationResp { Parameters = GrantedParameters.Render(plan, data with { MarbleCertificate = certificate }) };
            AddPredefined(answer.Parameters, snapshot, leaf, privateKey);
            await budget.UseAsync(plan, snapshot.Manifest!.Fingerprint, cancellation);
            logger.UnverifiedMarbleActivated(plan.Type, uuid);
            return answer;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    private static void AddPredefined(Parameters parameters, CoordinatorSnapshot snapshot, byte[] leaf, byte[] privateKey)
    {
        string intermediate = Pem("CERTIFICATE", snapshot.Authority.Intermediate.RawData);
        Add("MARBLE_PREDEFINED_ROOT_CA", Pem("CERTIFICATE", snapshot.Authority.MarbleRoot.RawData));
        Add("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA", Pem("CERTIFICATE", snapshot.Authority.Root.RawData));
        Add("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN", Pem("CERTIFICATE", leaf) + intermediate);
        Add("MARBLE_PREDEFINED_PRIVATE_KEY", Pem("PRIVATE KEY", privateKey));

        void Add(string name, string value) => parameters.Env[name] = ByteString.CopyFromUtf8(value);
    }

    private static string Pem(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Sgx;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Templates;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// Activation on MarbleRun's wire, in its order and its words: the SGX quote is over the TLS client certificate, the coordinator makes the marble's
/// key, and the certificate is valid for about 292 years. In simulation, and only there, no quote is looked at.
/// </summary>
internal sealed class MarbleRunActivation(LiveState state, ActivationBudget budget, SgxQuoteProver quotes, bool simulation, TimeProvider time, ILogger logger)
{
    private const string Unverified = "marble verification failed: ";

    public async Task<ActivationResp> ActivateAsync(ActivationReq request, X509Certificate2? connection, CancellationToken cancellation)
    {
        CoordinatorSnapshot snapshot = state.Current;
        if (snapshot is not { State: CoordinatorState.AcceptingMarbles, Manifest: { } manifest })
            throw new CoordinatorException(CoordinatorError.WrongState, "cannot accept marbles in current state");
        if (!manifest.Plans.TryGetValue(request.MarbleType, out MarblePlan? plan))
            throw new CoordinatorException(CoordinatorError.UnknownType, Unverified + "unknown marble type requested");
        if (!simulation)
            await VerifyAsync(request.Quote.Memory, connection, snapshot, plan, cancellation);
        if (plan.Marble.MaxActivations != 0 && (ulong)snapshot.Activations.GetValueOrDefault(plan.Type) >= plan.Marble.MaxActivations)
            throw new CoordinatorException(CoordinatorError.BudgetSpent, $"{Unverified}reached max activations count ({plan.Marble.MaxActivations}) for marble type \"{plan.Type}\"");
        if (!UuidText.TryParse(request.UUID, out Guid uuid))
            throw new CoordinatorException(CoordinatorError.BadUuid, "invalid UUID: " + UuidText.Problem(request.UUID));
        SigningRequest signing = SigningRequest.Read(request.CSR.Span, connection, out string reason)
            ?? throw new CoordinatorException(CoordinatorError.RequestRefused, $"generating marble authentication secrets: parsing CSR: {reason}");

        ActivationResp answer = Grant(snapshot, plan, uuid, signing);
        await budget.UseAsync(plan, manifest.Fingerprint, cancellation);
        if (simulation)
            logger.UnverifiedMarbleActivated(plan.Type, uuid);
        else
            logger.MarbleActivated(plan.Type, uuid);
        return answer;
    }

    private async Task VerifyAsync(ReadOnlyMemory<byte> quote, X509Certificate2? connection, CoordinatorSnapshot snapshot, MarblePlan plan, CancellationToken cancellation)
    {
        if (connection is null)
            throw new CoordinatorException(CoordinatorError.ConnectionWithoutCertificate, "couldn't get marble TLS certificate");
        ManifestDocument manifest = snapshot.Manifest!.Document;
        ManifestPackage package = manifest.Packages[plan.Marble.Package];
        // A package in Cloister's words has no SGX properties here: without this, any enclave would do.
        if (package.Policy is not null)
            throw new CoordinatorException(CoordinatorError.WireNotAllowed,
                $"{Unverified}package '{plan.Marble.Package}' has a policy that MarbleRun's wire cannot meet: ask for a challenge (rpc.Marble/Challenge)");
        ProvenQuote proven;
        try
        {
            proven = await quotes.ProveAsync(quote, SHA256.HashData(connection.RawDataMemory.Span), cancellation);
        }
        catch (CoordinatorException refused)
        {
            throw new CoordinatorException(refused.Error, $"{Unverified}invalid quote: {refused.Message}", refused);
        }
        if (SgxPackageCheck.Refuse(proven.Claims, package, snapshot.SecurityVersions.GetValueOrDefault(plan.Marble.Package)) is { } wrong)
            throw new CoordinatorException(CoordinatorError.EvidenceRefused, $"{Unverified}invalid quote: {wrong}");
        if (SgxInfrastructureCheck.Refuse(manifest.Infrastructures, proven) is { } elsewhere)
            throw new CoordinatorException(CoordinatorError.EvidenceRefused, Unverified + elsewhere);
    }

    private ActivationResp Grant(CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid, SigningRequest signing)
    {
        DateTimeOffset now = time.GetUtcNow();
        using MarbleSecrets secrets = NeededSecrets.Collect(snapshot, plan, uuid, now), previous = new(snapshot, plan, uuid, previous: true, now);
        TemplateData data = GrantedParameters.Data(snapshot) with { Secrets = secrets, PreviousSecrets = previous, UnsetIsEmpty = true };

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var publicKey = new PublicKey(key);
        byte[] leaf = snapshot.Authority.Issue(new LeafProfile(uuid, plan.Type, publicKey, signing.Names, now, now + CertificateAuthority.Forever));
        byte[] privateKey = key.ExportPkcs8PrivateKey();
        try
        {
            TemplateData own = data with { MarbleCertificate = new TemplateSecret("", leaf, publicKey.ExportSubjectPublicKeyInfo(), privateKey) };
            Parameters parameters = GrantedParameters.Render(plan, own);
            if (TtlsEnvironment.Build(snapshot, plan, own) is { } connections)
                parameters.Env[TtlsEnvironment.Variable] = connections;
            AddPredefined(parameters, snapshot, leaf, privateKey);
            return new ActivationResp { Parameters = parameters };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    private static void AddPredefined(Parameters parameters, CoordinatorSnapshot snapshot, byte[] leaf, byte[] privateKey)
    {
        Add("MARBLE_PREDEFINED_ROOT_CA", MarblePem.Certificate(snapshot.Authority.MarbleRoot.RawData));
        Add("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA", MarblePem.Certificate(snapshot.Authority.Root.RawData));
        Add("MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN", MarblePem.Certificate(leaf) + MarblePem.Certificate(snapshot.Authority.Intermediate.RawData));
        Add("MARBLE_PREDEFINED_PRIVATE_KEY", MarblePem.PrivateKey(privateKey));

        void Add(string name, string value) => parameters.Env[name] = ByteString.CopyFromUtf8(value);
    }
}

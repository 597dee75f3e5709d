using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Hosting;

/// <summary>A workload that can lie in every field.</summary>
internal sealed class TestWorkload : IDisposable
{
    private readonly TestCoordinator _coordinator;

    public TestWorkload(TestCoordinator coordinator, string type = "free", ECCurve? curve = null)
    {
        (_coordinator, Type) = (coordinator, type);
        Key = ECDsa.Create(curve ?? ECCurve.NamedCurves.nistP256);
        Issuer = coordinator.WorkloadIssuer();
        Connection = SelfSigned(Key);
        Csr = Request(Key);
    }

    public string Type { get; set; }

    public string Uuid { get; set; } = Guid.NewGuid().ToString("D");

    public ECDsa Key { get; }

    public IEvidenceIssuer Issuer { get; set; }

    /// <summary>What it shows in TLS.</summary>
    public X509Certificate2? Connection { get; set; }

    public byte[] Csr { get; set; }

    public bool Renewal { get; set; }

    /// <summary>What the evidence states; the truth where null.</summary>
    public WorkloadStatement? Statement { get; set; }

    /// <summary>The key that the evidence is bound to; its own where null.</summary>
    public byte[]? BoundKey { get; set; }

    /// <summary>The nonce that the evidence is bound to; the challenge where null.</summary>
    public byte[]? BoundNonce { get; set; }

    public byte[] ServerKey { get; private set; } = [];

    public static X509Certificate2 SelfSigned(ECDsa key) =>
        new CertificateRequest("CN=workload", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));

    public static byte[] Request(ECDsa key, string name = "localhost")
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequest();
    }

    public async Task<ChallengeResp> ChallengeAsync(byte[]? nonce = null)
    {
        using HttpClient client = Client();
        return await Channel(client).UnaryAsync(MarbleService.ChallengePath,
            new ChallengeReq { Nonce = ByteString.CopyFrom(nonce ?? RandomNumberGenerator.GetBytes(32)) }, ChallengeResp.Parser);
    }

    /// <summary>Asks for the enrolment of a TPM's keys.</summary>
    public async Task<EnrolResp> EnrolAsync(ByteString challenge, TpmEndorsement endorsement)
    {
        using HttpClient client = Client();
        var request = new EnrolReq
        {
            Challenge = challenge,
            MarbleType = Type,
            EndorsementCertificate = ByteString.CopyFrom(endorsement.Certificate.Span),
            EndorsementKey = ByteString.CopyFrom(endorsement.EndorsementKey.Span),
            AttestationKey = ByteString.CopyFrom(endorsement.AttestationKey.Span),
        };
        request.Intermediates.AddRange(endorsement.Intermediates.Select(one => ByteString.CopyFrom(one.Span)));
        return await Channel(client).UnaryAsync(MarbleService.EnrolPath, request, EnrolResp.Parser);
    }

    /// <summary>Lets the coordinator's TPM open a credential.</summary>
    public async Task<CredentialResp> OpenAsync(TpmCredentialMessage credential)
    {
        using HttpClient client = Client();
        return await Channel(client).UnaryAsync(MarbleService.CredentialPath, credential, CredentialResp.Parser);
    }

    public async Task<ActivationReq> PrepareAsync(ChallengeResp challenge)
    {
        var binding = new Binding(AttesterRole.Workload, BoundNonce ?? challenge.Challenge.ToByteArray(), BoundKey ?? Key.ExportSubjectPublicKeyInfo());
        WorkloadStatement statement = Statement ?? new WorkloadStatement(Type, Uuid, Convert.ToHexStringLower(challenge.ManifestFingerprint.Span));
        EvidenceSet evidence = await Issuer.IssueAsync(binding, statement.ToBytes(), default);
        return new ActivationReq
        {
            CSR = ByteString.CopyFrom(Csr),
            MarbleType = Type,
            UUID = Uuid,
            Challenge = challenge.Challenge,
            Evidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence)),
            Renewal = Renewal,
        };
    }

    public async Task<ActivationResp> SendAsync(ActivationReq request)
    {
        using HttpClient client = Client();
        return await Channel(client).UnaryAsync(MarbleService.ActivatePath, request, ActivationResp.Parser);
    }

    public async Task<ActivationResp> ActivateAsync() => await SendAsync(await PrepareAsync(await ChallengeAsync()));

    public async Task<GrpcException> RefusedAsync() => await Assert.ThrowsAsync<GrpcException>(ActivateAsync);

    /// <summary>The issued certificate with this workload's key.</summary>
    public X509Certificate2 Join(ActivationResp answer)
    {
        using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(answer.CertificateChain[0].Span);
        return leaf.CopyWithPrivateKey(Key);
    }

    public void Dispose() => Key.Dispose();

    private HttpClient Client() => _coordinator.Mesh(Connection, key => ServerKey = key);

    private static GrpcChannel Channel(HttpClient client) => new(client, client.BaseAddress!);
}

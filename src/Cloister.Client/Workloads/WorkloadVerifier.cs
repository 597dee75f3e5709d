using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;

namespace Cloister.Client;

/// <summary>
/// Verifies a workload of a verified deployment over one TLS connection: its certificate chains to the attested marble
/// root and names the wanted type, and its evidence, made for a fresh nonce and for the very key of this connection,
/// is what the manifest's package asks for, under the verified manifest.
/// </summary>
public sealed class WorkloadVerifier
{
    private const int MaxAnswer = 8 << 20;
    private readonly VerifiedDeployment _deployment;
    private readonly ManifestDocument _manifest;
    private readonly string _type;
    private readonly ClientOptions _options;
    private readonly VerifierRegistry _verifiers;

    /// <summary>Creates a verifier for one type of workload.</summary>
    /// <param name="deployment">The verified deployment.</param>
    /// <param name="workloadType">The wanted type: a marble's name in the manifest. An unknown one is refused when a workload is verified.</param>
    /// <param name="options">Bounds and clock.</param>
    /// <param name="verifiers">The kinds of TEE that can be verified; all known ones if null.</param>
    /// <exception cref="ArgumentException">The deployment has no manifest yet.</exception>
    public WorkloadVerifier(VerifiedDeployment deployment, string workloadType, ClientOptions? options = null, VerifierRegistry? verifiers = null)
    {
        ArgumentNullException.ThrowIfNull(deployment);
        ArgumentException.ThrowIfNullOrEmpty(workloadType);
        _manifest = deployment.Manifest ?? throw new ArgumentException("The deployment has no manifest yet, so it has no workloads to verify.", nameof(deployment));
        (_deployment, _type) = (deployment, workloadType);
        (_options, _verifiers) = (options ?? new ClientOptions(), verifiers ?? VerifierRegistry.CreateDefault());
    }

    /// <summary>Connects to a workload, verifies it, and closes the connection.</summary>
    /// <param name="workload">Its https address.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">Whoever answers is not the workload that was asked for; the exception holds every check.</exception>
    /// <exception cref="ClientException">It cannot be reached, or its answer cannot be read.</exception>
    public async Task<AttestedWorkload> VerifyAsync(Uri workload, CancellationToken cancellation = default)
    {
        PinnedHttp.RequireHttps(workload);
        var server = new DnsEndPoint(workload.IdnHost, workload.Port);
        await using SslStream connection = await WorkloadConnection.OpenAsync(server, null, _options, cancellation);
        return await VerifyAsync(connection, server, cancellation);
    }

    /// <summary>Verifies the peer of a TLS connection that has nothing under way, and leaves the connection usable.</summary>
    internal async Task<AttestedWorkload> VerifyAsync(SslStream connection, DnsEndPoint server, CancellationToken cancellation)
    {
        string address = $"{server.Host}:{server.Port}";
        byte[] certificate = connection.RemoteCertificate!.GetRawCertData();
        byte[] nonce = RandomNumberGenerator.GetBytes(NonceText.OwnBytes);
        WorkloadEvidenceV3 answer = await FetchAsync(connection, address, nonce, cancellation);
        // The certificate that counts is this connection's; the chain in the answer is for those who look without TLS.
        var presented = new WorkloadPresentation { Certificate = certificate, Evidence = answer.Evidence };
        WorkloadJudgement judgement = WorkloadAppraiser.Judge(
            presented, nonce, _type, _deployment.Trust, _manifest, _verifiers, VerificationTime.At(_options.Time.GetUtcNow()));
        return judgement.Verified is { } workload
            ? new AttestedWorkload(address, workload, certificate, judgement.Result)
            : throw new PeerRefusedException($"The workload at {address}", judgement.Result);
    }

    private async Task<WorkloadEvidenceV3> FetchAsync(SslStream connection, string address, byte[] nonce, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(_options.ExchangeTimeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        try
        {
            HttpAnswer answer = await ConnectionExchange.GetAsync(
                connection, address, $"{RestPaths.WorkloadEvidence}?nonce={NonceText.Encode(nonce)}", MaxAnswer, either.Token);
            return RestAnswer.Data(answer, RestJson.Strict.JSendWorkloadEvidenceV3, $"the evidence of the workload at {address}");
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ClientException(ClientError.Timeout, $"{address} gave no evidence within {_options.ExchangeTimeout.TotalSeconds:0.#} s.", e);
        }
        catch (IOException e)
        {
            throw new ClientException(ClientError.Unreachable, $"{address} ended the connection instead of giving evidence: {e.Message}", e);
        }
    }
}

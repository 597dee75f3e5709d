using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;

namespace Cloister.Coordinator.Tests.Activation;

public sealed class OwnModeTests : IAsyncLifetime
{
    private static readonly byte[] ModelKey = RandomNumberGenerator.GetBytes(32);

    private TestCoordinator _coordinator = null!;
    private TestManifest _manifest = null!;
    private string _fingerprint = "";

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        _manifest = new TestManifest(_coordinator.HostKey);
        string text = _manifest.Text;
        _fingerprint = TestManifest.Fingerprint(text);
        Assert.Equal(200, (await _coordinator.SetManifestAsync(text)).Code);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task The_challenge_comes_with_evidence_that_verifies_for_this_connection()
    {
        using var workload = new TestWorkload(_coordinator);
        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        CoordinatorJudgement judgement = await JudgeAsync(workload, nonce, nonce);
        Assert.NotNull(judgement.Verified);
        Assert.Equal(_fingerprint, judgement.Verified.ManifestFingerprint);
        Assert.Null((await JudgeAsync(workload, nonce, RandomNumberGenerator.GetBytes(32))).Verified);
    }

    [Theory, InlineData("1.2.840.10045.3.1.7"), InlineData("1.3.132.0.34")]
    public async Task The_certificate_is_for_the_workloads_key_type_and_uuid_and_short_lived(string curve)
    {
        using var workload = new TestWorkload(_coordinator, curve: ECCurve.CreateFromValue(curve));
        ActivationResp answer = await workload.ActivateAsync();
        using X509Certificate2 leaf = workload.Join(answer);
        Assert.Equal(workload.Key.ExportSubjectPublicKeyInfo(), leaf.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal("CN=" + workload.Uuid, leaf.Subject);
        Assert.Equal("free", MarbleExtension.Read(leaf));
        Assert.Equal(_coordinator.Clock.GetUtcNow() + TimeSpan.FromHours(24), leaf.NotAfter.ToUniversalTime());
        Assert.Equal(_coordinator.Clock.GetUtcNow() - TimeSpan.FromMinutes(1), leaf.NotBefore.ToUniversalTime());
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["localhost"], names.EnumerateDnsNames());
        Assert.Equal([System.Net.IPAddress.Loopback], names.EnumerateIPAddresses());
        Assert.Equal(_fingerprint, Convert.ToHexStringLower(answer.ManifestFingerprint.Span));
        Assert.DoesNotContain("MARBLE_PREDEFINED_PRIVATE_KEY", answer.Parameters.Env.Keys);
        AssertChain(leaf, answer);
    }

    [Fact]
    public async Task While_a_secret_is_unset_the_answer_names_it_and_nothing_is_used_up()
    {
        using var workload = new TestWorkload(_coordinator, "server");
        GrpcException waiting = await workload.RefusedAsync();
        Assert.Equal(GrpcStatus.Internal, waiting.Status);
        Assert.Equal("model-key", waiting.Trailers[MarbleService.AwaitingSecretTrailer]);

        // Only who proves itself learns that.
        workload.Issuer = _coordinator.WorkloadIssuer(new string('2', 64));
        GrpcException refused = await workload.RefusedAsync();
        Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
        Assert.Empty(refused.Trailers);

        await UploadAsync();
        workload.Issuer = _coordinator.WorkloadIssuer();
        ActivationResp answer = await workload.ActivateAsync();
        ModelGrant model = Assert.Single(answer.Models);
        Assert.Equal(ModelKey, model.Key.ToByteArray());
        Assert.Equal(("digits", 3L, new string('a', 64)), (model.Name, model.MinimumVersion, Convert.ToHexStringLower(model.Digest.Span)));
        CallerGrant caller = Assert.Single(answer.Callers);
        Assert.Equal(new string('b', 64), Convert.ToHexStringLower(caller.TokenSha256.Span));
        Assert.Equal(["digits"], caller.Models);
    }

    [Fact]
    public async Task Parameters_are_rendered_with_shared_and_own_keys()
    {
        await UploadAsync();
        using TestWorkload one = new(_coordinator, "server"), other = new(_coordinator, "server");
        ActivationResp first = await one.ActivateAsync(), second = await other.ActivateAsync();
        Assert.Equal(first.Parameters.Files["/tmp/shared"], second.Parameters.Files["/tmp/shared"]);
        Assert.Equal(32, first.Parameters.Files["/tmp/shared"].Length);
        Assert.Equal(32, first.Parameters.Files["/tmp/own"].Length);
        Assert.NotEqual(first.Parameters.Files["/tmp/own"], second.Parameters.Files["/tmp/own"]);
        byte[] expected = SecretDerivation.PerMarble(_coordinator.Host.State.Current.RootSecret.Span, Guid.Parse(one.Uuid), "own", "server", 256);
        Assert.Equal(expected, first.Parameters.Files["/tmp/own"].ToByteArray());
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", first.Parameters.Env["ROOT"].ToStringUtf8(), StringComparison.Ordinal);
        Assert.Equal("as it is", first.Parameters.Env["PLAIN"].ToStringUtf8());
        Assert.Equal(["serve", "--port", "8443"], first.Parameters.Argv);
    }

    [Fact]
    public async Task A_challenge_serves_once()
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        await workload.SendAsync(request);
        await AssertRefusedAsync(workload, request, CoordinatorError.ChallengeUnknown);
    }

    [Fact]
    public async Task A_challenge_serves_once_even_in_parallel()
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        bool[] outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                await workload.SendAsync(request);
                return true;
            }
            catch (GrpcException)
            {
                return false;
            }
        }));
        Assert.Single(outcomes, activated => activated);
    }

    [Fact]
    public async Task A_challenge_serves_for_a_minute()
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq early = await workload.PrepareAsync(await workload.ChallengeAsync()), late = await workload.PrepareAsync(await workload.ChallengeAsync());
        _coordinator.Clock.Advance(ChallengeBook.Lifetime - TimeSpan.FromTicks(1));
        await workload.SendAsync(early);
        _coordinator.Clock.Advance(TimeSpan.FromTicks(1));
        await AssertRefusedAsync(workload, late, CoordinatorError.ChallengeExpired);
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(20)]
    public async Task Setting_the_clock_makes_no_challenge_younger_or_older(int years)
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq early = await workload.PrepareAsync(await workload.ChallengeAsync()), late = await workload.PrepareAsync(await workload.ChallengeAsync());
        _coordinator.Clock.Set(_coordinator.Clock.GetUtcNow().AddYears(years));

        using X509Certificate2 leaf = workload.Join(await workload.SendAsync(early));
        Assert.Equal(_coordinator.Clock.GetUtcNow() + TimeSpan.FromHours(24), leaf.NotAfter.ToUniversalTime());
        _coordinator.Clock.Advance(ChallengeBook.Lifetime);
        await AssertRefusedAsync(workload, late, CoordinatorError.ChallengeExpired);
    }

    [Fact]
    public async Task A_challenge_of_a_coordinator_that_was_restarted_is_unknown()
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        await _coordinator.RestartAsync();
        await AssertRefusedAsync(workload, request, CoordinatorError.ChallengeUnknown);
    }

    [Fact]
    public Task Evidence_of_another_program_is_refused() =>
        AssertRefusedAsync(workload => workload.Issuer = _coordinator.WorkloadIssuer(new string('2', 64)), CoordinatorError.EvidenceRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public async Task Evidence_of_another_host_is_refused()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await AssertRefusedAsync(workload => workload.Issuer = new Platform.Simulation.TestOnlyIssuer(other, Convert.FromHexString(TestManifest.Measurement)),
            CoordinatorError.EvidenceRefused, GrpcStatus.PermissionDenied);
    }

    [Fact]
    public Task Evidence_for_another_nonce_is_refused() =>
        AssertRefusedAsync(workload => workload.BoundNonce = new byte[32], CoordinatorError.EvidenceRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public async Task Evidence_for_another_key_is_refused()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await AssertRefusedAsync(workload => workload.BoundKey = other.ExportSubjectPublicKeyInfo(), CoordinatorError.EvidenceRefused, GrpcStatus.PermissionDenied);
    }

    [Fact]
    public async Task A_certificate_request_with_another_key_than_the_attested_is_refused()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await AssertRefusedAsync(workload => workload.Csr = TestWorkload.Request(other), CoordinatorError.EvidenceRefused, GrpcStatus.PermissionDenied);
    }

    [Fact]
    public async Task A_connection_with_another_key_than_the_attested_is_refused()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await AssertRefusedAsync(workload => workload.Connection = TestWorkload.SelfSigned(other), CoordinatorError.KeyNotBound, GrpcStatus.PermissionDenied);
    }

    [Fact]
    public async Task A_connection_without_a_certificate_is_refused()
    {
        using var workload = new TestWorkload(_coordinator) { Connection = null };
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => workload.ChallengeAsync());
        Assert.Equal(GrpcStatus.Unavailable, refused.Status);
    }

    [Fact]
    public Task An_unknown_type_is_refused() => AssertRefusedAsync(workload => workload.Type = "nobody", CoordinatorError.UnknownType, GrpcStatus.PermissionDenied);

    [Theory, InlineData("nonsense"), InlineData(""), InlineData("{3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab}"), InlineData("3D0FFB2A-6A3F-4F1B-8D4B-0123456789AB"), InlineData("00000000-0000-0000-0000-000000000000")]
    public Task A_uuid_that_is_not_canonical_is_refused(string uuid) => AssertRefusedAsync(workload =>
    {
        workload.Uuid = uuid;
        workload.Statement = new WorkloadStatement("free", Guid.NewGuid().ToString("D"), _fingerprint);
    }, CoordinatorError.BadUuid, GrpcStatus.InvalidArgument);

    [Fact]
    public Task Evidence_that_states_another_manifest_is_refused() => AssertRefusedAsync(
        workload => workload.Statement = new WorkloadStatement("free", workload.Uuid, new string('0', 64)), CoordinatorError.StatementRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public Task Evidence_that_states_another_type_is_refused() => AssertRefusedAsync(
        workload => workload.Statement = new WorkloadStatement("once", workload.Uuid, _fingerprint), CoordinatorError.StatementRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public Task Evidence_that_states_a_mode_that_the_manifest_does_not_is_refused() => AssertRefusedAsync(
        workload => workload.Statement = new WorkloadStatement("free", workload.Uuid, _fingerprint) { Modes = ImmutableSortedDictionary<string, string>.Empty.Add("digits", "enclave") },
        CoordinatorError.StatementRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public Task Evidence_that_states_another_uuid_is_refused() => AssertRefusedAsync(
        workload => workload.Statement = new WorkloadStatement("free", Guid.NewGuid().ToString("D"), _fingerprint), CoordinatorError.StatementRefused, GrpcStatus.PermissionDenied);

    [Fact]
    public Task A_broken_certificate_request_is_refused() =>
        AssertRefusedAsync(workload => workload.Csr[^1] ^= 1, CoordinatorError.RequestRefused, GrpcStatus.Internal);

    [Fact]
    public async Task Evidence_without_a_challenge_does_not_fall_to_the_weaker_wire()
    {
        using var workload = new TestWorkload(_coordinator);
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        request.Challenge = Google.Protobuf.ByteString.Empty;
        await AssertRefusedAsync(workload, request, CoordinatorError.ChallengeUnknown);
        request.Evidence = Google.Protobuf.ByteString.Empty;
        await AssertRefusedAsync(workload, request, CoordinatorError.WireNotAllowed);
    }

    [Fact]
    public void A_refusal_is_one_line_whatever_names_it_repeats() =>
        Assert.Equal("a b c  d", new CoordinatorException(CoordinatorError.BadRequest, "a\nb\rc\u0000\u001bd").Message);

    [Fact]
    public async Task A_nonce_of_a_wrong_length_is_refused()
    {
        using var workload = new TestWorkload(_coordinator);
        foreach (int length in new[] { 0, 15, 65 })
            Assert.Equal(GrpcStatus.InvalidArgument, (await Assert.ThrowsAsync<GrpcException>(() => workload.ChallengeAsync(new byte[length]))).Status);
    }

    [Fact]
    public async Task Refusals_use_no_activation_up_and_the_budget_holds_in_parallel_and_after_a_restart()
    {
        using var liar = new TestWorkload(_coordinator, "once") { Issuer = _coordinator.WorkloadIssuer(new string('2', 64)) };
        for (int i = 0; i < 3; i++)
            await liar.RefusedAsync();
        int activated = (await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var workload = new TestWorkload(_coordinator, "once");
            try
            {
                await workload.ActivateAsync();
                return 1;
            }
            catch (GrpcException refused)
            {
                Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
                return 0;
            }
        }))).Sum();
        Assert.Equal(2, activated);
        await _coordinator.RestartAsync();
        using var late = new TestWorkload(_coordinator, "once");
        GrpcException spent = await late.RefusedAsync();
        Assert.Equal(GrpcStatus.PermissionDenied, spent.Status);
        Assert.Contains("All 2 activations", spent.Detail, StringComparison.Ordinal);
    }

    private async Task UploadAsync() => Assert.Equal(200, (await _coordinator.PostAsync(
        "/api/v3/secrets", TestManifest.Upload(_fingerprint, ("model-key", ModelKey)), _manifest.Owner)).Code);

    private async Task<CoordinatorJudgement> JudgeAsync(TestWorkload workload, byte[] asked, byte[] expected)
    {
        ChallengeResp challenge = await workload.ChallengeAsync(asked);
        return CoordinatorAppraiser.Judge(CoordinatorPresentation.FromChallenge(challenge, workload.ServerKey), expected,
            new CoordinatorPolicy(_coordinator.CoordinatorPolicy, OwnerRequirement.AnyOwner, ManifestRequirement.AnyManifest),
            VerifierRegistry.CreateDefault(), VerificationTime.At(_coordinator.Clock.GetUtcNow()));
    }

    private async Task AssertRefusedAsync(Action<TestWorkload> lie, CoordinatorError expected, GrpcStatus status)
    {
        using var workload = new TestWorkload(_coordinator);
        lie(workload);
        GrpcException refused = await workload.RefusedAsync();
        Assert.Equal(status, refused.Status);
        Assert.Equal(status, ActivationEndpoints.StatusOf(expected));
        await AssertErrorAsync(workload, expected);
    }

    // The wire carries gRPC's status alone; the stable number is seen below it.
    private async Task AssertErrorAsync(TestWorkload workload, CoordinatorError expected)
    {
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        CoordinatorException refused = await Assert.ThrowsAsync<CoordinatorException>(() => _coordinator.Host.Own.ActivateAsync(request, workload.Connection, default));
        Assert.Equal(expected, refused.Error);
    }

    private static async Task AssertRefusedAsync(TestWorkload workload, ActivationReq request, CoordinatorError expected)
    {
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => workload.SendAsync(request));
        Assert.Equal(ActivationEndpoints.StatusOf(expected), refused.Status);
        string words = expected switch
        {
            CoordinatorError.ChallengeUnknown => "challenge",
            CoordinatorError.ChallengeExpired => "older than 60 seconds",
            _ => "MarbleRun's",
        };
        Assert.Contains(words, refused.Detail, StringComparison.Ordinal);
    }

    private void AssertChain(X509Certificate2 leaf, ActivationResp answer)
    {
        foreach (byte[] root in new[] { answer.CoordinatorRoot.ToByteArray(), answer.MarbleRoot.ToByteArray() })
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(root));
            if (root.AsSpan().SequenceEqual(answer.CoordinatorRoot.Span))
                chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(answer.CertificateChain[1].Span));
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = _coordinator.Clock.GetUtcNow().UtcDateTime;
            Assert.True(chain.Build(leaf), string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation)));
        }
    }
}

using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Platform;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Tpm;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Activation;

/// <summary>Workloads in real (software) TPMs, and those who would pass for one.</summary>
public sealed partial class EnrolmentTests(TpmMachines machines) : IClassFixture<TpmMachines>
{
    private const string Type = "measured", Listed = "listed", Free = "free";

    [SwtpmFact]
    public async Task An_endorsed_key_is_activated_and_named_in_the_certificate()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        ActivationReq request = await EnrolledAsync(workload);
        using X509Certificate2 leaf = workload.Join(await workload.SendAsync(request));
        Assert.Equal(new TpmEnrolledKey(await machines.One.KeyNameAsync(), await machines.One.CertificateAsync()), TpmKeyExtension.Read(leaf));
        Assert.Equal(Type, MarbleExtension.Read(leaf));
    }

    [SwtpmFact]
    public async Task Without_an_activation_the_evidence_is_refused()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        await RefusesAsync(workload, await workload.PrepareAsync(await workload.ChallengeAsync()), "2116 TpmNotActivated");
    }

    [SwtpmFact]
    public async Task A_foreign_authoritys_TPM_is_refused()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator, machines.Stranger);
        ChallengeResp challenge = await workload.ChallengeAsync();
        await RefusesToEnrolAsync(workload, challenge, await machines.Stranger.Issuer.EndorsementAsync(default), "1202 ChainUntrusted");
        await RefusesAsync(workload, await workload.PrepareAsync(challenge), "2116 TpmNotActivated");
    }

    [SwtpmFact]
    public async Task The_attestation_key_of_another_TPM_is_not_activated()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator, machines.Other);
        TpmEndorsement one = await machines.One.Issuer.EndorsementAsync(default), other = await machines.Other.Issuer.EndorsementAsync(default);
        ChallengeResp challenge = await workload.ChallengeAsync();
        EnrolResp answer = await workload.EnrolAsync(challenge.Challenge, one with { AttestationKey = other.AttestationKey });
        foreach (TpmMachine machine in new[] { machines.One, machines.Other })
        {
            var refused = await Assert.ThrowsAsync<PlatformException>(async () => await machine.Issuer.ActivateAsync(Credential(answer), default));
            Assert.True(refused.Error is PlatformError.TpmCredentialRefused or PlatformError.TpmRefused, refused.Message);
        }
        ActivationReq request = await workload.PrepareAsync(challenge);
        request.EnrolmentSecret = ByteString.CopyFrom(new byte[32]);
        await RefusesAsync(workload, request, "2115 TpmActivationFailed");
    }

    [SwtpmFact]
    public async Task A_quote_of_another_machine_under_the_same_authority_is_refused()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator, machines.Other);
        await RefusesAsync(workload, await EnrolledAsync(workload, machines.One), "2110 TpmKeyUnknown");
    }

    [SwtpmTheory]
    [InlineData("wrong")]
    [InlineData("cut")]
    [InlineData("none")]
    [InlineData("of another challenge")]
    [InlineData("of a redeemed challenge")]
    public async Task A_secret_that_is_not_this_challenges_is_refused(string what)
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        ActivationReq request = await EnrolledAsync(workload);
        ByteString other = (await EnrolledAsync(workload)).EnrolmentSecret;
        if (what == "of a redeemed challenge")
        {
            await workload.SendAsync(request);
            other = request.EnrolmentSecret;
            request = await EnrolledAsync(workload);
        }
        request.EnrolmentSecret = what switch
        {
            "wrong" => ByteString.CopyFrom([.. request.EnrolmentSecret.Select(one => (byte)~one)]),
            "cut" => ByteString.CopyFrom(request.EnrolmentSecret.Span[..31]),
            "none" => ByteString.Empty,
            _ => other,
        };
        await RefusesAsync(workload, request, "2115 TpmActivationFailed");
    }

    [SwtpmFact]
    public async Task A_secret_without_an_enrolment_is_refused()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        request.EnrolmentSecret = ByteString.CopyFrom(new byte[32]);
        await RefusesAsync(workload, request, "none was begun");
    }

    [SwtpmFact]
    public async Task An_enrolment_counts_for_the_type_it_was_begun_for()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        ActivationReq request = await EnrolledAsync(workload);
        request.MarbleType = Listed;
        await RefusesAsync(workload, request, "another workload type");
    }

    [SwtpmFact]
    public async Task A_challenge_serves_one_enrolment_while_it_is_open()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        TpmEndorsement endorsement = await machines.One.Issuer.EndorsementAsync(default);
        ChallengeResp challenge = await workload.ChallengeAsync(), late = await workload.ChallengeAsync();
        ActivationReq request = await EnrolledAsync(workload, challenge: challenge);
        await RefusesToEnrolAsync(workload, challenge, endorsement, "serves one enrolment");
        await workload.SendAsync(request);
        await RefusesToEnrolAsync(workload, challenge, endorsement, "used before");

        coordinator.Clock.Advance(ChallengeBook.Lifetime);
        await RefusesToEnrolAsync(workload, late, endorsement, "older than 60 seconds");
    }

    [SwtpmFact]
    public async Task Only_listed_machines_are_enrolled_where_the_package_lists_them()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator), other = Workload(coordinator, machines.Other);
        workload.Type = other.Type = Listed;
        await workload.SendAsync(await EnrolledAsync(workload));
        await RefusesToEnrolAsync(other, await other.ChallengeAsync(), await machines.Other.Issuer.EndorsementAsync(default), "2117 TpmEndorsementNotAccepted");
    }

    [SwtpmFact]
    public async Task PCRs_that_differ_are_named()
    {
        using TpmMachine attacked = await TpmMachine.BootAsync("attacked", machines.One);
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator, attacked);
        GrpcException refused = await RefusesAsync(workload, await EnrolledAsync(workload, attacked), "1400 MeasurementNotAccepted");
        Assert.All(TpmImage.Pinned, pcr => Assert.Contains($"PCR {pcr}: ", refused.Detail, StringComparison.Ordinal));
        Assert.Contains("image 'inference'", refused.Detail, StringComparison.Ordinal);
    }

    [SwtpmFact]
    public async Task A_changed_event_log_is_refused()
    {
        using TpmMachine machine = await TpmMachine.BootAsync(TpmMachines.Image, machines.One);
        machine.Log("nicer");
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator, machine);
        await RefusesAsync(workload, await EnrolledAsync(workload, machine), "2201 EventLogReplay");
    }

    [SwtpmFact]
    public async Task A_renewal_needs_an_activation_of_its_own()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        using X509Certificate2 leaf = workload.Join(await workload.SendAsync(await EnrolledAsync(workload)));
        (workload.Connection, workload.Renewal) = (leaf, true);
        await RefusesAsync(workload, await workload.PrepareAsync(await workload.ChallengeAsync()), "2116 TpmNotActivated");
        using X509Certificate2 renewed = workload.Join(await workload.SendAsync(await EnrolledAsync(workload)));
        Assert.Equal(TpmKeyExtension.Read(leaf), TpmKeyExtension.Read(renewed));
    }

    [SwtpmFact]
    public async Task A_package_that_asks_for_none_is_told_so_and_its_certificate_names_no_key()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        workload.Type = Free;
        ChallengeResp challenge = await workload.ChallengeAsync();
        Assert.Null((await workload.EnrolAsync(challenge.Challenge, await machines.One.Issuer.EndorsementAsync(default))).Credential);
        using X509Certificate2 leaf = workload.Join(await workload.SendAsync(await workload.PrepareAsync(challenge)));
        Assert.Null(TpmKeyExtension.Read(leaf));
    }

    [SwtpmFact]
    public async Task A_manifest_with_a_debug_image_is_refused()
    {
        await using TestCoordinator coordinator = await StartAsync(withManifest: false);
        JsonObject manifest = Manifest();
        manifest["Packages"]![Type]!["Tpm"]!["Image"]!["Debug"] = true;
        (int code, var json) = await coordinator.SetManifestAsync(manifest.ToJsonString());
        Assert.Equal(400, code);
        Assert.Contains("debug image", json.GetProperty("message").GetString(), StringComparison.Ordinal);
        manifest["Packages"]![Type]!["Tpm"]!["Debug"] = true;
        Assert.Equal(200, (await coordinator.SetManifestAsync(manifest.ToJsonString())).Code);
    }

    [SwtpmFact]
    public async Task No_manifest_makes_a_certificate_that_says_a_key_was_activated()
    {
        await using TestCoordinator coordinator = await StartAsync();
        CertificateTemplateRefused(coordinator.Host.State.Current.Authority);
    }

    [SwtpmFact]
    public async Task Enrolments_under_way_are_bounded_and_end_with_their_challenge()
    {
        var clock = new TestClock();
        using var book = new ChallengeBook(clock, enrolments: 1);
        PendingEnrolment one = await PendingAsync(), two = await PendingAsync(), dropped = await PendingAsync();
        byte[] first = book.Issue(), second = book.Issue();
        book.TakeEnrolment(first);
        book.Attach(first, one);
        Assert.Equal(CoordinatorError.Busy, Assert.Throws<CoordinatorException>(() => book.TakeEnrolment(second)).Error);

        using (PendingEnrolment? redeemed = book.Redeem(first)) Assert.NotNull(redeemed);
        book.TakeEnrolment(second);
        book.Attach(second, two);
        clock.Advance(2 * ChallengeBook.Lifetime);
        byte[] third = book.Issue();
        book.TakeEnrolment(third);
        Assert.Equal(CoordinatorError.ChallengeUnknown, Assert.Throws<CoordinatorException>(() => book.Redeem(second)).Error);

        // A challenge that was redeemed while its enrolment was begun keeps none.
        Assert.Null(book.Redeem(third));
        Assert.Equal(CoordinatorError.ChallengeUnknown, Assert.Throws<CoordinatorException>(() => book.Attach(third, dropped)).Error);
        Assert.Throws<InvalidOperationException>(() => dropped.Activation.Complete(new byte[32]));
    }

    [SwtpmFact]
    public async Task Changed_enrolments_are_refused()
    {
        await using TestCoordinator coordinator = await StartAsync();
        using TestWorkload workload = Workload(coordinator);
        TpmEndorsement good = await machines.One.Issuer.EndorsementAsync(default);
        for (int round = 0; round < 200; round++)
        {
            var random = new Random(round);
            int part = random.Next(3);
            TpmEndorsement bad = part switch
            {
                0 => good with { Certificate = Changed(good.Certificate.Span, random) },
                1 => good with { EndorsementKey = Changed(good.EndorsementKey.Span, random) },
                _ => good with { Intermediates = [Changed(good.Certificate.Span, random)], AttestationKey = Changed(good.AttestationKey.Span, random) },
            };
            ByteString challenge = ByteString.CopyFrom(coordinator.Host.Challenges.Issue());
            try
            {
                TpmCredential credential = Credential(await workload.EnrolAsync(challenge, bad));
                // A certificate holds whole or not at all. Of the endorsement key its modulus counts, which is the certificate's; all of the
                // attestation key is in its name, so that the TPM opens nothing for another.
                Assert.NotEqual(0, part);
                if (part == 2)
                    await Assert.ThrowsAsync<PlatformException>(async () => await machines.One.Issuer.ActivateAsync(credential, default));
            }
            catch (GrpcException refused)
            {
                Assert.True(refused.Status == GrpcStatus.PermissionDenied, $"round {round}: {refused.Status} {refused.Detail}");
            }
        }
    }

    private async Task<TestCoordinator> StartAsync(bool withManifest = true, IEvidenceIssuer? issuer = null)
    {
        TestCoordinator coordinator = await TestCoordinator.StartAsync(issuer: issuer);
        // The certificates of the TPMs are valid from now on.
        coordinator.Clock.Set(DateTimeOffset.UtcNow);
        if (withManifest)
            Assert.Equal(200, (await coordinator.SetManifestAsync((await WithListedAsync(Manifest())).ToJsonString())).Code);
        return coordinator;
    }

    private JsonObject Manifest()
    {
        TpmPolicy named = machines.One.Wants(TpmMachines.Image) with { Key = new TpmKeyPolicy.Any() };
        return new JsonObject
        {
            ["Packages"] = new JsonObject { [Type] = Json(machines.One.Wants(TpmMachines.Image)), [Free] = Json(named) },
            ["Marbles"] = new JsonObject { [Type] = new JsonObject { ["Package"] = Type }, [Free] = new JsonObject { ["Package"] = Free } },
        };
    }

    private async Task<JsonObject> WithListedAsync(JsonObject manifest)
    {
        manifest["Packages"]![Listed] = Json(machines.One.Wants(TpmMachines.Image, Requirement.Exactly(await machines.One.CertificateAsync())));
        manifest["Marbles"]![Listed] = new JsonObject { ["Package"] = Listed };
        return manifest;
    }

    private TestWorkload Workload(TestCoordinator coordinator, TpmMachine? machine = null) => new(coordinator, Type) { Issuer = (machine ?? machines.One).Issuer };

    /// <summary>A request whose secret the machine's TPM opened.</summary>
    private async Task<ActivationReq> EnrolledAsync(TestWorkload workload, TpmMachine? machine = null, ChallengeResp? challenge = null)
    {
        machine ??= machines.One;
        challenge ??= await workload.ChallengeAsync();
        EnrolResp answer = await workload.EnrolAsync(challenge.Challenge, await machine.Issuer.EndorsementAsync(default));
        ActivationReq request = await workload.PrepareAsync(challenge);
        request.EnrolmentSecret = ByteString.CopyFrom(await machine.Issuer.ActivateAsync(Credential(answer), default));
        return request;
    }

    private async Task<PendingEnrolment> PendingAsync()
    {
        TpmEndorsement endorsement = await machines.One.Issuer.EndorsementAsync(default);
        return new PendingEnrolment(TpmEnrolment.Begin(machines.One.Wants(TpmMachines.Image), endorsement, VerificationTime.At(DateTimeOffset.UtcNow)).Value, Type, "");
    }

    private static byte[] Changed(ReadOnlySpan<byte> bytes, Random random)
    {
        byte[] changed = bytes.ToArray();
        changed[random.Next(changed.Length)] ^= (byte)random.Next(1, 256);
        return random.Next(4) == 0 ? changed[..random.Next(changed.Length)] : changed;
    }

    private static async Task<GrpcException> RefusesAsync(TestWorkload workload, ActivationReq request, string words)
    {
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => workload.SendAsync(request));
        Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
        Assert.Contains(words, refused.Detail, StringComparison.Ordinal);
        return refused;
    }

    private static async Task RefusesToEnrolAsync(TestWorkload workload, ChallengeResp challenge, TpmEndorsement endorsement, string words)
    {
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => workload.EnrolAsync(challenge.Challenge, endorsement));
        Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
        Assert.Contains(words, refused.Detail, StringComparison.Ordinal);
    }

    private static void CertificateTemplateRefused(CertificateAuthority authority)
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var template = new Protocol.Certificates.CertificateTemplate
        {
            ExtraExtensions = [new Protocol.Certificates.CertificateExtension(TpmKeyExtension.ObjectIdentifier, false, TpmKeyExtension.Create(new TpmEnrolledKey(new string('0', 68), new string('0', 64))).RawData)],
        };
        var refused = Assert.Throws<Protocol.ProtocolException>(() => authority.Issue(template, key.ExportSubjectPublicKeyInfo(), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddDays(1)));
        Assert.Equal(Protocol.ProtocolError.CertificateTemplateWrong, refused.Error);
    }

    private static JsonObject Json(PackagePolicy policy) => JsonNode.Parse(PolicyWriter.Write(policy))!.AsObject();

    private static TpmCredential Credential(EnrolResp answer) => new(answer.Credential.Blob.Memory, answer.Credential.EncryptedSecret.Memory);
}

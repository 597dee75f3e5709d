using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Evidence of a software TPM through the verifier.</summary>
public sealed class TpmIssuerTests
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Told = "told"u8.ToArray();

    [SwtpmFact]
    public async Task Evidence_is_accepted_and_its_keys_are_bound_by_activation()
    {
        using var tpm = new Swtpm(certified: true);
        using var issuer = TpmIssuer.Open(tpm.Address);
        Assert.Equal((TeeKind.Tpm, false), (issuer.Kind, issuer.Simulated));
        using var device = new TpmDevice(tpm.Address);
        await device.ExtendAsync(11, TpmAlgorithm.Sha256, SHA256.HashData("image"u8), None);
        Binding binding = NewBinding();
        EvidenceSet evidence = Decoded(await issuer.IssueAsync(binding, Told, None));

        // The verifier's side of activation, with the authority that certified the TPM as the anchor.
        TpmEndorsement endorsement = await issuer.EndorsementAsync(None);
        var anchors = new Anchors([new Anchor(TeeKind.Tpm, "authority", Root(tpm, "swtpm-localca-rootca-cert.pem")), new Anchor(TeeKind.Tpm, "intermediate", Root(tpm, "issuercert.pem"))]);
        using TpmActivation activation = TpmActivation.Begin(Hint(evidence, TpmIssuer.EndorsementCertificate), endorsement.Intermediates, Hint(evidence, TpmIssuer.EndorsementPublic), endorsement.AttestationKey, anchors, VerificationTime.At(DateTimeOffset.UtcNow.AddMinutes(1))).Value;
        TpmPublic key = activation.Complete(await issuer.ActivateAsync(activation.Credential, None)).Value;

        var policy = new TpmPolicy(
            new TpmKeyPolicy.Named(Requirement.Exactly(Convert.ToHexStringLower(key.Name.Span))), TpmAlgorithm.Sha256,
            ImmutableSortedDictionary.CreateRange<int, Requirement<string>>([new(11, Requirement.Exactly(Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. SHA256.HashData("image"u8)]))))]),
            TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>());
        Assert.Null(Judge(evidence, binding, policy).Refused);
        Assert.NotNull(Judge(evidence, NewBinding(), policy).Refused);
        Assert.Equal(Refusal.TpmKeyUnknown, Judge(evidence, binding, policy with { Key = new TpmKeyPolicy.Named(Requirement.Exactly("000b" + new string('0', 64))) }).Refused!.Refusal);
        await device.ExtendAsync(11, TpmAlgorithm.Sha256, new byte[32], None);
        Assert.Equal(Refusal.MeasurementNotAccepted, Judge(Decoded(await issuer.IssueAsync(binding, Told, None)), binding, policy).Refused!.Refusal);
    }

    [SwtpmFact]
    public async Task The_key_is_the_same_after_a_restart_and_another_in_another_TPM()
    {
        using Swtpm tpm = new(), other = new();
        using TpmDevice device = new(tpm.Address), stranger = new(other.Address);
        TpmPcrSelection selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, [0]);
        ReadOnlyMemory<byte> first = (await device.QuoteAsync(new byte[8], selection, None)).Key;
        tpm.Kill();
        tpm.Start();
        Assert.Equal(first.ToArray(), (await device.QuoteAsync(new byte[8], selection, None)).Key.ToArray());
        Assert.NotEqual(first.ToArray(), (await stranger.QuoteAsync(new byte[8], selection, None)).Key.ToArray());
        Assert.Null(TpmLayout.ParsePublic(first).Value.AttestationKeyProblem);
    }

    [SwtpmFact]
    public async Task Without_a_certificate_there_is_evidence_and_no_endorsement()
    {
        using var tpm = new Swtpm();
        using var issuer = TpmIssuer.Open(tpm.Address);
        EvidenceSet evidence = await issuer.IssueAsync(NewBinding(), default, None);
        Assert.Empty(evidence.Primary.Endorsements);
        PlatformException absent = await Assert.ThrowsAsync<PlatformException>(async () => await issuer.EndorsementAsync(None));
        Assert.Equal(PlatformError.TpmEndorsementAbsent, absent.Error);
    }

    [SwtpmFact]
    public async Task A_bank_that_is_not_active_is_named()
    {
        using var tpm = new Swtpm(certified: true, banks: "sha384");
        using var issuer = TpmIssuer.Open(tpm.Address);
        PlatformException absent = await Assert.ThrowsAsync<PlatformException>(async () => await issuer.IssueAsync(NewBinding(), default, None));
        Assert.Equal(PlatformError.TpmBankAbsent, absent.Error);
        using var sealer = new TpmSealer(tpm.Address);
        Assert.Equal(PlatformError.TpmBankAbsent, (await Assert.ThrowsAsync<PlatformException>(async () => await sealer.SealAsync(Told, default, None))).Error);
    }

    [SwtpmFact]
    public async Task A_PCR_that_moves_between_is_read_again()
    {
        using var tpm = new Swtpm();
        int quotes = 0, moves = 1;
        await using FakeTpm between = Between(tpm, command => FakeTpm.CodeOf(command) == 0x158 && quotes++ < moves);
        using var device = new TpmDevice(between.Address);
        TpmPcrSelection selection = TpmPcrPolicy.SelectionOf(TpmAlgorithm.Sha256, Enumerable.Range(0, 16));
        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        TpmReport report = await device.QuoteAsync(nonce, selection, None);
        Assert.Equal(2, quotes);
        Proof proof = new TpmVerifier().Prove(new Evidence(TeeKind.Tpm, report.Encode(), default, default, []), nonce, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck);
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.NotEqual(new byte[32], report.Pcrs[10].Value.ToArray());

        (quotes, moves) = (0, int.MaxValue);
        Assert.Equal(PlatformError.TpmPcrMoved, (await Assert.ThrowsAsync<PlatformException>(async () => await device.QuoteAsync(nonce, selection, None))).Error);
    }

    [SwtpmFact]
    public async Task Nothing_stays_loaded_and_what_others_left_is_swept()
    {
        using var tpm = new Swtpm(certified: true);
        using var issuer = TpmIssuer.Open(tpm.Address);
        for (int i = 0; i < 4; i++)
        {
            // Leave sessions and objects behind, as a program does that was killed: three of each fill the TPM.
            tpm.Try("tpm2_startauthsession", "-S", "session");
            tpm.Try("tpm2_createprimary", "-C", "o", "-c", "left.ctx");
        }
        TpmEndorsement endorsement = await issuer.EndorsementAsync(None);
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        for (int i = 0; i < 6; i++)
        {
            TpmCredential credential = TpmCredential.Make(TpmLayout.ParsePublic(endorsement.EndorsementKey).Value, TpmLayout.ParsePublic(endorsement.AttestationKey).Value.Name.Span, secret);
            Assert.Equal(secret, await issuer.ActivateAsync(credential, None));
            await issuer.IssueAsync(NewBinding(), default, None);
        }
        tpm.Run("tpm2_getcap", "handles-transient");
        Assert.DoesNotContain("0x80", tpm.Said, StringComparison.Ordinal);
        tpm.Run("tpm2_getcap", "handles-loaded-session");
        Assert.DoesNotContain("0x", tpm.Said, StringComparison.Ordinal);
    }

    [SwtpmFact]
    public async Task A_killed_TPM_is_said_to_be_gone_and_serves_again_after_its_restart()
    {
        using var tpm = new Swtpm();
        using var issuer = TpmIssuer.Open(tpm.Address);
        Binding binding = NewBinding();
        await issuer.IssueAsync(binding, default, None);
        tpm.Kill();
        Assert.Equal(PlatformError.TpmAbsent, (await Assert.ThrowsAsync<PlatformException>(async () => await issuer.IssueAsync(binding, default, None))).Error);
        tpm.Start();
        await issuer.IssueAsync(binding, default, None);
    }

    [SwtpmFact]
    public async Task Logs_are_read_from_where_the_kernel_keeps_them()
    {
        using var tpm = new Swtpm();
        tpm.Write("log", "not a log"u8);
        tpm.Write("ima", "not a list"u8);
        using var issuer = TpmIssuer.Open(tpm.Address, new BootLogs(tpm.In("log"), tpm.In("ima")));
        Evidence evidence = (await issuer.IssueAsync(NewBinding(), Told, None)).Primary;
        Assert.Equal("not a log"u8.ToArray(), evidence.EventLog.ToArray());
        Assert.Equal("not a list"u8.ToArray(), Assert.Single(evidence.Endorsements, hint => hint.Kind == TpmVerifier.ImaList).Bytes.ToArray());
        Assert.Equal(Told, evidence.RuntimeData.ToArray());

        using (FileStream large = File.OpenWrite(tpm.In("log"))) large.SetLength(EvidenceCodec.MaximumEventLog + 1);
        using (FileStream large = File.OpenWrite(tpm.In("ima"))) large.SetLength(EvidenceCodec.MaximumEndorsement + 1);
        Assert.Equal(PlatformError.EventLogUnreadable, (await Assert.ThrowsAsync<PlatformException>(async () => await issuer.IssueAsync(NewBinding(), default, None))).Error);
        File.Delete(tpm.In("log"));
        evidence = (await issuer.IssueAsync(NewBinding(), default, None)).Primary;
        Assert.True(evidence.EventLog.IsEmpty);
        Assert.Empty(evidence.Endorsements);
    }

    [Theory]
    [InlineData("/dev/tpmrm0", "/sys/kernel/security/tpm0/binary_bios_measurements")]
    [InlineData("/dev/tpm12", "/sys/kernel/security/tpm12/binary_bios_measurements")]
    [InlineData("/dev/other", null)]
    [InlineData("swtpm:/run/tpm0", null)]
    public void A_device_has_its_own_log_and_a_socket_none(string where, string? log) => Assert.Equal(log, BootLogs.Of(TpmAddress.Parse(where)).EventLog);

    /// <summary>Stands between, and extends PCR 10 right before a command where asked to.</summary>
    private static FakeTpm Between(Swtpm tpm, Func<byte[], bool> extendBefore)
    {
        var command = new TpmCommand(0x182).UInt32(10).Authorise(TpmAuthorisation.Empty).UInt32(1).Algorithm(TpmAlgorithm.Sha256).Raw(new byte[32]);
        return new FakeTpm(bytes =>
        {
            if (extendBefore(bytes)) tpm.Exchange(command.Finish().ToArray());
            return tpm.Exchange(bytes);
        });
    }

    private static ReadOnlyMemory<byte> Root(Swtpm tpm, string file) => Convert.FromBase64String(string.Concat(File.ReadLines(tpm.In("ca/" + file)).Where(line => !line.StartsWith('-'))));

    private static ReadOnlyMemory<byte> Hint(EvidenceSet evidence, string kind) => evidence.Primary.Endorsements.Single(hint => hint.Kind == kind).Bytes;

    private static AttestationResult Judge(EvidenceSet evidence, Binding expected, TpmPolicy policy) => VerifierRegistry.CreateDefault().Appraise(evidence, expected, policy, VerificationTime.NoTimeCheck);

    private static EvidenceSet Decoded(EvidenceSet evidence) => EvidenceCodec.Decode(EvidenceCodec.Encode(evidence)).Value;

    private static Binding NewBinding()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new Binding(AttesterRole.Workload, RandomNumberGenerator.GetBytes(32), key.ExportSubjectPublicKeyInfo());
    }
}

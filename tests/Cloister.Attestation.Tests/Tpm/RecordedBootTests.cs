using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Tests.Tpm;

/// <summary>A unified kernel image that was really booted: its quote, log, endorsement key certificate, and the values predicted from its build.</summary>
public sealed class RecordedBootTests
{
    [SharedDataFact]
    public void The_quote_and_its_log_are_proven()
    {
        Boot boot = Boot.Load();
        Proof proof = boot.Prove();
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        ImmutableDictionary<string, string> fields = proof.Claims!.Fields;
        Assert.Equal(boot.KeyName, fields[TpmFields.KeyName]);
        Assert.Equal("endorsement", fields[TpmFields.KeyHierarchy]);
        Assert.Equal("false", fields["boot.sha256.secureBoot"]);
        Assert.Equal("boot-aggregate", fields["boot.sha256.ima"]);
        Assert.Equal(2, fields["boot.sha256.applications"].Split(',').Length);
        Assert.Equal([".linux", ".osrel", ".cmdline", ".initrd"], fields["boot.sha256.stubSections"].Split(',').Select(section => section.Split('=')[0]));
        Assert.Equal(("2", "0", "true"), (fields[TpmFields.ResetCount], fields[TpmFields.RestartCount], fields[TpmFields.ClockSafe]));
        Assert.Equal(64, fields["boot.sha256.initrd"].Length);
        Assert.Equal(64, fields["boot.sha256.loadOptions"].Length);
    }

    [SharedDataFact]
    public void The_values_predicted_from_the_build_accept_it_except_the_machines_own()
    {
        Boot boot = Boot.Load();
        Claims claims = boot.Prove().Claims!;
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("vtpm/expected-h.json")));
        ImmutableSortedDictionary<int, Requirement<string>> predicted = document.RootElement.EnumerateObject()
            .ToImmutableSortedDictionary(pcr => int.Parse(pcr.Name, CultureInfo.InvariantCulture), pcr => Requirement.Exactly(pcr.Value.GetString()!));
        TpmPolicy policy = TpmVerifierTests.Policy() with { Pcrs = predicted.Remove(0), Key = new TpmKeyPolicy.Named(Requirement.Exactly(boot.KeyName)) };
        Assert.Null(TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, policy, VerificationTime.NoTimeCheck)));

        Check refused = TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, policy with { Pcrs = predicted }, VerificationTime.NoTimeCheck))!;
        Assert.Equal(Refusal.MeasurementNotAccepted, refused.Refusal);
        Assert.StartsWith("PCR 0", refused.Reason, StringComparison.Ordinal);
    }

    [SharedDataFact]
    public void A_policy_for_its_image_accepts_it_and_one_for_the_other_path_does_not()
    {
        Boot boot = Boot.Load();
        Claims claims = boot.Prove().Claims!;
        using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("vtpm/expected-h.json")));
        ImmutableSortedDictionary<int, string> kernel = TpmImage.Pinned.ToImmutableSortedDictionary(pcr => pcr, pcr => document.RootElement.GetProperty(pcr.ToString(CultureInfo.InvariantCulture)).GetString()!);
        ImageMeasurements image = TpmImagePolicyTests.Measurements() with
        {
            Pcrs = ImmutableSortedDictionary<BootPath, ImmutableSortedDictionary<int, string>>.Empty.Add(BootPath.Kernel, kernel).Add(BootPath.Disk, kernel.SetItem(4, new string('0', 64))),
        };
        var key = new TpmKeyPolicy.Named(Requirement.Exactly(boot.KeyName));
        Assert.Null(TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, TpmPolicy.Of(new TpmImage(image, BootPath.Kernel), key), VerificationTime.NoTimeCheck)));
        Check refused = TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(claims, TpmPolicy.Of(new TpmImage(image, BootPath.Disk), key), VerificationTime.NoTimeCheck))!;
        Assert.Equal(("pcrs", $"4:{kernel[4]}"), (refused.Id, refused.Value));
    }

    [SharedDataFact]
    public void Its_endorsement_key_certificate_begins_an_activation()
    {
        Boot boot = Boot.Load();
        Outcome<TpmActivation> begun = boot.Begin(boot.Anchors);
        Assert.True(begun.IsAccepted, begun.Reason);
        using TpmActivation activation = begun.Value;
        Assert.Equal(boot.KeyName, Convert.ToHexStringLower(activation.Key.Name.Span));
        Assert.Equal(Refusal.TpmActivationFailed, activation.Complete(new byte[32]).Refusal);
        Assert.Throws<InvalidOperationException>(() => activation.Complete(new byte[32]));
    }

    [SharedDataFact]
    public void Its_endorsement_key_certificate_is_refused_under_other_anchors_and_without_its_intermediate()
    {
        Boot boot = Boot.Load();
        Assert.Equal(Refusal.ChainUntrusted, boot.Begin(Anchors.Pinned).Refusal);
        Assert.Equal(Refusal.ChainUntrusted, boot.Begin(boot.Anchors, withIntermediate: false).Refusal);
        Assert.Equal(Refusal.NotYetValid, boot.Begin(boot.Anchors, time: VerificationTime.At(DateTimeOffset.UnixEpoch)).Refusal);
    }

    [SharedDataFact]
    public void Another_endorsement_key_than_the_certificates_is_refused()
    {
        Boot boot = Boot.Load();
        byte[] other = [.. boot.EndorsementKey];
        other[^2] ^= 1;
        Assert.Equal(Refusal.TpmEndorsementKey, TpmActivation.Begin(boot.EkCertificate, [boot.Intermediate], other, boot.Report.Key, boot.Anchors, VerificationTime.NoTimeCheck).Refusal);
        byte[] signs = [.. boot.EndorsementKey];
        signs[5] |= 4;
        Assert.Equal(Refusal.TpmEndorsementKey, TpmActivation.Begin(boot.EkCertificate, [boot.Intermediate], signs, boot.Report.Key, boot.Anchors, VerificationTime.NoTimeCheck).Refusal);
        Assert.Equal(Refusal.TpmKeyAttributes, TpmActivation.Begin(boot.EkCertificate, [boot.Intermediate], boot.EndorsementKey, new FakeTpm { Attributes = 0x00040472 }.Public(), boot.Anchors, VerificationTime.NoTimeCheck).Refusal);
    }

    [SharedDataFact]
    public void A_measurement_list_that_starts_with_its_boot_aggregate_is_followed()
    {
        Boot boot = Boot.Load();
        byte[] first = ImaEntry([.. Sized([.. "sha256:\0"u8, .. Aggregate(boot)]), .. Sized("boot_aggregate\0"u8), 0, 0, 0, 0]);
        byte[] second = ImaEntry([.. Sized([.. "sha256:\0"u8, .. new byte[32]]), .. Sized("/bin/app\0"u8), 0, 0, 0, 0]);
        ReadOnlyMemory<byte>? Value(int pcr) => boot.Report.Pcrs.Single(one => one.Index == pcr).Value;
        Assert.Equal(1, ImaLog.Replay([.. first, .. second], TpmAlgorithm.Sha256, Value).Value);
        Assert.Equal(Refusal.ImaLogReplay, ImaLog.Replay([.. second, .. first], TpmAlgorithm.Sha256, Value).Refusal);
        Assert.Equal(Refusal.ImaLogMalformed, ImaLog.Replay(first.AsSpan(0, first.Length - 1), TpmAlgorithm.Sha256, Value).Refusal);
        Assert.Equal(Refusal.ImaLogReplay, ImaLog.Replay([.. first, .. second], TpmAlgorithm.Sha256, pcr => pcr == 10 ? new byte[32] : Value(pcr)).Refusal);

        // With a second entry quoted, the list is what explains PCR 10.
        var extended = new byte[32];
        TpmHash.Extend(TpmAlgorithm.Sha256, extended, System.Security.Cryptography.SHA256.HashData(first.AsSpan(ImaHead)));
        TpmHash.Extend(TpmAlgorithm.Sha256, extended, System.Security.Cryptography.SHA256.HashData(second.AsSpan(ImaHead)));
        Assert.Equal(2, ImaLog.Replay([.. first, .. second, .. second], TpmAlgorithm.Sha256, pcr => pcr == 10 ? extended : Value(pcr)).Value);
        foreach (byte[] mutated in Mutations.Of([.. first, .. second], 3_000, seed: 44))
            ImaLog.Fuzz(mutated);
    }

    private const int ImaHead = 4 + 20 + 4 + 7 + 4;

    private static byte[] Aggregate(Boot boot) => System.Security.Cryptography.SHA256.HashData([.. boot.Report.Pcrs.Where(pcr => pcr.Index < 10).OrderBy(pcr => pcr.Index).SelectMany(pcr => pcr.Value.ToArray())]);

    private static byte[] Sized(ReadOnlySpan<byte> field) => [.. BitConverter.GetBytes(field.Length), .. field];

    private static byte[] ImaEntry(byte[] data) => [10, 0, 0, 0, .. new byte[20].Select((_, i) => (byte)(i + 1)), 7, 0, 0, 0, .. "ima-sig"u8, .. Sized(data)];

    internal sealed record Boot(TpmReport Report, byte[] EventLog, byte[] Nonce, string KeyName, byte[] EkCertificate, byte[] EndorsementKey, byte[] Intermediate, Anchors Anchors)
    {
        // The EK template L-1 of the TCG EK Credential Profile up to the modulus' size.
        private const string EkTemplate = "0001000B000300B20020837197674484B3F81A90CC8D46A5D724FD52D76E06520B64F2A1DA1B331469AA00060080004300100800000000000100";

        public static Boot Load()
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("vtpm/quote-h.json")));
            JsonElement quote = document.RootElement;
            byte[] ek = Hex(quote, "ekCert");
            using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(ek);
            using System.Security.Cryptography.RSA key = System.Security.Cryptography.X509Certificates.RSACertificateExtensions.GetRSAPublicKey(certificate)!;
            var report = new TpmReport(Hex(quote, "attest"), Hex(quote, "sig"), TpmKeyForm.TpmPublic, Hex(quote, "akPub"),
                [.. quote.GetProperty("pcrs").EnumerateObject().Select(pcr => new TpmPcrValue(TpmAlgorithm.Sha256, int.Parse(pcr.Name, CultureInfo.InvariantCulture), Convert.FromHexString(pcr.Value.GetString()!)))]);
            return new Boot(report, Convert.FromBase64String(quote.GetProperty("eventLog").GetString()!),
                Convert.FromHexString("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"),
                quote.GetProperty("akName").GetString()!.ToLowerInvariant(), ek,
                [.. Convert.FromHexString(EkTemplate), .. key.ExportParameters(false).Modulus!],
                File.ReadAllBytes(TestData.Path("vtpm/issuercert.pem")),
                new Anchors([new Anchor(TeeKind.Tpm, "swtpm", File.ReadAllBytes(TestData.Path("vtpm/swtpm-localca-rootca-cert.pem")))]));
        }

        public Evidence Evidence => new(TeeKind.Tpm, Report.Encode(), EventLog, default, []);

        public Proof Prove() => new TpmVerifier().Prove(Evidence, Nonce, Endorsements.None, Anchors.Pinned, VerificationTime.NoTimeCheck);

        public Outcome<TpmActivation> Begin(Anchors anchors, bool withIntermediate = true, VerificationTime? time = null) =>
            TpmActivation.Begin(EkCertificate, withIntermediate ? [Intermediate] : [], EndorsementKey, Report.Key, anchors, time ?? VerificationTime.At(new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero)));

        private static byte[] Hex(JsonElement quote, string name) => Convert.FromHexString(quote.GetProperty(name).GetString()!);
    }
}

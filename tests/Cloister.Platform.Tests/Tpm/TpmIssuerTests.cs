using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Platform.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Evidence of a real (software) TPM through the verifier.</summary>
public sealed class TpmIssuerTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [SwtpmFact]
    public async Task Evidence_verifies_and_its_keys_are_bound_by_activation()
    {
        using var tpm = new Swtpm(certified: true);
        using var issuer = TpmIssuer.Open(tpm.Address);
        Binding binding = NewBinding();
        EvidenceSet evidence = await issuer.IssueAsync(binding, "told"u8.ToArray(), None);
        EvidenceSet read = EvidenceCodec.Decode(EvidenceCodec.Encode(evidence)).Value;
        Proof proof = new TpmVerifier().Prove(read.Primary, binding.ReportData("told"u8, []), new Endorsements(read.Primary.Endorsements), Anchors.Pinned, VerificationTime.NoTimeCheck);
        Assert.All(proof.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));

        TpmEndorsement endorsement = await issuer.EndorsementAsync(None);
        TpmPublic key = TpmLayout.ParsePublic(endorsement.AttestationKey).Value;
        Assert.Equal(Convert.ToHexStringLower(key.Name.Span), proof.Claims!.Fields[TpmFields.KeyName]);
        byte[] secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        TpmCredential credential = TpmCredential.Make(TpmLayout.ParsePublic(endorsement.EndorsementKey).Value, key.Name.Span, secret);
        Assert.Equal(secret, await issuer.ActivateAsync(credential, None));
    }

    private static Binding NewBinding()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new Binding(AttesterRole.Workload, RandomNumberGenerator.GetBytes(32), key.ExportSubjectPublicKeyInfo());
    }
}

using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Tpm;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Activation;

/// <summary>A coordinator whose own TPM is judged.</summary>
public sealed partial class EnrolmentTests
{
    [SwtpmFact]
    public async Task The_coordinators_TPM_opens_credentials_for_its_own_keys_alone()
    {
        await using TestCoordinator coordinator = await StartAsync(withManifest: false, machines.One.Issuer);
        TpmEndorsement own = await machines.One.Issuer.EndorsementAsync(default), other = await machines.Other.Issuer.EndorsementAsync(default);
        byte[] secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
        TpmCredential good = Credential(own, own, secret);
        Assert.Equal(secret, (await OpenAsync(coordinator, good)).Json.GetProperty("data").GetProperty("secret").GetBytesFromBase64());
        using TestWorkload workload = Workload(coordinator);
        Assert.Equal(secret, (await workload.OpenAsync(Message(good))).Secret.ToByteArray());

        byte[] changed = good.Blob.ToArray();
        changed[^1] ^= 1;
        foreach (TpmCredential bad in new[] { Credential(other, other, secret), Credential(own, other, secret), good with { Blob = changed } })
        {
            (int code, var json) = await OpenAsync(coordinator, bad);
            Assert.Equal((400, "CredentialRefused"), (code, json.GetProperty("code").GetString()));
            Assert.Equal(GrpcStatus.InvalidArgument, (await Assert.ThrowsAsync<GrpcException>(() => workload.OpenAsync(Message(bad)))).Status);
        }
        // None of that keeps it from opening the next.
        Assert.Equal(200, (await OpenAsync(coordinator, good)).Code);
        foreach (TpmCredential bad in new[] { good with { Blob = default }, good with { Blob = new byte[1] }, good with { Blob = good.Blob[..^1] }, good with { Blob = (byte[])[0x01, 0x00, .. new byte[256]] }, good with { EncryptedSecret = (byte[])[.. good.EncryptedSecret.Span, 0] } })
            Assert.Equal((400, "BadRequest"), await CodeAsync(coordinator, bad));
        Assert.Equal((413, "TooLarge"), await CodeAsync(coordinator, good with { Blob = new byte[4096] }));
    }

    [SwtpmFact]
    public async Task Changed_credentials_are_refused_and_the_TPM_goes_on()
    {
        await using TestCoordinator coordinator = await StartAsync(withManifest: false, machines.One.Issuer);
        using TestWorkload workload = Workload(coordinator);
        TpmEndorsement own = await machines.One.Issuer.EndorsementAsync(default);
        TpmCredential good = Credential(own, own, new byte[32]);
        for (int round = 0; round < 200; round++)
        {
            var random = new Random(round);
            TpmCredential bad = random.Next(2) == 0 ? good with { Blob = Changed(good.Blob.Span, random) } : good with { EncryptedSecret = Changed(good.EncryptedSecret.Span, random) };
            GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => workload.OpenAsync(Message(bad)));
            Assert.True(refused.Status == GrpcStatus.InvalidArgument, $"round {round}: {refused.Status} {refused.Detail}");
        }
        Assert.Equal(new byte[32], (await workload.OpenAsync(Message(good))).Secret.ToByteArray());
        await machines.One.Issuer.IssueAsync(new Binding(AttesterRole.Coordinator, new byte[32], new byte[32]), default, default);
    }

    [SwtpmFact]
    public async Task A_coordinator_without_a_TPM_opens_nothing()
    {
        await using TestCoordinator coordinator = await StartAsync(withManifest: false);
        TpmEndorsement one = await machines.One.Issuer.EndorsementAsync(default);
        Assert.Equal((503, "NoEvidence"), await CodeAsync(coordinator, Credential(one, one, new byte[32])));
    }

    private static TpmCredential Credential(TpmEndorsement endorsement, TpmEndorsement attestation, byte[] secret) =>
        TpmCredential.Make(TpmLayout.ParsePublic(endorsement.EndorsementKey).Value, TpmLayout.ParsePublic(attestation.AttestationKey).Value.Name.Span, secret);

    private static TpmCredentialMessage Message(TpmCredential credential) =>
        new() { Blob = ByteString.CopyFrom(credential.Blob.Span), EncryptedSecret = ByteString.CopyFrom(credential.EncryptedSecret.Span) };

    private static Task<(int Code, System.Text.Json.JsonElement Json)> OpenAsync(TestCoordinator coordinator, TpmCredential credential) => coordinator.PostAsync("/api/v3/credential",
        new JsonObject { ["blob"] = Convert.ToBase64String(credential.Blob.Span), ["encryptedSecret"] = Convert.ToBase64String(credential.EncryptedSecret.Span) }.ToJsonString());

    private static async Task<(int, string?)> CodeAsync(TestCoordinator coordinator, TpmCredential credential)
    {
        (int code, var json) = await OpenAsync(coordinator, credential);
        return (code, json.GetProperty("code").GetString());
    }
}

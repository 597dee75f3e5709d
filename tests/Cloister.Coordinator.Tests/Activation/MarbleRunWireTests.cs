using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Activation;

public sealed class MarbleRunWireTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        string manifest = $$$"""
            {
              "Packages": { "p": { "UniqueID": "{{{new string('7', 64)}}}", "Debug": true } },
              "Marbles": {
                "m": { "Package": "p", "Parameters": { "Env": { "KEY": "{{ pem .MarbleRun.MarbleCert.Private }}", "OWN": "{{ hex .Secrets.own }}" }, "Argv": ["./m"] } },
                "unbound": { "Package": "p", "DisableSecretBinding": true, "Parameters": { "Env": { "OWN": "{{ hex .Secrets.own }}" } } },
                "once": { "Package": "p", "MaxActivations": 1 }
              },
              "Secrets": { "own": { "Type": "symmetric-key", "Size": 256 } }
            }
            """;
        Assert.Equal(200, (await _coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }))).Code);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Theory]
    [InlineData("3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab"), InlineData("3D0FFB2A6A3F4F1B8D4B0123456789AB")]
    [InlineData("{3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab}"), InlineData("urn:uuid:3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab")]
    public async Task A_marble_gets_key_chain_and_parameters(string uuid)
    {
        using var marble = new TestWorkload(_coordinator, "m", ECCurve.NamedCurves.nistP384);
        ActivationResp answer = await marble.SendAsync(Request(marble, uuid));
        var env = answer.Parameters.Env;
        using X509Certificate2 leaf = X509Certificate2.CreateFromPem(env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"].ToStringUtf8(), env["MARBLE_PREDEFINED_PRIVATE_KEY"].ToStringUtf8());
        Assert.Equal("CN=3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab", leaf.Subject);
        Assert.Equal("m", MarbleExtension.Read(leaf));
        Assert.NotEqual(marble.Key.ExportSubjectPublicKeyInfo(), leaf.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(384, leaf.GetECDsaPublicKey()!.KeySize);
        Assert.Equal(_coordinator.Clock.GetUtcNow().Year + 292, leaf.NotAfter.Year);
        Assert.Equal(env["MARBLE_PREDEFINED_PRIVATE_KEY"].ToStringUtf8().Trim(), env["KEY"].ToStringUtf8().Trim());
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", env["MARBLE_PREDEFINED_ROOT_CA"].ToStringUtf8(), StringComparison.Ordinal);
        Assert.StartsWith("-----BEGIN CERTIFICATE-----", env["MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"].ToStringUtf8(), StringComparison.Ordinal);
        Assert.Equal(["./m"], answer.Parameters.Argv);
        // Cloister's fields stay empty on this wire.
        Assert.Empty(answer.CertificateChain);
        Assert.Empty(answer.ManifestFingerprint);
    }

    [Fact]
    public async Task Keys_differ_by_uuid_and_type_unless_the_binding_is_disabled()
    {
        string one = Guid.NewGuid().ToString("D"), other = Guid.NewGuid().ToString("D");
        Assert.Equal(await OwnAsync("m", one), await OwnAsync("m", one));
        Assert.NotEqual(await OwnAsync("m", one), await OwnAsync("m", other));
        Assert.NotEqual(await OwnAsync("m", one), await OwnAsync("unbound", one));

        async Task<string> OwnAsync(string type, string uuid)
        {
            using var marble = new TestWorkload(_coordinator, type);
            return (await marble.SendAsync(Request(marble, uuid))).Parameters.Env["OWN"].ToStringUtf8();
        }
    }

    [Fact]
    public async Task Refusals_have_marbleruns_codes()
    {
        using var marble = new TestWorkload(_coordinator, "once");
        Assert.Equal(GrpcStatus.InvalidArgument, await StatusAsync(Request(marble, "nonsense")));
        ActivationReq request = Request(marble, marble.Uuid);
        request.MarbleType = "nobody";
        Assert.Equal(GrpcStatus.PermissionDenied, await StatusAsync(request));
        request = Request(marble, marble.Uuid);
        request.CSR = ByteString.CopyFromUtf8("nonsense");
        Assert.Equal(GrpcStatus.Internal, await StatusAsync(request));
        await marble.SendAsync(Request(marble, marble.Uuid));
        Assert.Equal(GrpcStatus.PermissionDenied, await StatusAsync(Request(marble, marble.Uuid)));

        async Task<GrpcStatus> StatusAsync(ActivationReq asked) => (await Assert.ThrowsAsync<GrpcException>(() => marble.SendAsync(asked))).Status;
    }

    [Fact]
    public async Task Before_a_manifest_the_state_refuses()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        using var marble = new TestWorkload(coordinator, "m");
        Assert.Equal(GrpcStatus.FailedPrecondition, (await Assert.ThrowsAsync<GrpcException>(() => marble.SendAsync(Request(marble, marble.Uuid)))).Status);
        Assert.Equal(GrpcStatus.FailedPrecondition, (await Assert.ThrowsAsync<GrpcException>(() => marble.ChallengeAsync())).Status);
    }

    private static ActivationReq Request(TestWorkload marble, string uuid) =>
        new() { CSR = ByteString.CopyFrom(marble.Csr), MarbleType = marble.Type, UUID = uuid, Quote = ByteString.CopyFromUtf8("any quote") };
}

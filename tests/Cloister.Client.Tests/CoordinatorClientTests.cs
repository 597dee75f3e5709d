using System.Net.Security;
using System.Text;
using Cloister.Protocol.Rest;
using Cloister.Tests.Mesh;

namespace Cloister.Client.Tests;

public sealed class CoordinatorClientTests
{
    private static readonly Dictionary<string, SecretValue> s_secrets = new() { [TestMesh.SecretName] = new(Key: [.. TestMesh.ModelKey]) };

    [Fact]
    public async Task ASecretIsUploadedAndReadBackByItsOwner()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var client = new CoordinatorClient(await mesh.VerifyAsync(), mesh.User);
        await client.SetSecretsAsync(s_secrets);
        IReadOnlyDictionary<string, SecretReading> read = await client.GetSecretsAsync([TestMesh.SecretName]);
        Assert.Equal(TestMesh.ModelKey, read[TestMesh.SecretName].Private);
        Assert.Equal((int)CoordinatorState.AcceptingMarbles, (await client.GetStatusAsync()).Code);
        Assert.Equal((await mesh.VerifyAsync()).Fingerprint, (await client.GetManifestAsync()).Fingerprint);
    }

    [Fact]
    public async Task AStrangerIsRefusedWithTheCoordinatorsReason()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var stranger = TestCertificate.Create("CN=model owner");
        foreach (var user in new[] { null, stranger })
        {
            using var client = new CoordinatorClient(await mesh.VerifyAsync(), user);
            var e = await Assert.ThrowsAsync<ClientException>(() => client.SetSecretsAsync(s_secrets));
            Assert.Equal((ClientError.RefusedByServer, 401), (e.Error, e.HttpStatus));
        }
    }

    [Fact]
    public async Task AnUnknownSecretIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var client = new CoordinatorClient(await mesh.VerifyAsync(), mesh.User);
        var e = await Assert.ThrowsAsync<ClientException>(() => client.SetSecretsAsync(new Dictionary<string, SecretValue> { ["other"] = new(Key: new byte[32]) }));
        Assert.Equal(ClientError.RefusedByServer, e.Error);
        Assert.DoesNotContain(Convert.ToBase64String(new byte[32]), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoSecretIsSentBeforeThereIsAManifest()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        VerifiedDeployment empty = await new DeploymentVerifier().VerifyCoordinatorAsync(mesh.ClientApi, mesh.Policy.BeforeManifest());
        using var client = new CoordinatorClient(empty, mesh.User);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.SetSecretsAsync(s_secrets));
    }

    [Fact]
    public async Task ASecretIsNotSentToWhoeverAnswersAfterTheVerification()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        VerifiedDeployment honest = await mesh.VerifyAsync();
        await using var middle = new ManInTheMiddle(mesh.Coordinator.ClientAddress.Port, SslApplicationProtocol.Http11);
        // The same deployment, whose traffic is now led astray.
        var led = new VerifiedDeployment(new Uri($"https://localhost:{middle.Port}"), honest.Result, honest.Trust, honest.ManifestBytes, honest.Manifest);
        using var client = new CoordinatorClient(led, mesh.User);
        var e = await Assert.ThrowsAsync<ClientException>(() => client.SetSecretsAsync(s_secrets));
        Assert.Equal(ClientError.PeerKeyChanged, e.Error);
        Assert.Empty(middle.Seen);
    }

    [Fact]
    public async Task AManifestIsSetOnceAndAProblemIsSaid()
    {
        await using TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        Assert.Equal((int)CoordinatorState.AcceptingManifest, (await UnverifiedCoordinator.GetStatusAsync(mesh.ClientApi)).Code);
        VerifiedDeployment empty = await new DeploymentVerifier().VerifyCoordinatorAsync(mesh.ClientApi, mesh.Policy.BeforeManifest());
        using var client = new CoordinatorClient(empty);
        var e = await Assert.ThrowsAsync<ClientException>(() => client.SetManifestAsync(Encoding.UTF8.GetBytes("{\"Marbels\":{}}"), []));
        Assert.Equal(ClientError.RefusedByServer, e.Error);
        Assert.Contains("Marbels", e.Message, StringComparison.Ordinal);

        byte[] manifest = Encoding.UTF8.GetBytes(mesh.Manifest());
        await client.SetManifestAsync(manifest, []);
        e = await Assert.ThrowsAsync<ClientException>(() => client.SetManifestAsync(manifest, []));
        Assert.Equal(ClientError.RefusedByServer, e.Error);
    }

    [Fact]
    public async Task AnAbsentCoordinatorIsUnreachable()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        VerifiedDeployment deployment = await mesh.VerifyAsync();
        await mesh.Coordinator.DisposeAsync();
        using var client = new CoordinatorClient(deployment);
        Assert.Equal(ClientError.Unreachable, (await Assert.ThrowsAsync<ClientException>(() => client.GetStatusAsync())).Error);
    }
}

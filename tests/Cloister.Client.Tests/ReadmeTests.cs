using Cloister.Client.Tests.Encrypted;
using Cloister.Homomorphic.Models;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

/// <summary>The README's examples, with a real coordinator and workload.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task ADeploymentIsVerifiedAndAPictureClassified()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.At("policy.json"), mesh.Policy.ToBytes());
        byte[] key = [.. TestMesh.ModelKey];

        CoordinatorPolicy policy = CoordinatorPolicy.Read(File.ReadAllBytes(folder.At("policy.json"))).Value;
        VerifiedDeployment deployment = await new DeploymentVerifier().VerifyCoordinatorAsync(mesh.ClientApi, policy);
        using var coordinator = new CoordinatorClient(deployment, mesh.User);
        await coordinator.SetSecretsAsync(new Dictionary<string, SecretValue> { ["model_key"] = new(Key: key) });

        using Activation activation = await mesh.Activator().ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity, application =>
        {
            application.MapGet("/v2/models/digits", () => Results.Text("""{"name":"digits","inputs":[{"name":"x","datatype":"FP32","shape":[1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[10]}]}"""));
            application.MapPost("/v2/models/digits/infer", () => Results.Text("""{"model_name":"digits","outputs":[{"name":"y","datatype":"BYTES","shape":[1],"data":["0.987:7:seven"]}]}"""));
        });
        using var client = new PredictClient(new AttestedHttpHandler(deployment, "digits"), workload.Address, TestMesh.Token);
        PredictedLabel label = Assert.Single(await client.ClassifyAsync("digits", new byte[] { 1 }, 5));
        Assert.Equal("0.987 seven", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{label.Score:0.000} {label.Text}"));
    }

    [Fact]
    public async Task AnEncryptedModelIsAskedOverAVerifiedDeployment()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        using var fake = new EncryptedFake(EncryptedFake.Compiled);
        using var invoker = new HttpMessageInvoker(fake, disposeHandler: false);
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity, application => application.Map("/v2/{**path}", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri($"https://localhost{http.Request.Path}")) { Content = new ByteArrayContent(body.ToArray()) };
            using HttpResponseMessage answer = await invoker.SendAsync(request, default);
            http.Response.StatusCode = (int)answer.StatusCode;
            await answer.Content.CopyToAsync(http.Response.Body);
        }));
        VerifiedDeployment deployment = await mesh.VerifyAsync();
        double[][] rows = [[0.9, 1], [0.1, 9]];

        using var encrypted = new EncryptedModelClient(new AttestedHttpHandler(deployment, TestMesh.OtherType), workload.Address, TestMesh.Token);
        ClientSpecification specification = await encrypted.DescribeAsync("spam");
        using EncryptedSession session = encrypted.Open("spam", specification);
        IReadOnlyList<ModelAnswer> answers = await session.PredictAsync(rows);
        Assert.Equal(["yes", "no"], answers.Select(answer => answer.Class));

        using var stranger = new EncryptedModelClient(new AttestedHttpHandler(deployment, "another"), workload.Address, TestMesh.Token);
        int asked = fake.Paths.Count;
        await Assert.ThrowsAsync<PeerRefusedException>(() => stranger.DescribeAsync("spam"));
        Assert.Equal(asked, fake.Paths.Count);
    }

    [Fact]
    public void ThePolicysMembersAreTheReadmes()
    {
        string key = Convert.ToBase64String(TestKey());
        string json = $$"""
            {
              "Coordinator": { "Simulation": { "Digest": "{{new string('0', 64)}}", "HostKeys": ["{{key}}"] } },
              "OwnerKeys": ["{{key}}"],
              "Manifest": "Any"
            }
            """;
        Assert.True(CoordinatorPolicy.Read(System.Text.Encoding.UTF8.GetBytes(json)).IsAccepted);
    }

    private static byte[] TestKey()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }
}

using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;
using Cloister.Tests.Mesh;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

/// <summary>Nothing goes to a model in another mode than is wanted, and to one in parts only where that is said.</summary>
public sealed class ModeDemandTests
{
    private const string Answer = """{"model_name":"digits","outputs":[{"name":"p","datatype":"FP32","shape":[1,2],"data":[0.25,0.5]}]}""";

    [Fact]
    public async Task APictureGoesToAModelInPartsOnlyWhereThatIsSaid()
    {
        await using TestMesh mesh = await InPartsAsync();
        await mesh.SetModelKeyAsync();
        using Activation activation = await mesh.Activator().ActivateAsync();
        int asked = 0;
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity, application => application.Map("/v2/{**path}", (HttpContext http) =>
        {
            asked++;
            return Results.Text(http.Request.Method == "GET" ? """{"name":"digits","platform":"cloister_partitioned","inputs":[{"name":"x","datatype":"FP32","shape":[1]}],"outputs":[{"name":"p","datatype":"FP32","shape":[1,2]}]}""" : Answer);
        }));
        VerifiedDeployment deployment = await mesh.VerifyAsync();
        foreach (string? mode in (string?[])[null, ModelModes.Enclave, ModelModes.Encrypted])
        {
            using PredictClient careful = Client(deployment, workload, mode);
            await RefusedAsync(() => careful.ClassifyAsync("digits", new byte[1]), "in the mode partitioned");
            await RefusedAsync(() => careful.ClassifyAsync("digits", "x", "p", new byte[1], 1), "in the mode partitioned");
            await RefusedAsync(() => careful.InferAsync("digits", [InferTensor.Floats("x", [1], [1])]), "in the mode partitioned");
        }
        Assert.Equal(0, asked);
        using PredictClient knowing = Client(deployment, workload, ModelModes.Partitioned);
        Assert.Equal(1, Assert.Single(await knowing.ClassifyAsync("digits", new byte[1], 1)).Index);
        await RefusedAsync(() => knowing.InferAsync("letters", [InferTensor.Floats("x", [1], [1])]), "do not hold the model 'letters'");
    }

    [Fact]
    public async Task AModeIsThatOfTheTypeThatIsAsked()
    {
        await using TestMesh mesh = await InPartsAsync();
        ManifestDocument manifest = (await mesh.VerifyAsync()).Manifest!;
        ModeDemand.Require(manifest, TestMesh.Type, "digits", ModelModes.Partitioned);
        foreach (string type in (string[])[TestMesh.OtherType, "nobody"])
        {
            await RefusedAsync(() => Task.Run(() => ModeDemand.Require(manifest, type, "digits", ModelModes.Partitioned)), $"workloads of type '{type}' do not hold the model 'digits'");
            ModeDemand.Require(manifest, type, "digits", null);
        }
    }

    [Fact]
    public async Task AModeThatIsNotStatedIsNoneThatCanBeWanted()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        ManifestDocument manifest = (await mesh.VerifyAsync()).Manifest!;
        ModeDemand.Require(manifest, TestMesh.Type, "digits", null);
        await RefusedAsync(() => Task.Run(() => ModeDemand.Require(manifest, TestMesh.Type, "digits", ModelModes.Enclave)), "states no mode for the model 'digits'");
    }

    private static async Task<TestMesh> InPartsAsync()
    {
        TestMesh mesh = await TestMesh.StartAsync(withManifest: false);
        JsonNode manifest = JsonNode.Parse(mesh.Manifest())!;
        manifest["Models"]!["digits"]!["Mode"] = ModelModes.Partitioned;
        manifest["Models"]!["digits"]!["Partition"] = new JsonObject { ["MinimumScores"] = new JsonObject { [PartitionScores.Pictures] = 0.5 } };
        await mesh.SetManifestAsync(manifest.ToJsonString());
        return mesh;
    }

    private static PredictClient Client(VerifiedDeployment deployment, TestWorkload workload, string? mode) => new(new AttestedHttpHandler(deployment, TestMesh.Type), workload.Address, TestMesh.Token) { Mode = mode };

    private static async Task RefusedAsync(Func<Task> send, string reason)
    {
        ClientException refusal = await Assert.ThrowsAsync<ClientException>(send);
        Assert.Equal(ClientError.ModeRefused, refusal.Error);
        Assert.StartsWith("Nothing was sent: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }
}

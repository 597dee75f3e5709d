using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cloister.Tests.Mesh;
using Cloister.Workload;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cloister.Client.Tests;

public sealed class AttestedHttpHandlerTests
{
    [Fact]
    public async Task RequestsTravelOverTheVeryConnectionThatWasVerified()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        var connections = new HashSet<string>();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity, application => application.MapGet("/connection", (HttpContext http) => connections.Add(http.Connection.Id)));
        var verified = new List<AttestedWorkload>();
        using var handler = new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType) { Verified = verified.Add };
        using var http = new HttpClient(handler) { BaseAddress = workload.Address };
        for (int i = 0; i < 5; i++)
            Assert.Equal("hello", await http.GetStringAsync("/hello"));
        await http.GetStringAsync("/connection");
        await http.GetStringAsync("/connection");
        Assert.Single(connections);
        Assert.Single(verified);
    }

    [Fact]
    public async Task AManInTheMiddleGetsNothingOfARequest()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await using var middle = new ManInTheMiddle(workload.Address.Port, SslApplicationProtocol.Http11);
        using var http = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://localhost:{middle.Port}/hello") { Content = JsonContent.Create("a secret diagnosis") };
        request.Headers.Authorization = new("Bearer", "a secret token");
        await Assert.ThrowsAsync<PeerRefusedException>(() => http.SendAsync(request));
        string seen = System.Text.Encoding.Latin1.GetString(middle.Seen);
        Assert.StartsWith("GET /.well-known/cloister/evidence?nonce=", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", seen, StringComparison.Ordinal);
        Assert.Empty(workload.Requests);
    }

    [Fact]
    public async Task AChangedKeyIsVerifiedAgainAndAForeignOneRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        var verified = new List<AttestedWorkload>();
        using var handler = new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType) { Verified = verified.Add };
        using var http = new HttpClient(handler) { BaseAddress = workload.Address };
        await CloseAsync(http);
        await CloseAsync(http);
        Assert.Single(verified);

        using Activation restarted = await activator.ActivateAsync();
        await using TestWorkload second = await TestWorkload.StartAsync(restarted.Identity);
        using var other = new HttpRequestMessage(HttpMethod.Get, new Uri(second.Address, "/hello"));
        (await http.SendAsync(other)).Dispose();
        Assert.Equal(2, verified.Count);
        Assert.NotEqual(verified[0].Certificate.ToArray(), verified[1].Certificate.ToArray());

        await using TestWorkload foreign = await TestWorkload.StartAsync(TestCertificate.Context(), application => application.MapGet("/hello", () => "hello"));
        await Assert.ThrowsAsync<ClientException>(() => http.GetStringAsync(new Uri(foreign.Address, "/hello")));
        Assert.Empty(foreign.Requests);
    }

    [Fact]
    public async Task OldEvidenceIsAskedForAgain()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        var time = new ManualTime(DateTimeOffset.UtcNow);
        int verified = 0;
        using var handler = new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType, options: new ClientOptions { Time = time }) { Verified = _ => verified++ };
        using var http = new HttpClient(handler) { BaseAddress = workload.Address };
        await CloseAsync(http);
        time.Advance(TimeSpan.FromMinutes(4));
        await CloseAsync(http);
        Assert.Equal(1, verified);
        time.Advance(TimeSpan.FromMinutes(2));
        await CloseAsync(http);
        Assert.Equal(2, verified);
    }

    [Fact]
    public async Task ARedirectIsAnsweredAndNotFollowed()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity, application => application.MapGet("/away", () => Results.Redirect("https://example.org/")));
        using var http = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType));
        using HttpResponseMessage answer = await http.GetAsync(new Uri(workload.Address, "/away"));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    [Fact]
    public async Task PlainHttpIsRefused()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using var http = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType));
        await Assert.ThrowsAsync<ArgumentException>(() => http.GetStringAsync("http://localhost:1/"));
    }

    [Fact]
    public async Task ACallersCertificateReachesTheWorkload()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity,
            application => application.MapGet("/caller", (HttpContext http) => http.Connection.ClientCertificate?.Thumbprint ?? "nobody"), askForClientCertificate: true);
        using X509Certificate2 caller = TestCertificate.Create("CN=anna");
        using var named = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType, caller)) { BaseAddress = workload.Address };
        using var nobody = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType)) { BaseAddress = workload.Address };
        Assert.Equal(caller.Thumbprint, await named.GetStringAsync("/caller"));
        Assert.Equal("nobody", await nobody.GetStringAsync("/caller"));
    }

    [Fact]
    public async Task ManyRequestsAtOnceAreAllAnswered()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        using var http = new HttpClient(new AttestedHttpHandler(await mesh.VerifyAsync(), TestMesh.OtherType)) { BaseAddress = workload.Address };
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => http.GetStringAsync("/hello"))), text => Assert.Equal("hello", text));
    }

    // A request that ends its connection, so that the next one opens another.
    private static async Task CloseAsync(HttpClient http)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/hello");
        request.Headers.ConnectionClose = true;
        using HttpResponseMessage answer = await http.SendAsync(request);
        Assert.Equal("hello", await answer.Content.ReadAsStringAsync());
    }
}

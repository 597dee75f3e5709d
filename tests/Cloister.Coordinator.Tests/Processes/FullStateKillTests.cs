using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>
/// kill -9 of a coordinator under load on everything that it keeps: uploads, package updates and counted activations.
/// What was acknowledged is there afterwards, and no activation is given twice.
/// </summary>
public sealed class FullStateKillTests : IDisposable
{
    private const int Kills = 12, Budget = 100;

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-full-kill-").FullName;
    private readonly X509Certificate2 _user = TestManifest.Certificate("user");
    private readonly ECDsa _marbleKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    private long _sentSecret, _storedSecret, _sentVersion = 1, _storedVersion = 1, _activated, _refused;
    private string[] _log = [];

    public void Dispose()
    {
        _marbleKey.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_no_activation_is_given_twice()
    {
        if (!OperatingSystem.IsLinux())
            return;
        CoordinatorProcess process = await CoordinatorProcess.StartAsync(_root, simulation: true);
        (int client, int mesh) = (process.ClientPort, process.MeshPort);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "/manifest", Manifest()));
        var random = new Random(20261121);
        for (int kill = 0; kill < Kills; kill++)
        {
            long before = Acknowledged;
            Task[] writers = [WhileAliveAsync(() => UploadAsync(client)), WhileAliveAsync(() => RaiseAsync(client)), WhileAliveAsync(() => ActivateAsync(mesh)), WhileAliveAsync(() => ActivateAsync(mesh))];
            while (Acknowledged == before && !Task.WhenAll(writers).IsCompleted)
                await Task.Delay(5, CancellationToken.None);
            await Task.Delay(random.Next(0, 200), CancellationToken.None);
            await process.KillAsync();
            await Task.WhenAll(writers);

            process = await CoordinatorProcess.StartAsync(_root, simulation: true);
            (client, mesh) = (process.ClientPort, process.MeshPort);
            await CheckAsync(client, kill);
        }
        while (_refused == 0 && _activated <= Budget)
            await ActivateAsync(mesh);
        await process.KillAsync();
        Assert.True(_storedSecret > 0 && _storedVersion > 1 && _activated > 0, "there was no load");
        Assert.InRange(_activated, 1, Budget);
    }

    private long Acknowledged => Volatile.Read(ref _storedSecret) + Volatile.Read(ref _storedVersion) + Volatile.Read(ref _activated) + Volatile.Read(ref _refused);

    // Until the process is gone: then the outcome of the last request is open. A connection that ends while it is made comes as the socket's own error.
    private static async Task WhileAliveAsync(Func<Task> once)
    {
        try
        {
            while (true)
                await once();
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException or OperationCanceledException or GrpcException { Status: GrpcStatus.Unavailable or GrpcStatus.Internal or GrpcStatus.Cancelled })
        {
            return;
        }
    }

    private async Task UploadAsync(int port)
    {
        long value = Interlocked.Increment(ref _sentSecret);
        string text = Convert.ToBase64String(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        if (await PostAsync(port, "/secrets", new JsonObject { ["secret"] = new JsonObject { ["Key"] = text } }.ToJsonString()) == HttpStatusCode.OK)
            _storedSecret = value;
    }

    private async Task RaiseAsync(int port)
    {
        long version = Interlocked.Increment(ref _sentVersion);
        string update = new JsonObject { ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["SecurityVersion"] = version } } }.ToJsonString();
        Assert.Equal(HttpStatusCode.OK, await PostAsync(port, "/update", update));
        _storedVersion = version;
    }

    private async Task ActivateAsync(int port)
    {
        using HttpClient http = TestCoordinator.Connect(port, TestWorkload.SelfSigned(_marbleKey), null);
        try
        {
            await new GrpcChannel(http, http.BaseAddress!).UnaryAsync(MarbleService.ActivatePath,
                new ActivationReq { CSR = ByteString.CopyFrom(TestWorkload.Request(_marbleKey)), MarbleType = "m", UUID = Guid.NewGuid().ToString("D") }, ActivationResp.Parser);
            Interlocked.Increment(ref _activated);
        }
        catch (GrpcException spent) when (spent.Status == GrpcStatus.PermissionDenied)
        {
            Interlocked.Increment(ref _refused);
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private async Task CheckAsync(int port, int kill)
    {
        using HttpClient client = TestCoordinator.Connect(port, _user, null);
        JsonElement log = JsonDocument.Parse(await client.GetStringAsync(new Uri("/api/v2/update", UriKind.Relative))).RootElement.GetProperty("data").GetProperty("updateLog");
        string[] lines = [.. log.EnumerateArray().Select(line => line.GetString()!)];
        Assert.True(lines.AsSpan().StartsWith(_log), $"kill {kill}: the update log lost or changed a line");
        _log = lines;
        long version = lines.Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.TryGetProperty("new version", out _)).Select(line => line.GetProperty("new version").GetInt64()).DefaultIfEmpty(1).Max();
        Assert.InRange(version, _storedVersion, _sentVersion);
        _storedVersion = _sentVersion = version;
        if (_storedSecret == 0)
            return;
        JsonElement secret = JsonDocument.Parse(await client.GetStringAsync(new Uri("/secrets?s=secret", UriKind.Relative))).RootElement.GetProperty("data").GetProperty("secret");
        Assert.InRange(long.Parse(Encoding.ASCII.GetString(secret.GetProperty("Private").GetBytesFromBase64()), CultureInfo.InvariantCulture), _storedSecret, _sentSecret);
    }

    private string Manifest() => new JsonObject
    {
        ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["SignerID"] = new string('5', 64), ["ProductID"] = 7, ["SecurityVersion"] = 1 } },
        ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p", ["MaxActivations"] = Budget } },
        ["Secrets"] = new JsonObject { ["secret"] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true } },
        ["Users"] = new JsonObject { ["user"] = new JsonObject { ["Certificate"] = _user.ExportCertificatePem(), ["Roles"] = new JsonArray("packages", "secrets") } },
        ["Roles"] = new JsonObject
        {
            ["packages"] = new JsonObject { ["ResourceType"] = "Packages", ["ResourceNames"] = new JsonArray("p"), ["Actions"] = new JsonArray("UpdateSecurityVersion") },
            ["secrets"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray("secret"), ["Actions"] = new JsonArray("ReadSecret", "WriteSecret") },
        },
    }.ToJsonString();

    private async Task<HttpStatusCode> PostAsync(int port, string path, string body)
    {
        using HttpClient client = TestCoordinator.Connect(port, _user, null);
        using HttpResponseMessage answer = await client.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"));
        return answer.StatusCode;
    }
}

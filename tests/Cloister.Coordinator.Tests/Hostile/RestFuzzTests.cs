using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Hostile;

/// <summary>Every path of the client API, as it is mapped, with seeded changes of what it expects: an answer in its own shape, never a failure.</summary>
public sealed class RestFuzzTests : IAsyncLifetime
{
    private const int Rounds = 1500;

    private static readonly int[] s_codes = [200, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 503];
    private static readonly string[] s_contentTypes = ["application/json", "application/json; charset=utf-8", "text/plain", "application/octet-stream", "nonsense", "application/json; charset=\"\"\""];

    private TestCoordinator _coordinator = null!;
    private TestManifest _manifest = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        _manifest = new TestManifest(_coordinator.HostKey);
    }

    public Task DisposeAsync() => _coordinator.DisposeAsync().AsTask();

    [Fact]
    public async Task Before_a_manifest_nothing_fails()
    {
        await FuzzAsync(seed: 1, skip: path => path.EndsWith("manifest", StringComparison.Ordinal));
        Assert.Equal(CoordinatorState.AcceptingManifest, _coordinator.Host.State.Current.State);
    }

    [Fact]
    public async Task With_a_manifest_in_force_nothing_fails_and_what_is_kept_is_read_back()
    {
        Assert.Equal(200, (await _coordinator.SetManifestAsync(_manifest.Text)).Code);
        await FuzzAsync(seed: 2);
        var before = _coordinator.Host.State.Current;
        await _coordinator.RestartAsync();
        Assert.Equal((before.Version, before.State, before.Manifest!.Fingerprint),
            (_coordinator.Host.State.Current.Version, _coordinator.Host.State.Current.State, _coordinator.Host.State.Current.Manifest!.Fingerprint));
    }

    [Fact]
    public async Task In_recovery_nothing_fails_and_nothing_is_lost()
    {
        Assert.Equal(200, (await _coordinator.SetManifestAsync(_manifest.Text)).Code);
        await _coordinator.Host.DisposeAsync();
        string key = Path.Combine(_coordinator.SealFolder, "sealed_key"), away = key + ".away";
        File.Move(key, away);
        byte[] data = await File.ReadAllBytesAsync(Path.Combine(_coordinator.SealFolder, "sealed_data"));
        await _coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.Recovery, _coordinator.Host.State.Current.State);
        int logged = _coordinator.Failures.All.Count; // that recovery is needed

        await FuzzAsync(seed: 3, logged);

        Assert.Equal(CoordinatorState.Recovery, _coordinator.Host.State.Current.State);
        Assert.Equal(data, await File.ReadAllBytesAsync(Path.Combine(_coordinator.SealFolder, "sealed_data")));
        await _coordinator.Host.DisposeAsync();
        File.Move(away, key, overwrite: true);
        await _coordinator.RestartAsync();
        Assert.Equal(TestManifest.Fingerprint(_manifest.Text), _coordinator.Host.State.Current.Manifest!.Fingerprint);
    }

    private async Task FuzzAsync(int seed, int logged = 0, Func<string, bool>? skip = null)
    {
        (string Method, string Path)[] routes = [.. _coordinator.Host.Client.Routes.Where(route => skip?.Invoke(route.Path) is not true).OrderBy(route => route.Path, StringComparer.Ordinal).ThenBy(route => route.Method, StringComparer.Ordinal)];
        Assert.True(routes.Length > 10, "the routes were not found");
        X509Certificate2?[] users = [null, _manifest.Owner, _manifest.Reader, TestManifest.Certificate("stranger")];
        HttpClient[] clients = [.. users.Select(user => _coordinator.Client(user))];
        try
        {
            for (int round = 0; round < Rounds; round++)
            {
                var random = new Random(seed * 1_000_000 + round);
                using HttpRequestMessage request = Request(routes, random);
                string what = $"seed {seed}, round {round}: {request.Method} {request.RequestUri}";
                using HttpResponseMessage response = await clients[random.Next(clients.Length)].SendAsync(request);
                await CheckAsync(response, request.RequestUri!.AbsolutePath, what);
                Assert.True(_coordinator.Failures.All.Count == logged, $"{what}: {_coordinator.Failures.All.LastOrDefault()}");
            }
        }
        finally
        {
            foreach (HttpClient client in clients)
                client.Dispose();
        }
    }

    private HttpRequestMessage Request((string Method, string Path)[] routes, Random random)
    {
        (string method, string path) = routes[random.Next(routes.Length)];
        if (random.Next(20) == 0)
            method = new[] { "GET", "POST", "PUT", "DELETE", "PATCH", "HEADERS" }[random.Next(6)];
        string target = path + random.Next(8) switch
        {
            0 => "?s=model-key&s=note",
            1 => "?nonce=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            2 => "?s=&nonce=&s=%00%ff&" + new string('x', random.Next(1000)),
            3 => "/" + random.Next(10),
            _ => "",
        };
        var request = new HttpRequestMessage(new HttpMethod(method), target)
        {
            Version = random.Next(2) == 0 ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (method is "GET" or "HEADERS" && random.Next(4) > 0)
            return request;
        request.Content = new ByteArrayContent(JsonMutation.Of(Valid(path), random));
        string type = s_contentTypes[random.Next(3) > 0 ? 0 : random.Next(s_contentTypes.Length)];
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (random.Next(8) == 0)
            request.Headers.TransferEncodingChunked = request.Version == HttpVersion.Version11;
        return request;
    }

    // What each path expects; a path that is not known here gets every member that any of them has.
    private string Valid(string path)
    {
        string manifest = _manifest.Text, encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(manifest)), some = Convert.ToBase64String(new byte[32]);
        return path switch
        {
            "/api/v3/manifest" => TestManifest.Request(manifest),
            "/manifest" or "/update" or "/update-manifest" => manifest,
            "/secrets" => $$$"""{"model-key":{"Key":"{{{some}}}"}}""",
            RestPaths.SecretsV3 => TestManifest.Upload(TestManifest.Fingerprint(manifest), ("model-key", new byte[32])),
            _ when path.EndsWith("/secrets", StringComparison.Ordinal) => $$$"""{"secrets":{"model-key":{"Key":"{{{some}}}"},"note":{"Cert":"{{{some}}}","Private":"{{{some}}}"} } }""",
            _ when path.Contains("/update", StringComparison.Ordinal) => $$"""{"manifest":"{{encoded}}"}""",
            _ when path.EndsWith("/recover", StringComparison.Ordinal) => $$"""{"recoverySecret":"{{some}}","recoverySecretSignature":"{{some}}"}""",
            _ when path.EndsWith("/sign-quote", StringComparison.Ordinal) => $$"""{"sgxQuote":"{{some}}"}""",
            _ when path.EndsWith("/monotonic-counter", StringComparison.Ordinal) => """{"name":"one","value":1}""",
            RestPaths.CredentialV3 => $$"""{"blob":"{{some}}","encryptedSecret":"{{some}}"}""",
            _ => $$"""{"manifest":"{{encoded}}","manifestFingerprint":"{{TestManifest.Fingerprint(manifest)}}","secrets":["model-key"],"ownerSignatures":[],"name":"one","value":1}""",
        };
    }

    private static async Task CheckAsync(HttpResponseMessage response, string path, string what)
    {
        int code = (int)response.StatusCode;
        string text = await response.Content.ReadAsStringAsync();
        // MarbleRun answers many of a client's mistakes with 500.
        bool own = path.StartsWith("/api/v3", StringComparison.Ordinal);
        Assert.True(s_codes.Contains(code) || (code == 500 && !own), $"{what}: {code} {text}");
        Assert.True(text.EndsWith('\n'), $"{what}: no body in the surface's shape: {code} '{text}'");
        JsonElement body = JsonDocument.Parse(text).RootElement;
        Assert.Contains(body.GetProperty("status").GetString(), new[] { "success", "fail", "error" });
        Assert.True(code == 200 == (body.GetProperty("status").GetString() == "success"), $"{what}: {code} {text}");
    }
}

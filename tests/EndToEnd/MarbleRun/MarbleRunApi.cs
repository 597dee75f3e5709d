using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>An answer as it came, for comparison with MarbleRun's own.</summary>
internal sealed record RestAnswer(int Code, string ContentType, string Body)
{
    public JsonNode Data => JsonNode.Parse(Body)!["data"]!;

    public string Message => (string)JsonNode.Parse(Body)!["message"]!;

    public RestAnswer Succeeded()
    {
        Assert.True(Code == 200, $"{Code}: {Body}");
        Assert.Equal("application/json", ContentType);
        return this;
    }

    /// <summary>MarbleRun's error: text/plain, no data.</summary>
    public void IsError(int code, string message) => Assert.Equal(
        (code, "text/plain; charset=utf-8", $$"""{"status":"error","data":null,"message":{{JsonSerializer.Serialize(message, Exact)}}}""" + "\n"), (Code, ContentType, Body));

    /// <summary>MarbleRun's refusal of a request: application/json, status fail.</summary>
    public void IsFailure(int code, string message) => Assert.Equal(
        (code, "application/json", $$"""{"status":"fail","data":null,"message":{{JsonSerializer.Serialize(message, Exact)}}}""" + "\n"), (Code, ContentType, Body));

    private static JsonSerializerOptions Exact { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>Speaks to the client API as MarbleRun's Go client does under <c>--insecure</c>: HTTP/2, a client certificate, no content type.</summary>
internal sealed class MarbleRunApi : IDisposable
{
    private readonly HttpClient _http;

    public MarbleRunApi(Uri address, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, presented, _, _) => (Root = presented is null ? null : X509CertificateLoader.LoadCertificate(presented.GetRawCertData())) is not null,
            },
        };
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }
        _http = new HttpClient(handler) { BaseAddress = address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
    }

    /// <summary>What the server presented in the last handshake.</summary>
    public X509Certificate2? Root { get; private set; }

    public Task<RestAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<RestAnswer> PostAsync(string path, string body = "") => SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body));

    /// <summary>A v2 request whose only member is a manifest.</summary>
    public Task<RestAnswer> PostManifestAsync(string path, string manifest) =>
        PostAsync(path, JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }));

    public async Task<RestAnswer> SendAsync(HttpMethod method, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (body is not null)
            request.Content = new ByteArrayContent(body);
        using HttpResponseMessage answer = await _http.SendAsync(request);
        Assert.Equal(HttpVersion.Version20, answer.Version);
        return new RestAnswer((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString() ?? "", await answer.Content.ReadAsStringAsync());
    }

    public async Task<int> StatusAsync() => (int)(await GetAsync("/api/v2/status")).Succeeded().Data["code"]!;

    public async Task<RestAnswer> RecoverAsync(byte[] secret, byte[] signature) =>
        await PostAsync("/api/v2/recover", JsonSerializer.Serialize(new { recoverySecret = secret, recoverySecretSignature = signature }));

    public void Dispose()
    {
        _http.Dispose();
        Root?.Dispose();
    }
}

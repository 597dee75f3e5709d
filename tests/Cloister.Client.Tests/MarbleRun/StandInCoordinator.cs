using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Cloister.Client.Tests.MarbleRun;

/// <summary>
/// A server that answers in the shapes of MarbleRun's REST versions 1 and 2: self-signed P-384 root over TLS, client certificates asked
/// for, JSend envelopes, 405 for what it has not. Each answer is set by the test; each request is kept.
/// </summary>
internal sealed class StandInCoordinator : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384), _intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    private StandInCoordinator()
    {
        DateTimeOffset from = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), until = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var rootRequest = new CertificateRequest("CN=MarbleRun Coordinator", _rootKey, HashAlgorithmName.SHA384);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Root = rootRequest.CreateSelfSigned(from, until);
        var intermediateRequest = new CertificateRequest("CN=MarbleRun Coordinator - Intermediate CA", _intermediateKey, HashAlgorithmName.SHA384);
        intermediateRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Intermediate = intermediateRequest.Create(Root, from, until, [1, 2, 3]);

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
        {
            https.ServerCertificate = X509CertificateLoader.LoadPkcs12(Root.Export(X509ContentType.Pkcs12), null);
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        })));
        _server = builder.Build();
        _server.Run(AnswerAsync);
    }

    public X509Certificate2 Root { get; }
    public X509Certificate2 Intermediate { get; }
    public string Chain => Intermediate.ExportCertificatePem() + "\n" + Root.ExportCertificatePem() + "\n";
    public ReadOnlyMemory<byte> RootKey => Root.PublicKey.ExportSubjectPublicKeyInfo();
    public Uri Address { get; private set; } = null!;

    /// <summary>By "METHOD /path": status and data, or the text of an error.</summary>
    public Dictionary<string, (int Status, JsonNode? Data, string? Message)> Answers { get; } = [];

    /// <summary>What was asked, in order: "METHOD /path?query", the body, and the key of the client's certificate.</summary>
    public List<(string Request, string Body, byte[]? ClientKey)> Requests { get; } = [];

    /// <summary>Makes the quote for a nonce; null answers as a simulating coordinator.</summary>
    public Func<byte[], byte[]>? Quote { get; set; }

    public static async Task<StandInCoordinator> StartAsync()
    {
        var server = new StandInCoordinator();
        await server._server.StartAsync();
        server.Address = new Uri(server._server.Urls.First().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        return server;
    }

    public void Succeeds(string request, JsonNode? data) => Answers[request] = (200, data, null);

    public void Fails(string request, int status, string message) => Answers[request] = (status, null, message);

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        string body = await reader.ReadToEndAsync(), key = $"{http.Request.Method} {http.Request.Path}";
        lock (Requests)
            Requests.Add((key + http.Request.QueryString, body, http.Connection.ClientCertificate?.PublicKey.ExportSubjectPublicKeyInfo()));
        if (key == "GET /api/v2/quote" && !Answers.ContainsKey(key))
        {
            byte[] nonce = http.Request.Query["nonce"] is [{ } text] ? Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/')) : [];
            await WriteAsync(http, 200, new JsonObject { ["status"] = "success", ["data"] = new JsonObject { ["cert"] = Chain, ["quote"] = Quote is null ? null : Convert.ToBase64String(Quote(nonce)) } });
            return;
        }
        if (!Answers.TryGetValue(key, out var answer))
        {
            await WriteAsync(http, 405, new JsonObject { ["status"] = "error", ["data"] = null });
            return;
        }
        await WriteAsync(http, answer.Status, answer.Status == 200
            ? new JsonObject { ["status"] = "success", ["data"] = answer.Data?.DeepClone() }
            : new JsonObject { ["status"] = "error", ["data"] = null, ["message"] = answer.Message });
    }

    private static Task WriteAsync(HttpContext http, int status, JsonObject body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = status == 200 ? "application/json" : "text/plain; charset=utf-8";
        return http.Response.WriteAsync(body.ToJsonString(new JsonSerializerOptions { WriteIndented = false }) + "\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _rootKey.Dispose();
        _intermediateKey.Dispose();
        Root.Dispose();
        Intermediate.Dispose();
    }
}

using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Client.Tests.Encrypted;

/// <summary>A server of one compiled model, in process: it computes for real, keeps every byte that arrived, and misbehaves where a test asks it to.</summary>
internal sealed class EncryptedFake : HttpMessageHandler
{
    private readonly byte[] _owner = SHA256.HashData("caller"u8);
    private byte[] _master = RandomNumberGenerator.GetBytes(32);

    public EncryptedFake(CompiledModel model) => (Model, Description) = (model, ClientSpecificationJson.Write(model.Client));

    public static CompiledModel Compiled { get; } = Compile(circuitPrivacy: false);

    public CompiledModel Model { get; }

    public byte[] Description { get; set; }

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>All bytes of all requests: lines, headers and bodies.</summary>
    public MemoryStream Arrived { get; } = new();

    public List<string> Paths { get; } = [];

    /// <summary>Changes an envelope that is on its way to the client.</summary>
    public Func<EnvelopeHeader, byte[], byte[]> Deliver { get; set; } = (_, envelope) => envelope;

    /// <summary>Changes an answer before it is sealed.</summary>
    public Func<byte[], byte[]> Compute { get; set; } = answer => answer;

    /// <summary>Answers a registration with something else.</summary>
    public Func<string, string> Register { get; set; } = json => json;

    /// <summary>A model of two features and two classes: 2 a - b + 0.25.</summary>
    public static CompiledModel Compile(bool circuitPrivacy)
    {
        var random = new Random(1);
        double[][] table = [.. Enumerable.Range(0, 200).Select(_ => new[] { random.NextDouble(), random.NextDouble() * 10 })];
        var model = new LinearModel { Features = ["a", "b"], Weights = [[2, -1]], Intercepts = [0.25], Link = LinkFunction.Logistic, Classes = ["no", "yes"] };
        return LinearCompiler.Compile(model, table, new LinearOptions { Name = "compiled", CircuitPrivacy = circuitPrivacy });
    }

    public void Forget() => _master = RandomNumberGenerator.GetBytes(32);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        byte[] body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken) : [];
        Arrived.Write(Encoding.UTF8.GetBytes($"{request}"));
        Arrived.Write(body);
        string path = request.RequestUri!.AbsolutePath;
        Paths.Add(path);
        return path switch
        {
            "/v2/models/spam/encrypted" => Reply(Description, "application/json"),
            "/v2/models/spam/encrypted/keys" => Reply(Encoding.UTF8.GetBytes(Register(Registration(body))), "application/json"),
            "/v2/models/spam/encrypted/infer" => Infer(body),
            _ => Refuse(HttpStatusCode.NotFound, 100, "there is no such model"),
        };
    }

    private string Registration(byte[] body)
    {
        using JsonDocument json = JsonDocument.Parse(body);
        string id = json.RootElement.GetProperty("keyId").GetString()!;
        Assert.True(KeyId.TryParse(id, out KeyId keyId));
        using EnvelopeKey key = EnvelopeKey.Derive(_master, Convert.FromHexString(Model.Client.Digest), keyId, _owner);
        return $$"""{"keyId":"{{id}}","owner":"{{Convert.ToHexStringLower(_owner)}}","envelopeKey":"{{Convert.ToBase64String(key.Span)}}","expires":"{{DateTimeOffset.UtcNow + Lifetime:O}}"}""";
    }

    private HttpResponseMessage Infer(byte[] body)
    {
        EnvelopeHeader header = Envelope.ReadHeader(body);
        using EnvelopeKey key = EnvelopeKey.Derive(_master, Convert.FromHexString(Model.Client.Digest), header.KeyId, _owner);
        try
        {
            byte[] opened = Envelope.Open(body, header with { Kind = EnvelopeKind.Query }, key);
            using EncryptedQuery query = QueryFormat.Read(opened, Model.Parameters, Model.Client);
            using EncryptedAnswer answer = Model.Evaluate(query, AnswerForm.Compact, default);
            query.PublicKey?.Dispose();
            byte[] written = Compute(AnswerFormat.Write(answer, Model.Parameters, Model.Client));
            return Reply(Deliver(header, Envelope.Seal(header with { Kind = EnvelopeKind.Answer }, written, key)), "application/octet-stream");
        }
        catch (HomomorphicException refusal) when (refusal.Error == HomomorphicError.EnvelopeNotAuthentic)
        {
            return Refuse(HttpStatusCode.BadRequest, 721, "unknown or expired key: register again");
        }
    }

    private static HttpResponseMessage Reply(byte[] body, string type)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new(type);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }

    private static HttpResponseMessage Refuse(HttpStatusCode status, int number, string reason) =>
        new(status) { Content = new StringContent($$"""{"error":"{{reason}}","number":{{number}}}""") };
}

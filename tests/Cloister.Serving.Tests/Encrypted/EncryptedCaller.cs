using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using Cloister.Homomorphic.Wire.Seal;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>A client of one encrypted model, with its own key: what travels is made here, step by step, so that a test can break any of it.</summary>
internal sealed class EncryptedCaller : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _address;
    private readonly SecretKey _key;
    private readonly PublicKey? _public;

    private EncryptedCaller(HttpClient http, string address, ClientSpecification specification)
    {
        (_http, _address) = (http, address);
        Client = ModelClients.Create(specification);
        _key = SecretKey.Generate(Client.Parameters);
        _public = specification.Parameters.CircuitPrivacy ? PublicKey.Of(_key) : null;
    }

    public ModelClient Client { get; }

    public KeyId KeyId { get; } = KeyId.Random();

    public byte[] Owner { get; private set; } = [];

    public byte[] EnvelopeKey { get; private set; } = [];

    public DateTimeOffset Expires { get; private set; }

    /// <summary>Fetches the specification and registers a key.</summary>
    public static async Task<EncryptedCaller> JoinAsync(TestServer server, string model, string? token = null)
    {
        HttpClient http = server.CreateClient();
        if (token is not null) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        string address = $"/v2/models/{model}/encrypted";
        var caller = new EncryptedCaller(http, address, ClientSpecificationJson.Read(await http.GetByteArrayAsync(address)));
        await caller.RegisterAsync();
        return caller;
    }

    public async Task RegisterAsync()
    {
        (HttpStatusCode status, JsonNode answer) = await RegisterAsync($$"""{"keyId":"{{KeyId}}"}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(KeyId.ToString(), (string)answer["keyId"]!);
        (Owner, EnvelopeKey) = (Convert.FromHexString((string)answer["owner"]!), Convert.FromBase64String((string)answer["envelopeKey"]!));
        Expires = DateTimeOffset.Parse((string)answer["expires"]!, System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task<(HttpStatusCode Status, JsonNode Answer)> RegisterAsync(string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await _http.PostAsync(_address + "/keys", content);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    /// <summary>A query's envelope, and the header that its answer must have but for the kind.</summary>
    public (byte[] Envelope, EnvelopeHeader Header) Query(IReadOnlyList<double[]> rows, Func<EnvelopeHeader, EnvelopeHeader>? change = null)
    {
        using ClientQuery query = Client.Encrypt(rows, _key, _public);
        return Wrap(QueryFormat.Write(query, Client.Specification), change);
    }

    public (byte[] Envelope, EnvelopeHeader Header) Wrap(byte[] body, Func<EnvelopeHeader, EnvelopeHeader>? change = null)
    {
        var header = new EnvelopeHeader(EnvelopeKind.Query, Convert.FromHexString(Client.Specification.Digest), KeyId, Owner, Envelope.NewRequestId());
        if (change is not null) header = change(header);
        using var key = new EnvelopeKey(EnvelopeKey);
        return (Envelope.Seal(header, body, key), header);
    }

    public IReadOnlyList<ModelAnswer> Open(byte[] envelope, EnvelopeHeader asked, int rows)
    {
        using var key = new EnvelopeKey(EnvelopeKey);
        byte[] body = Envelope.Open(envelope, asked with { Kind = EnvelopeKind.Answer }, key);
        using EncryptedAnswer answer = AnswerFormat.Read(body, Client.Parameters, Client.Specification, rows);
        return Client.Decrypt(answer, _key);
    }

    /// <summary>The same with ciphertexts that SEAL of this version would have written.</summary>
    public (byte[] Envelope, EnvelopeHeader Header) SealQuery(IReadOnlyList<double[]> rows, SealVersion version)
    {
        using ClientQuery query = Client.Encrypt(rows, _key, _public);
        using EncryptedQuery expanded = query.Expand();
        byte[] publicKey = _public is null ? [] : SealFormat.WritePublicKey(_public, version);
        byte[] body = [.. BitConverter.GetBytes(rows.Count), .. publicKey, .. expanded.Ciphertexts.SelectMany(ciphertext => SealFormat.Encrypt(Encryption.Decrypt(ciphertext, _key), _key, version))];
        return Wrap(body, header => header with { Kind = EnvelopeKind.SealQuery });
    }

    /// <summary>Reads an answer of SEAL's ciphertexts, which must be of this version.</summary>
    public IReadOnlyList<ModelAnswer> OpenSeal(byte[] envelope, EnvelopeHeader asked, SealVersion version)
    {
        using var key = new EnvelopeKey(EnvelopeKey);
        ReadOnlySpan<byte> body = Envelope.Open(envelope, asked with { Kind = EnvelopeKind.SealAnswer }, key);
        int rows = BitConverter.ToInt32(body);
        var ciphertexts = new List<Ciphertext>();
        for (body = body[sizeof(int)..]; body.Length > 0; body = body[SealFormat.LengthOf(body)..])
        {
            ciphertexts.Add(SealFormat.ReadCiphertext(body[..SealFormat.LengthOf(body)], Client.Parameters, out SealVersion written));
            Assert.Equal(version, written);
        }
        using var answer = new EncryptedAnswer(rows, ciphertexts);
        return Client.Decrypt(answer, _key);
    }

    public async Task<IReadOnlyList<ModelAnswer>> AskAsync(IReadOnlyList<double[]> rows)
    {
        (byte[] envelope, EnvelopeHeader header) = Query(rows);
        (HttpStatusCode status, byte[] answer) = await SendAsync(envelope);
        Assert.True(status == HttpStatusCode.OK, Encoding.UTF8.GetString(answer));
        return Open(answer, header, rows.Count);
    }

    public async Task<(HttpStatusCode Status, byte[] Answer)> SendAsync(byte[] envelope)
    {
        using HttpResponseMessage response = await PostAsync(envelope);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    public async Task<HttpResponseMessage> PostAsync(byte[] envelope)
    {
        using var content = new ByteArrayContent(envelope);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await _http.PostAsync(_address + "/infer", content);
    }

    /// <summary>Expects a refusal; gives its text.</summary>
    public async Task<string> RefusedAsync(byte[] envelope, HttpStatusCode status, ServingError error)
    {
        (HttpStatusCode given, byte[] answer) = await SendAsync(envelope);
        string text = Encoding.UTF8.GetString(answer);
        Assert.True(given == status, text);
        JsonNode refusal = JsonNode.Parse(text)!;
        Assert.Equal((int)error, (int)refusal["number"]!);
        return (string)refusal["error"]!;
    }

    public void Dispose()
    {
        _http.Dispose();
        _key.Dispose();
        _public?.Dispose();
    }
}

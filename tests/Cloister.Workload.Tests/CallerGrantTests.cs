using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Protocol.Marble;
using Cloister.Tests.Mesh;
using Google.Protobuf;

namespace Cloister.Workload.Tests;

/// <summary>Callers on their way from the manifest, through a real coordinator, to the workload; and what of a wrong answer is refused.</summary>
public sealed class CallerGrantTests : IAsyncLifetime, IDisposable
{
    private const string Keys = """{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed"}]}""";

    private readonly X509Certificate2 _authority = Authority();
    private TestMesh _mesh = null!;
    private WorkloadKey _key = null!;
    private ActivationResp _answer = null!;
    private ActivationExpectation _expected = null!;

    public async Task InitializeAsync()
    {
        _mesh = await TestMesh.StartAsync(withManifest: false);
        await _mesh.SetManifestAsync(Manifest());
        await _mesh.SetModelKeyAsync();
        _key = new WorkloadKey();
        using X509Certificate2 temporary = _key.CreateSelfSigned(DateTimeOffset.UtcNow);
        ExchangeContext context = _mesh.Activator().CreateContext();
        var (answer, coordinator) = await ActivationExchange.RunAsync(context, _key, SslStreamCertificateContext.Create(temporary, null, offline: true), renewal: false, (_, _) => { }, CancellationToken.None);
        (_answer, _expected) = (answer, new ActivationExpectation(TestMesh.Type, context.Uuid, _key, coordinator, DateTimeOffset.UtcNow));
    }

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    public void Dispose()
    {
        _key.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void Everything_about_callers_arrives()
    {
        using Activation activation = ActivationAnswer.Read(_answer, _expected, _mesh.WorkloadIssuer);
        CallerRights rights = activation.Rights;
        Assert.Equal(["admin", "anna", "mesh", "science"], rights.Callers.Select(caller => caller.Name));
        CallerGrant admin = rights.Callers[0], anna = rights.Callers[1], mesh = rights.Callers[2], science = rights.Callers[3];
        Assert.Equal((0, "models"), (admin.Models.Count, Assert.Single(admin.Administers)));
        Assert.Equal(
            [new LimitsGrant("") { Requests = 10, Interval = TimeSpan.FromMinutes(1), Burst = 20, Concurrent = 2 }, new LimitsGrant("digits") { Bytes = 5, Elements = 6, Rows = 7 }],
            anna.Limits);
        Assert.Equal(("spiffe://example/*", ""), (mesh.CertificateFrom!.Uri, mesh.CertificateFrom.CommonName));
        Assert.Equal(_authority.RawData, mesh.CertificateFrom.Authority.ToArray());
        Assert.Equal([1, 0], Assert.Single(mesh.CertificateFrom.Revoked).ToArray());
        Assert.Equal("login", science.Token!.Issuer);
        Assert.Equal(["ml", "ops"], science.Token.Claims["groups"]);
        // An issuer whom no caller of this workload names stays away.
        TokenIssuerGrant issuer = Assert.Single(rights.TokenIssuers);
        Assert.Equal(("login", "https://login.example", "https://keys.example/jwks"), (issuer.Name, issuer.Issuer, issuer.KeysAddress!.AbsoluteUri));
        Assert.Equal(["models"], issuer.Audiences);
        Assert.Equal(["EdDSA"], issuer.Algorithms);
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(600), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(120)), (issuer.ClockSkew, issuer.MaxLifetime, issuer.Refresh, issuer.Stale));
        Assert.Equal("ed", JsonNode.Parse(issuer.Keys.Span)!["keys"]![0]!["kid"]!.GetValue<string>());
        Assert.Equal(_authority.RawData, issuer.KeysRoot.ToArray());
        Assert.Equal(new LimitsGrant("") { Concurrent = 3 }, Assert.Single(rights.AnonymousLimits));
    }

    [Fact]
    public void Callers_that_are_none_are_refused()
    {
        Refused(a => Of(a, "science").TokenSha256 = ByteString.CopyFrom(new byte[32]), "credential");
        Refused(a => Of(a, "science").Token = null, "credential");
        Refused(a => Of(a, "mesh").Token = Of(a, "science").Token, "credential");
        Refused(a => Of(a, "science").Token.Issuer = "other", "not there");
        Refused(a => Of(a, "science").Token.Any = true, "claims");
        Refused(a => Of(a, "science").Token.Claims.Clear(), "claims");
        Refused(a => Of(a, "science").Token.Claims[0].Values.Clear(), "claims");
        Refused(a => Of(a, "science").Token.Claims.Add(Of(a, "science").Token.Claims[0].Clone()), "claims");
        Refused(a => Of(a, "mesh").CertificateFrom.Authority = ByteString.CopyFrom([1]), "certificate rule");
        using X509Certificate2 leaf = TestCertificate.Create();
        Refused(a => Of(a, "mesh").CertificateFrom.Authority = ByteString.CopyFrom(leaf.RawData), "certificate rule");
        Refused(a => Of(a, "mesh").CertificateFrom.Uri = "", "certificate rule");
        Refused(a => Of(a, "mesh").CertificateFrom.Revoked.Add(ByteString.CopyFrom(new byte[22])), "certificate rule");
        Refused(a => Of(a, "admin").Administers.Add(""), "no name");
        Refused(a => Of(a, "anna").Limits[0].Seconds = 0, "limits");
        Refused(a => Of(a, "anna").Limits[0].Requests = ulong.MaxValue, "limits");
        Refused(a => Of(a, "anna").Limits.Add(Of(a, "anna").Limits[0].Clone()), "limits");
        Refused(a => a.AnonymousLimits[0].Concurrent = uint.MaxValue, "limits");
        Refused(a => Of(a, "anna").Limits.AddRange(Enumerable.Range(0, 200_000).Select(i => new Protocol.Marble.LimitsGrant { Model = $"m{i}", Seconds = 1 })), "too much");
    }

    [Fact]
    public void Issuers_that_are_none_are_refused()
    {
        Refused(a => a.TokenIssuers.Add(a.TokenIssuers[0].Clone()), "twice");
        Refused(a => a.TokenIssuers[0].Issuer = "", "without a name");
        Refused(a => a.TokenIssuers[0].Audiences.Clear(), "without a name");
        Refused(a => a.TokenIssuers[0].Keys = ByteString.CopyFromUtf8("{}"), "no keys");
        Refused(a => { a.TokenIssuers[0].Keys = ByteString.Empty; a.TokenIssuers[0].KeysAddress = ""; }, "no keys");
        Refused(a => a.TokenIssuers[0].KeysAddress = "http://keys.example", "https");
        Refused(a => a.TokenIssuers[0].KeysRoot = ByteString.Empty, "https");
        Refused(a => a.TokenIssuers[0].Algorithms.Add("none"), "algorithm");
        Refused(a => a.TokenIssuers[0].MaxLifetimeSeconds = 0, "times");
        Refused(a => a.TokenIssuers[0].ClockSkewSeconds = 301, "times");
    }

    [Fact]
    public void Hostile_answers_are_refused_and_nothing_else() =>
        Mutations.Drive(m => ActivationAnswer.Fuzz(m.Span, _expected, _mesh.WorkloadIssuer), 2_000, _answer.ToByteArray());

    private string Manifest()
    {
        JsonNode manifest = JsonNode.Parse(_mesh.Manifest())!;
        string pem = _authority.ExportCertificatePem();
        manifest["TokenIssuers"] = new JsonObject
        {
            ["login"] = new JsonObject
            {
                ["Issuer"] = "https://login.example", ["Audience"] = "models", ["Keys"] = JsonNode.Parse(Keys), ["KeysAddress"] = "https://keys.example/jwks", ["KeysRoot"] = pem,
                ["Algorithms"] = new JsonArray("EdDSA"), ["ClockSkewSeconds"] = 30, ["MaxLifetimeSeconds"] = 600, ["RefreshSeconds"] = 60, ["StaleSeconds"] = 120,
            },
            ["unused"] = new JsonObject { ["Issuer"] = "https://unused.example", ["Audience"] = "models", ["Keys"] = JsonNode.Parse(Keys) },
        };
        JsonObject callers = manifest["Callers"]!.AsObject();
        callers["anna"]!["Quota"] = JsonNode.Parse("""{"Requests":10,"Seconds":60,"Burst":20,"Concurrent":2,"Models":{"digits":{"Bytes":5,"Elements":6,"Rows":7}}}""");
        callers["science"] = JsonNode.Parse("""{"Token":{"Issuer":"login","Claims":{"groups":["ml","ops"]}},"Models":["digits"]}""");
        callers["mesh"] = new JsonObject { ["CertificateFrom"] = new JsonObject { ["Authority"] = pem, ["Uri"] = "spiffe://example/*", ["Revoked"] = new JsonArray("0100") }, ["Models"] = new JsonArray("digits") };
        callers["admin"] = JsonNode.Parse($$"""{"TokenSha256":"{{new string('a', 64)}}","Administers":["models"]}""");
        manifest["AnonymousQuota"] = JsonNode.Parse("""{"Concurrent":3}""");
        return manifest.ToJsonString();
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=clients", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }

    private static Protocol.Marble.CallerGrant Of(ActivationResp answer, string name) => answer.Callers.Single(caller => caller.Name == name);

    private void Refused(Action<ActivationResp> change, string because)
    {
        ActivationResp changed = _answer.Clone();
        change(changed);
        var e = Assert.Throws<WorkloadException>(() => ActivationAnswer.Read(changed, _expected, _mesh.WorkloadIssuer));
        Assert.Equal(WorkloadError.InvalidAnswer, e.Error);
        Assert.Contains(because, e.Message, StringComparison.Ordinal);
    }
}

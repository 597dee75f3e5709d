using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

/// <summary>Callers, token issuers and quotas of a manifest, and every problem they can have.</summary>
public sealed class CallerManifestTests
{
    private const string Keys = """{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ed"}]}""";

    private static readonly string s_authority = Authority();

    [Fact]
    public void A_manifest_with_every_kind_of_caller_is_read()
    {
        ManifestOutcome outcome = ManifestSamples.Read(Full());
        Assert.Empty(outcome.Problems);
        Assert.Empty(outcome.Warnings);
        ManifestDocument manifest = outcome.Document;
        ManifestTokenIssuer login = manifest.TokenIssuers["login"];
        Assert.Equal(("https://login.example", 30u, 600u), (login.Issuer, login.ClockSkewSeconds, login.MaxLifetimeSeconds));
        Assert.Equal(["models", "models-v2"], login.Audiences.ToArray());
        Assert.Equal(["EdDSA"], login.Algorithms.ToArray());
        Assert.Equal("ed", JsonNode.Parse(login.Keys.Span)!["keys"]![0]!["kid"]!.GetValue<string>());
        ManifestTokenIssuer fetched = manifest.TokenIssuers["fetched"];
        Assert.Equal(("https://keys.example/jwks", 60u, 86_400u, 300u, 3_600u), (fetched.KeysAddress, fetched.ClockSkewSeconds, fetched.MaxLifetimeSeconds, fetched.RefreshSeconds, fetched.StaleSeconds));
        Assert.True(fetched.Keys.IsEmpty && !fetched.KeysRootDer.IsEmpty);
        ManifestTokenRule science = manifest.Callers["science"].Token!;
        Assert.Equal(("login", false), (science.Issuer, science.Any));
        Assert.Equal(["ml", "ops"], science.Claims["groups"].ToArray());
        Assert.Equal(["alice"], science.Claims["sub"].ToArray());
        Assert.True(manifest.Callers["everybody"].Token!.Any);
        ManifestCertificateRule mesh = manifest.Callers["mesh"].CertificateFrom!;
        Assert.Equal(("spiffe://example/ml/*", "", "*.ml.example", ""), (mesh.Uri, mesh.CommonName, mesh.Dns, mesh.Email));
        Assert.Equal([[1, 0], [0xAB]], mesh.Revoked.Select(serial => serial.ToArray()));
        ManifestQuota quota = manifest.Callers["shop"].Quota!;
        Assert.Equal((100UL, 60u, 200UL, 4u), (quota.Limits.Requests, quota.Limits.Seconds, quota.Limits.Burst, quota.Limits.Concurrent));
        Assert.Equal((1u, 5UL, 6UL, 7UL), (quota.Models["digits"].Seconds, quota.Models["digits"].Bytes, quota.Models["digits"].Elements, quota.Models["digits"].Rows));
        Assert.Equal(1u, manifest.AnonymousQuota!.Limits.Concurrent);
        Assert.Equal([ManifestAdministration.Models], manifest.Callers["admin"].Administers.ToArray());
    }

    [Fact]
    public void Marble_runs_dialect_does_not_see_them()
    {
        ManifestOutcome outcome = ManifestReader.Read(Encoding.UTF8.GetBytes("""{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p"}},"TokenIssuers":7,"AnonymousQuota":"x"}"""), ManifestDialect.MarbleRun);
        Assert.True(outcome.IsAccepted);
        Assert.Empty(outcome.Document.TokenIssuers);
        Assert.Null(outcome.Document.AnonymousQuota);
    }

    [Fact]
    public void A_caller_has_exactly_one_credential()
    {
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.science", manifest => Caller(manifest, "science")["TokenSha256"] = ManifestSamples.Digest);
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.mesh", manifest => Caller(manifest, "mesh")["Token"] = new JsonObject { ["Issuer"] = "login", ["Any"] = true });
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.science", manifest => Caller(manifest, "science")["Token"] = null, ignoreWarnings: true);
        Refused(ManifestProblemCode.CallerCredentialRepeated, "Callers.zweite", manifest => manifest["Callers"]!["zweite"] = Caller(manifest, "science").DeepClone());
        Refused(ManifestProblemCode.CallerCredentialRepeated, "Callers.zweite", manifest => manifest["Callers"]!["zweite"] = Caller(manifest, "mesh").DeepClone());
    }

    [Fact]
    public void Token_rules_are_checked()
    {
        Refused(ManifestProblemCode.CallerTokenWrong, "Callers.science.Token.Issuer", manifest => Caller(manifest, "science")["Token"]!["Issuer"] = "nobody");
        Refused(ManifestProblemCode.CallerTokenWrong, "Callers.science.Token.Claims", manifest => Caller(manifest, "science")["Token"]!["Any"] = true);
        Refused(ManifestProblemCode.CallerTokenWrong, "Callers.science.Token.Claims", manifest => Caller(manifest, "science")["Token"]!["Claims"] = new JsonObject());
        Refused(ManifestProblemCode.CallerTokenWrong, "Callers.science.Token.Claims.sub", manifest => Caller(manifest, "science")["Token"]!["Claims"]!["sub"] = new JsonArray());
        Refused(ManifestProblemCode.CallerTokenWrong, "Callers.science.Token.Claims.sub", manifest => Caller(manifest, "science")["Token"]!["Claims"]!["sub"] = "");
        Refused(ManifestProblemCode.WrongType, "Callers.science.Token.Claims.sub", manifest => Caller(manifest, "science")["Token"]!["Claims"]!["sub"] = 7);
        Refused(ManifestProblemCode.UnknownMember, "Callers.science.Token.Subject", manifest => Caller(manifest, "science")["Token"]!["Subject"] = "alice");
    }

    [Fact]
    public void Certificate_rules_are_checked()
    {
        JsonNode Rule(JsonNode manifest) => Caller(manifest, "mesh")["CertificateFrom"]!;
        Refused(ManifestProblemCode.CallerCertificateRuleWrong, "Callers.mesh.CertificateFrom.Authority", manifest => Rule(manifest).AsObject().Remove("Authority"));
        Refused(ManifestProblemCode.CallerCertificateRuleWrong, "Callers.mesh.CertificateFrom.Authority", manifest => Rule(manifest)["Authority"] = "x");
        Refused(ManifestProblemCode.CallerCertificateRuleWrong, "Callers.mesh.CertificateFrom.Authority", manifest => Rule(manifest)["Authority"] = ManifestSamples.Certificate);
        Refused(ManifestProblemCode.CallerCertificateRuleWrong, "Callers.mesh.CertificateFrom", manifest => { Rule(manifest).AsObject().Remove("Uri"); Rule(manifest).AsObject().Remove("Dns"); });
        foreach ((string member, string pattern) in new[] { ("Uri", "*"), ("Uri", "spiffe://*/x"), ("Dns", "*"), ("Dns", "*."), ("Dns", "a.*.b"), ("Dns", "*.*.b"), ("Email", "*@"), ("Email", "a*@b"), ("CommonName", "a*"), ("CommonName", "**") })
            Refused(ManifestProblemCode.CallerCertificateRuleWrong, $"Callers.mesh.CertificateFrom.{member}", manifest => Rule(manifest)[member] = pattern);
        foreach (string serial in new[] { "", "1", "xy", "0x01", new string('1', 44) })
            Refused(ManifestProblemCode.CallerCertificateRuleWrong, "Callers.mesh.CertificateFrom.Revoked.0", manifest => Rule(manifest)["Revoked"] = new JsonArray(serial));
        JsonNode any = Full();
        Rule(any)["CommonName"] = "*";
        Assert.Empty(ManifestSamples.Read(any).Problems);
    }

    [Fact]
    public void Quotas_are_checked()
    {
        JsonNode Quota(JsonNode manifest) => Caller(manifest, "shop")["Quota"]!;
        Refused(ManifestProblemCode.QuotaWrong, "Callers.shop.Quota", manifest => Caller(manifest, "shop")["Quota"] = new JsonObject());
        Refused(ManifestProblemCode.QuotaWrong, "Callers.shop.Quota.Seconds", manifest => Quota(manifest)["Seconds"] = 0);
        Refused(ManifestProblemCode.QuotaWrong, "Callers.shop.Quota.Burst", manifest => Quota(manifest).AsObject().Remove("Requests"));
        Refused(ManifestProblemCode.QuotaWrong, "Callers.shop.Quota.Models.nope", manifest => Quota(manifest)["Models"]!["nope"] = new JsonObject { ["Requests"] = 1 });
        Refused(ManifestProblemCode.WrongType, "Callers.shop.Quota.Requests", manifest => Quota(manifest)["Requests"] = 1.5);
        Refused(ManifestProblemCode.WrongType, "Callers.shop.Quota.Requests", manifest => Quota(manifest)["Requests"] = 1L << 51);
        Refused(ManifestProblemCode.UnknownMember, "Callers.shop.Quota.Models.digits.Models", manifest => Quota(manifest)["Models"]!["digits"]!["Models"] = new JsonObject());
        Refused(ManifestProblemCode.QuotaWrong, "AnonymousQuota", manifest => manifest["AnonymousQuota"] = new JsonObject { ["Seconds"] = 3 });
        Refused(ManifestProblemCode.CallerAdministersWrong, "Callers.admin.Administers", manifest => Caller(manifest, "admin")["Administers"] = new JsonArray("everything"));
        Refused(ManifestProblemCode.CallerModelWrong, "Callers.admin.Models", manifest => Caller(manifest, "admin").AsObject().Remove("Administers"));
    }

    [Fact]
    public void Token_issuers_are_checked()
    {
        JsonNode Login(JsonNode manifest) => manifest["TokenIssuers"]!["login"]!;
        JsonNode Fetched(JsonNode manifest) => manifest["TokenIssuers"]!["fetched"]!;
        Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.Issuer", manifest => Login(manifest)["Issuer"] = "");
        Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.Issuer", manifest => Login(manifest)["Issuer"] = "https://other.example");
        Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.Audience", manifest => Login(manifest).AsObject().Remove("Audience"));
        Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.ClockSkewSeconds", manifest => Login(manifest)["ClockSkewSeconds"] = 301);
        Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.MaxLifetimeSeconds", manifest => Login(manifest)["MaxLifetimeSeconds"] = 0);
        foreach (string algorithm in new[] { "none", "HS256", "RS1", "es256" })
            Refused(ManifestProblemCode.TokenIssuerWrong, "TokenIssuers.login.Algorithms", manifest => Login(manifest)["Algorithms"] = new JsonArray(algorithm));
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.login", manifest => Login(manifest).AsObject().Remove("Keys"));
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.login.Keys", manifest => Login(manifest)["Keys"] = new JsonObject());
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.login.Keys", manifest => Login(manifest)["Keys"]!["keys"]![0]!["d"] = "AAAA");
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.fetched.KeysRoot", manifest => Fetched(manifest).AsObject().Remove("KeysRoot"));
        foreach (string address in new[] { "http://keys.example/jwks", "keys.example", "https://me:you@keys.example", "https://keys.example/#a" })
            Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.fetched.KeysAddress", manifest => Fetched(manifest)["KeysAddress"] = address);
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.fetched.RefreshSeconds", manifest => Fetched(manifest)["RefreshSeconds"] = 1);
        Refused(ManifestProblemCode.TokenIssuerKeysWrong, "TokenIssuers.fetched.StaleSeconds", manifest => Fetched(manifest)["StaleSeconds"] = 299);
        JsonNode unused = Full();
        unused["Callers"]!.AsObject().Remove("everybody");
        Assert.Equal((ManifestProblemCode.TokenIssuerUnused, "TokenIssuers.fetched"), Assert.Single(ManifestSamples.Read(unused).Warnings) is var warning ? (warning.Code, warning.Field) : default);
    }

    [Fact]
    public void Credentials_that_read_alike_are_told_apart()
    {
        JsonNode manifest = Full();
        JsonObject callers = manifest["Callers"]!.AsObject();
        callers["one"] = Token(new JsonObject { ["a"] = "b 1:c=1:d" });
        callers["two"] = Token(new JsonObject { ["a"] = "b", ["c"] = "d" });
        callers["three"] = Token(new JsonObject { ["a"] = new JsonArray("b", "c") });
        callers["four"] = Token(new JsonObject { ["a"] = "b,1:c" });
        Assert.Empty(ManifestSamples.Read(manifest).Problems);
        callers["five"] = Token(new JsonObject { ["a"] = new JsonArray("c", "b") });
        Assert.Equal(ManifestProblemCode.CallerCredentialRepeated, Assert.Single(ManifestSamples.Read(manifest).Problems).Code);

        static JsonObject Token(JsonObject claims) => new() { ["Token"] = new JsonObject { ["Issuer"] = "login", ["Claims"] = claims }, ["Models"] = new JsonArray("digits") };
    }

    [Fact]
    public void Mutations_give_a_manifest_or_problems() => Mutations.Drive(data => ManifestReader.Fuzz(data), 2000, [1, .. Encoding.UTF8.GetBytes(Full().ToJsonString())]);

    private static string Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=clients", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem();
    }

    private static JsonNode Caller(JsonNode manifest, string name) => manifest["Callers"]![name]!;

    private static JsonNode Full()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["TokenIssuers"] = new JsonObject
        {
            ["login"] = new JsonObject
            {
                ["Issuer"] = "https://login.example",
                ["Audience"] = new JsonArray("models", "models-v2"),
                ["Keys"] = JsonNode.Parse(Keys),
                ["Algorithms"] = new JsonArray("EdDSA"),
                ["ClockSkewSeconds"] = 30,
                ["MaxLifetimeSeconds"] = 600,
            },
            ["fetched"] = new JsonObject { ["Issuer"] = "https://other.example", ["Audience"] = "models", ["KeysAddress"] = "https://keys.example/jwks", ["KeysRoot"] = ManifestSamples.OtherCertificate },
        };
        JsonObject callers = manifest["Callers"]!.AsObject();
        callers["shop"]!["Quota"] = JsonNode.Parse("""{"Requests":100,"Seconds":60,"Burst":200,"Concurrent":4,"Models":{"digits":{"Bytes":5,"Elements":6,"Rows":7}}}""");
        callers["science"] = JsonNode.Parse("""{"Token":{"Issuer":"login","Claims":{"sub":"alice","groups":["ml","ops"]}},"Models":["digits"]}""");
        callers["everybody"] = JsonNode.Parse("""{"Token":{"Issuer":"fetched","Any":true},"Models":["digits"]}""");
        callers["mesh"] = new JsonObject
        {
            ["CertificateFrom"] = new JsonObject { ["Authority"] = s_authority, ["Uri"] = "spiffe://example/ml/*", ["Dns"] = "*.ml.example", ["Revoked"] = new JsonArray("0100", "00ab") },
            ["Models"] = new JsonArray("digits"),
        };
        callers["admin"] = JsonNode.Parse("""{"TokenSha256":"aa23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","Administers":["models"]}""");
        manifest["AnonymousQuota"] = JsonNode.Parse("""{"Concurrent":1}""");
        return manifest;
    }

    private static void Refused(ManifestProblemCode code, string field, Action<JsonNode> change, bool ignoreWarnings = false)
    {
        JsonNode manifest = Full();
        change(manifest);
        ManifestOutcome outcome = ManifestSamples.Read(manifest);
        Assert.Equal([(code, field)], outcome.Problems.Select(problem => (problem.Code, problem.Field)));
        Assert.True(ignoreWarnings || outcome.Warnings.All(warning => warning.Code == ManifestProblemCode.TokenIssuerUnused));
    }
}

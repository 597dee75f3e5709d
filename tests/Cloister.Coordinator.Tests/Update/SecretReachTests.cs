using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Update;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>Which changes of a manifest lead a secret anywhere new.</summary>
public sealed class SecretReachTests
{
    private static readonly CertificateAuthority s_authority = CertificateAuthority.Create(["localhost"], DateTimeOffset.UnixEpoch);

    private readonly TestManifest _manifest = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    [Fact]
    public void What_concerns_neither_workload_nor_reader_is_no_wider()
    {
        Narrow(_ => { });
        Narrow(manifest => manifest["Marbles"]!["once"]!["Package"] = "other", manifest => AddPackage(manifest, "other"));
        Narrow(manifest => manifest["Marbles"]!["server"]!["MaxActivations"] = 9);
        Narrow(manifest => manifest["Marbles"]!.AsObject().Remove("once"));
        Narrow(manifest => manifest["Secrets"]!["more"] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true });
        Narrow(manifest => manifest["Users"]!.AsObject().Remove("reader"));
        Narrow(manifest => manifest["Config"] = new JsonObject { ["UpdateThreshold"] = 0 });
        Narrow(manifest => AddModel(manifest, "letters", "note-key"));
    }

    [Fact]
    public void A_model_that_goes_takes_away()
    {
        Narrow(manifest =>
        {
            manifest["Marbles"]!["server"]!.AsObject().Remove("Models");
            manifest["Models"] = new JsonObject();
            manifest["Callers"] = new JsonObject();
        });
    }

    [Fact]
    public void The_package_of_a_workload_that_has_it_is_compared()
    {
        Wider(manifest => manifest["Packages"]!["serving"]!["Simulation"]!["Digest"] = new string('2', 64));
        Wider(manifest => AnyOfAnother(manifest["Packages"]!.AsObject(), "serving"));
        Wider(manifest =>
        {
            AddPackage(manifest, "other");
            manifest["Marbles"]!["server"]!["Package"] = "other";
        });
    }

    [Fact]
    public void All_that_such_a_workload_is_given_is_compared()
    {
        JsonNode Parameters(JsonObject manifest) => manifest["Marbles"]!["server"]!["Parameters"]!;
        Wider(manifest => Parameters(manifest)["Argv"] = new JsonArray("serve", "--log-everything"));
        Wider(manifest => Parameters(manifest)["Env"]!["PLAIN"] = "other");
        Wider(manifest => Parameters(manifest)["Env"]!["LD_PRELOAD"] = "x");
        Wider(manifest => Parameters(manifest)["Env"]!.AsObject().Remove("PLAIN"));
        Wider(manifest => Parameters(manifest)["Files"]!["/tmp/more"] = "x");
        Wider(manifest => Parameters(manifest)["Files"]!["/tmp/own"] = new JsonObject { ["Data"] = "{{ raw .Secrets.own }}", ["NoTemplates"] = true });
    }

    [Fact]
    public void Another_workload_that_comes_to_use_it_is_wider()
    {
        Wider(manifest => manifest["Marbles"]!["free"]!["Models"] = new JsonArray("digits"));
        Wider(manifest => manifest["Marbles"]!["new"] = new JsonObject { ["Package"] = "serving", ["Models"] = new JsonArray("digits") });
        Wider(manifest => manifest["Marbles"]!["free"]!["Parameters"] = new JsonObject { ["Env"] = new JsonObject { ["K"] = "{{ hex (index .Secrets \"model-key\") }}" } });
        Wider(manifest => manifest["Marbles"]!["free"]!["Parameters"] = new JsonObject { ["Env"] = new JsonObject { ["K"] = "{{ hex (index .Previous.Secrets \"model-key\") }}" } });
        Wider(manifest => manifest["Marbles"]!["free"]!["Parameters"] = new JsonObject { ["Env"] = new JsonObject { ["K"] = "{{ range $n, $s := .Secrets }}{{ if $s.UserDefined }}{{ hex $s }}{{ end }}{{ end }}" } });
    }

    [Fact]
    public void The_models_it_opens_and_their_callers_are_compared()
    {
        Wider(manifest => manifest["Models"]!["digits"]!["Digest"] = new string('c', 64));
        Wider(manifest => manifest["Models"]!["digits"]!["MinimumVersion"] = 2);
        Wider(manifest => AddModel(manifest, "letters", "model-key"));
        Wider(manifest => manifest["AnonymousModels"] = new JsonArray("digits"));
        Wider(manifest => manifest["Callers"]!["other"] = new JsonObject { ["TokenSha256"] = new string('d', 64), ["Models"] = new JsonArray("digits") });
        Narrow(manifest => manifest["Callers"]!.AsObject().Remove("app"));
        Narrow(manifest => manifest["Callers"]!["app"]!["Quota"] = new JsonObject { ["Requests"] = 1 });
        Narrow(manifest =>
        {
            manifest["Callers"]!["renamed"] = manifest["Callers"]!["app"]!.DeepClone();
            manifest["Callers"]!.AsObject().Remove("app");
        });
    }

    [Fact]
    public void How_its_models_are_protected_is_compared()
    {
        JsonNode Model(JsonObject manifest) => manifest["Models"]!["digits"]!;
        void Partitioned(JsonObject manifest)
        {
            Model(manifest)["Mode"] = "partitioned";
            Model(manifest)["Partition"] = new JsonObject { ["MinimumScores"] = new JsonObject { ["pictures"] = 0.5 } };
        }

        Wider(manifest => Model(manifest)["Mode"] = "enclave");
        Wider(Partitioned);
        Wider(Partitioned, manifest => Model(manifest)["Mode"] = "enclave");
        Wider(manifest => Model(manifest).AsObject().Remove("Mode"), manifest => Model(manifest)["Mode"] = "enclave");
        Narrow(_ => { }, Partitioned);
        Narrow(manifest => Model(manifest)["Partition"]!["Assessor"] = Model(manifest)["MakerKey"]!.DeepClone(), Partitioned);
        Wider(manifest => Model(manifest)["Partition"]!["Assessor"] = Convert.ToBase64String(Stranger()), Partitioned);
        Wider(manifest => Model(manifest)["Partition"]!["MinimumScores"]!["pictures"] = 0.4, Partitioned);
        Wider(manifest => Model(manifest).AsObject().Remove("Partition"), Partitioned);
        // Another model's.
        Narrow(manifest => manifest["Models"]!["letters"]!["Mode"] = "enclave", manifest => AddModel(manifest, "letters", "note-key"));
    }

    [Fact]
    public void Running_workloads_go_over_only_where_the_modes_stay()
    {
        ManifestDocument open = Document(_ => { }), enclave = Document(manifest => manifest["Models"]!["digits"]!["Mode"] = "enclave");
        ManifestDocument Partitioned(double pictures) => Document(manifest =>
        {
            manifest["Models"]!["digits"]!["Mode"] = "partitioned";
            manifest["Models"]!["digits"]!["Partition"] = new JsonObject { ["MinimumScores"] = new JsonObject { ["pictures"] = pictures } };
        });
        Assert.True(CarriedWorkloads.Are(enclave, enclave));
        Assert.True(CarriedWorkloads.Are(Partitioned(0.5), Partitioned(0.5)));
        Assert.False(CarriedWorkloads.Are(open, enclave));
        Assert.False(CarriedWorkloads.Are(enclave, open));
        Assert.False(CarriedWorkloads.Are(Partitioned(0.5), enclave));
        Assert.False(CarriedWorkloads.Are(Partitioned(0.5), Partitioned(0.6)));
    }

    private static byte[] Stranger()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportSubjectPublicKeyInfo();
    }

    [Fact]
    public void Whose_tokens_are_taken_is_compared_down_to_the_issuers_keys()
    {
        string pem = TestManifest.Certificate("keys' root").ExportCertificatePem();
        JsonObject Issuer(JsonObject manifest) => manifest["TokenIssuers"]!["login"]!.AsObject();
        void Token(JsonObject manifest)
        {
            manifest["TokenIssuers"] = new JsonObject { ["login"] = JsonNode.Parse("""{"Issuer":"https://login.example","Audience":["a","b"],"Keys":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}""") };
            manifest["Callers"]!["science"] = JsonNode.Parse("""{"Token":{"Issuer":"login","Claims":{"groups":["ml","ops"]}},"Models":["digits"]}""");
        }

        Wider(Token);
        Narrow(_ => { }, Token);
        Narrow(manifest => manifest["Callers"]!.AsObject().Remove("science"), Token);
        Narrow(manifest => Issuer(manifest)["Audience"] = new JsonArray("b", "a"), Token);
        Narrow(manifest => Issuer(manifest)["RefreshSeconds"] = 60, Token);
        Wider(manifest => Issuer(manifest)["Audience"] = "c", Token);
        Wider(manifest => Issuer(manifest)["Issuer"] = "https://evil.example", Token);
        Wider(manifest => Issuer(manifest)["Keys"]!["keys"]![0]!["x"] = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", Token);
        Wider(manifest => { Issuer(manifest)["KeysAddress"] = "https://keys.example"; Issuer(manifest)["KeysRoot"] = pem; }, Token);
        Wider(manifest => Issuer(manifest)["MaxLifetimeSeconds"] = 1_000_000, Token);
        Wider(manifest => manifest["Callers"]!["science"]!["Token"]!["Claims"]!["groups"] = new JsonArray("ml", "ops", "hr"), Token);
        Wider(manifest => manifest["Callers"]!["science"]!["Token"] = JsonNode.Parse("""{"Issuer":"login","Any":true}"""), Token);
    }

    [Fact]
    public void Whose_certificates_are_taken_is_compared_and_a_revoked_one_takes_away()
    {
        JsonNode Rule(JsonObject manifest) => manifest["Callers"]!["mesh"]!["CertificateFrom"]!;
        string pem = Authority();
        void Certificate(JsonObject manifest) => manifest["Callers"]!["mesh"] = new JsonObject
        {
            ["CertificateFrom"] = new JsonObject { ["Authority"] = pem, ["CommonName"] = "web", ["Revoked"] = new JsonArray("01") },
            ["Models"] = new JsonArray("digits"),
        };

        Wider(Certificate);
        Narrow(_ => { }, Certificate);
        Narrow(manifest => Rule(manifest)["Revoked"] = new JsonArray("02", "01"), Certificate);
        Wider(manifest => Rule(manifest)["Revoked"] = new JsonArray("02"), Certificate);
        Wider(manifest => Rule(manifest)["CommonName"] = "*", Certificate);
        Wider(manifest => Rule(manifest)["Authority"] = Authority(), Certificate);
    }

    [Fact]
    public void Another_reader_is_wider_and_another_writer_is_not()
    {
        string stranger = TestManifest.Certificate("stranger").ExportCertificatePem();
        Wider(manifest => manifest["Users"]!["stranger"] = new JsonObject { ["Certificate"] = stranger, ["Roles"] = new JsonArray("reader") });
        Wider(manifest => manifest["Users"]!["reader"]!["Certificate"] = stranger);
        Narrow(manifest => manifest["Users"]!["stranger"] = new JsonObject { ["Certificate"] = stranger, ["Roles"] = new JsonArray("writer") });
    }

    [Fact]
    public void A_raised_security_version_takes_away_and_a_lower_one_does_not()
    {
        const string Manifest = """
            {
              "Packages": { "p": { "SignerID": "55", "ProductID": 7, "SecurityVersion": 3 } },
              "Marbles": { "m": { "Package": "p", "Parameters": { "Env": { "K": "{{ hex .Secrets.k }}" } } } },
              "Secrets": { "k": { "Type": "symmetric-key", "Size": 128, "UserDefined": true } }
            }
            """;
        CoordinatorSnapshot before = Snapshot(Manifest, ManifestDialect.MarbleRun), raised = before with { SecurityVersions = before.SecurityVersions.SetItem("p", 5) };
        Assert.False(SecretReach.IsWider(before, raised, "k"));
        Assert.True(SecretReach.IsWider(raised, before, "k"));
        foreach ((string old, string now) in new[] { ("\"ProductID\": 7", "\"ProductID\": 8"), ("\"SignerID\": \"55\"", "\"SignerID\": \"56\""), ("\"ProductID\": 7", "\"ProductID\": 7, \"Debug\": true"), ("\"ProductID\": 7", "\"ProductID\": 7, \"AcceptedTCBStatuses\": [\"Revoked\"]") })
            Assert.True(SecretReach.IsWider(before, Snapshot(Manifest.Replace(old, now, StringComparison.Ordinal), ManifestDialect.MarbleRun), "k"), now);
    }

    [Fact]
    public void Who_may_open_the_state_is_told_by_recovery_and_sealing()
    {
        using RSA one = RSA.Create(2048), two = RSA.Create(2048);
        ManifestDocument Keys(int threshold, params RSA[] keys) => Document(manifest =>
        {
            manifest["RecoveryKeys"] = new JsonObject(keys.Select((key, i) => KeyValuePair.Create($"k{i}", (JsonNode?)key.ExportSubjectPublicKeyInfoPem())));
            manifest["Config"] = new JsonObject { ["RecoveryThreshold"] = threshold };
        });
        ManifestDocument Sealed(string mode) => Document(manifest => manifest["Config"] = new JsonObject { ["SealMode"] = mode });
        using RSA three = RSA.Create(2048);

        Assert.True(SecretReach.StateOpensWider(Keys(0), Keys(0, one)));
        Assert.False(SecretReach.StateOpensWider(Keys(0, one), Keys(0)));
        Assert.True(SecretReach.StateOpensWider(Keys(0, one), Keys(0, two)));
        Assert.True(SecretReach.StateOpensWider(Keys(0, one, two), Keys(0, one)));
        Assert.True(SecretReach.StateOpensWider(Keys(3, one, two, three), Keys(2, one, two, three)));
        Assert.False(SecretReach.StateOpensWider(Keys(2, one, two, three), Keys(0, one, two, three)));
        Assert.True(SecretReach.StateOpensWider(Sealed("UniqueKey"), Sealed("ProductKey")));
        Assert.True(SecretReach.StateOpensWider(Sealed("Disabled"), Sealed("")));
        Assert.False(SecretReach.StateOpensWider(Sealed(""), Sealed("ProductKey")));
        Assert.False(SecretReach.StateOpensWider(Sealed("ProductKey"), Sealed("UniqueKey")));
    }

    private void Wider(Action<JsonObject> change, Action<JsonObject>? common = null) => Assert.True(IsWider(change, common ?? (_ => { })));

    private void Narrow(Action<JsonObject> change, Action<JsonObject>? common = null) => Assert.False(IsWider(change, common ?? (_ => { })));

    private bool IsWider(Action<JsonObject> change, Action<JsonObject> common)
    {
        JsonObject before = _manifest.Json(), after = _manifest.Json();
        before["Secrets"]!["note-key"] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 256, ["UserDefined"] = true };
        after["Secrets"]!["note-key"] = before["Secrets"]!["note-key"]!.DeepClone();
        common(before);
        common(after);
        change(after);
        return SecretReach.IsWider(Snapshot(before.ToJsonString(), ManifestDialect.Cloister), Snapshot(after.ToJsonString(), ManifestDialect.Cloister), "model-key");
    }

    private ManifestDocument Document(Action<JsonObject> change)
    {
        JsonObject manifest = _manifest.Json();
        change(manifest);
        return Snapshot(manifest.ToJsonString(), ManifestDialect.Cloister).Manifest!.Document;
    }

    private static CoordinatorSnapshot Snapshot(string manifest, ManifestDialect dialect)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(manifest);
        ManifestOutcome outcome = ManifestReader.Read(bytes, dialect);
        Assert.True(outcome.IsAccepted, string.Join("; ", outcome.Problems.Select(problem => $"{problem.Field}: {problem.Message}")));
        return new CoordinatorSnapshot
        {
            State = CoordinatorState.AcceptingMarbles,
            Authority = s_authority,
            RootSecret = new byte[32],
            Manifest = new ManifestInForce(bytes, outcome.Fingerprint, dialect, outcome.Document, [], default),
        };
    }

    private static string Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=clients", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return certificate.ExportCertificatePem();
    }

    private static void AddPackage(JsonObject manifest, string name) => manifest["Packages"]![name] = manifest["Packages"]!["serving"]!.DeepClone().AsObject() is var copy
        ? With(copy, package => package["Simulation"]!["Digest"] = new string('3', 64)) : null;

    private static JsonObject With(JsonObject json, Action<JsonObject> change)
    {
        change(json);
        return json;
    }

    private static void AnyOfAnother(JsonObject packages, string name)
    {
        JsonObject own = packages[name]!.DeepClone().AsObject(), other = With(packages[name]!.DeepClone().AsObject(), package => package["Simulation"]!["Digest"] = new string('4', 64));
        packages[name] = new JsonObject { ["AnyOf"] = new JsonArray(own, other) };
    }

    private static void AddModel(JsonObject manifest, string name, string secret)
    {
        JsonObject model = manifest["Models"]!["digits"]!.DeepClone().AsObject();
        model["Secret"] = secret;
        manifest["Models"]![name] = model;
        manifest["Marbles"]!["server"]!["Models"] = new JsonArray("digits", name);
    }
}

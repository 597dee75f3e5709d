using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Tokens of Node's crypto, and certificates of openssl shown by curl: nothing of ours made them.</summary>
public sealed class IndependentSignerTests
{
    private const string Signs = """
        const { generateKeyPairSync, sign, constants } = require('node:crypto');
        const text = value => Buffer.from(value).toString('base64url');
        const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
        for (const [alg, type, options, hash, more] of [
          ['RS256', 'rsa', { modulusLength: 2048 }, 'sha256', {}], ['RS384', 'rsa', { modulusLength: 2048 }, 'sha384', {}], ['RS512', 'rsa', { modulusLength: 2048 }, 'sha512', {}],
          ['PS256', 'rsa', { modulusLength: 2048 }, 'sha256', pss], ['PS384', 'rsa', { modulusLength: 2048 }, 'sha384', pss], ['PS512', 'rsa', { modulusLength: 2048 }, 'sha512', pss],
          ['ES256', 'ec', { namedCurve: 'P-256' }, 'sha256', { dsaEncoding: 'ieee-p1363' }], ['ES384', 'ec', { namedCurve: 'P-384' }, 'sha384', { dsaEncoding: 'ieee-p1363' }],
          ['ES512', 'ec', { namedCurve: 'P-521' }, 'sha512', { dsaEncoding: 'ieee-p1363' }], ['EdDSA', 'ed25519', {}, null, {}],
        ]) {
          const { publicKey, privateKey } = generateKeyPairSync(type, options);
          const head = text(JSON.stringify({ alg, kid: alg, typ: 'at+jwt' }));
          const claims = text(JSON.stringify({ iss: 'https://login.example', aud: ['models'], sub: 'alice', iat: 0, exp: 600 }));
          const signature = sign(hash, Buffer.from(`${head}.${claims}`), { key: privateKey, ...more });
          console.log(JSON.stringify({ jwk: { ...publicKey.export({ format: 'jwk' }), kid: alg, use: 'sig' }, token: `${head}.${claims}.${text(signature)}` }));
        }
        """;

    [Fact]
    public async Task Node_signs_and_every_token_is_taken()
    {
        if (!Exists("node")) return;
        (int code, string output) = await RunAsync("node", Path.GetTempPath(), "-e", Signs);
        Assert.True(code == 0, output);
        JsonNode[] made = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(10, made.Length);
        byte[] keys = Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray([.. made.Select(one => one["jwk"]!.DeepClone())]) }.ToJsonString());
        await using CallerScene scene = new(new CallerRights([CallerScene.TokenCaller("alice", "login", ("sub", ["alice"]))], []) { TokenIssuers = [CallerScene.Issuer(keys)] });
        foreach (JsonNode one in made)
        {
            string token = one["token"]!.GetValue<string>();
            Assert.Equal("alice", scene.Ask(token));
            string[] parts = token.Split('.');
            foreach (JsonNode other in made.Where(other => other != one))
                Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask($"{other["token"]!.GetValue<string>().Split('.')[0]}.{parts[1]}.{parts[2]}"));
        }
    }

    [Fact]
    public async Task Curl_shows_a_certificate_that_openssl_issued()
    {
        if (!Exists("openssl") || !Exists("curl")) return;
        string folder = Directory.CreateTempSubdirectory("cloister-openssl-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "leaf.cnf"), "basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nsubjectAltName=URI:spiffe://example/ml/web,email:web@example.org\n");
            foreach (string authority in new[] { "authority", "foreign" })
                await OpenSslAsync(folder, $"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=clients -keyout {authority}.key -out {authority}.pem -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign");
            foreach ((string name, string authority, int serial) in new[] { ("web", "authority", 4096), ("revoked", "authority", 4097), ("stranger", "foreign", 4096) })
            {
                await OpenSslAsync(folder, $"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web -keyout {name}.key -out {name}.csr");
                await OpenSslAsync(folder, $"x509 -req -in {name}.csr -CA {authority}.pem -CAkey {authority}.key -days 1 -set_serial {serial} -extfile leaf.cnf -out {name}.pem");
            }
            using X509Certificate2 trusted = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(folder, "authority.pem")));
            var store = new TestStore();
            await store.AddAsync("half", TestModels.HalfPlusTwo);
            store.Anonymous.Clear();
            store.Callers.Add(new CallerGrant("web", default, default, ["half"])
            {
                CertificateFrom = new CertificateRuleGrant(trusted.RawData) { Uri = "spiffe://example/ml/*", Email = "*@example.org", Revoked = [new byte[] { 0x10, 0x01 }] },
            });
            await using TestServer server = await TestServer.StartAsync(store);
            foreach ((string name, HttpStatusCode status) in new[] { ("web", HttpStatusCode.OK), ("revoked", HttpStatusCode.Unauthorized), ("stranger", HttpStatusCode.Unauthorized) })
            {
                (int code, string output) = await RunAsync("curl", folder, "--silent", "--show-error", "--insecure", "--max-time", "120", "--cert", name + ".pem", "--key", name + ".key",
                    "--data", """{"instances":[1]}""", "--output", "answer", "--write-out", "%{http_code}", new Uri(server.Host.Address, "/v1/models/half:predict").ToString());
                Assert.True(code == 0, output);
                Assert.Equal((name, ((int)status).ToString(CultureInfo.InvariantCulture)), (name, output.Trim()));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task OpenSslAsync(string folder, string arguments)
    {
        (int code, string output) = await RunAsync("openssl", folder, arguments.Split(' '));
        Assert.True(code == 0, output);
    }

    private static bool Exists(string tool)
    {
        bool exists = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));
        if (!exists) Console.WriteLine($"{tool} is missing: a test that needs it does nothing.");
        return exists;
    }

    private static async Task<(int Code, string Output)> RunAsync(string tool, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await errors);
    }
}

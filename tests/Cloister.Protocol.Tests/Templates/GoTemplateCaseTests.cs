using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Protocol.Templates;

namespace Cloister.Protocol.Tests.Templates;

/// <summary>
/// go-template-cases.json: templates with what Go's text/template itself writes or says, which ours must write and say too: literals,
/// scoping, branches, loops, definitions, functions, fmt's verbs, and refusals with their places.
/// </summary>
public sealed class GoTemplateCaseTests
{
    [Fact]
    public void EveryCaseIsGos()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "go-template-cases.json")));
        TemplateData data = Data(cases.RootElement.GetProperty("certificate").GetBytesFromBase64());
        List<string> wrong = [];
        int count = 0;
        foreach (JsonElement one in cases.RootElement.GetProperty("cases").EnumerateArray())
        {
            count++;
            string template = one.GetProperty("template").GetString()!;
            TemplateKind kind = one.TryGetProperty("kind", out _) ? TemplateKind.Env : TemplateKind.File;
            string expected = one.TryGetProperty("error", out JsonElement error) ? "error: " + error.GetString() : Convert.ToHexString(one.GetProperty("output").GetBytesFromBase64());
            string actual = Rendered(template, kind, data);
            if (actual != expected) wrong.Add($"{template}\n  {expected}\n  {actual}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.True(count > 500, $"only {count} cases");
    }

    private static string Rendered(string template, TemplateKind kind, TemplateData data)
    {
        try
        {
            return Convert.ToHexString(Template.Parse(Encoding.UTF8.GetBytes(template), kind).Render(data));
        }
        catch (ProtocolException error)
        {
            return "error: " + error.Message;
        }
    }

    private static TemplateData Data(byte[] der)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
        var secrets = new TemplateSecrets(new Dictionary<string, TemplateSecret>
        {
            ["pl"] = Key("plain", "h<i> \"q\" é"u8.ToArray()),
            ["bin"] = Key("plain", [1, 2, 253, 254, 255]),
            ["sym"] = Key("symmetric-key", [.. Enumerable.Range(0, 16).Select(i => (byte)i)]),
            ["crt"] = new("cert-ed25519", der, certificate.PublicKey.ExportSubjectPublicKeyInfo(), new byte[] { 9, 8, 7 }) { ValidFor = 7 },
            ["a-b"] = Key("plain", "dash"u8.ToArray()),
            ["unset"] = new("plain", () => null) { UserDefined = true },
        });
        return new TemplateData
        {
            MarbleRoot = new byte[] { 0x41 },
            CoordinatorRoot = new byte[] { 0x45 },
            CoordinatorIntermediate = new byte[] { 0x46 },
            MarbleCertificate = new TemplateSecret("", new byte[] { 0x42 }, new byte[] { 0x43 }, new byte[] { 0x44 }),
            Secrets = secrets,
            PreviousSecrets = secrets,
            UnsetIsEmpty = true,
        };
    }

    private static TemplateSecret Key(string type, byte[] key) => new(type, default, key, key) { Size = (ulong)(8 * key.Length), UserDefined = true };
}

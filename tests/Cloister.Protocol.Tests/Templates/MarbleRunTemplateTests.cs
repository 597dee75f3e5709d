using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;
using Cloister.Tests;
using Xunit.Abstractions;

namespace Cloister.Protocol.Tests.Templates;

/// <summary>Cases recorded on MarbleRun's coordinator 1.9.1: the verdict on the manifest and its message, then what the activation rendered or refused.</summary>
public sealed class MarbleRunTemplateTests(ITestOutputHelper output)
{
    [SharedDataFact]
    public void EveryRecordedCaseIsMarbleRuns()
    {
        using JsonDocument recorded = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/template-verdicts.json")));
        TemplateData data = Data(recorded.RootElement);
        List<string> wrong = [];
        int rendered = 0, refusedManifests = 0, refusedActivations = 0, otherWords = 0;
        foreach (JsonElement one in recorded.RootElement.GetProperty("cases").EnumerateArray())
        {
            string id = one.GetProperty("id").GetString()!, text = one.GetProperty("template").GetString()!;
            TemplateKind kind = one.GetProperty("kind").GetString() == "file" ? TemplateKind.File : TemplateKind.Env;
            ManifestOutcome manifest = ManifestReader.Read(Encoding.UTF8.GetBytes(Manifest(recorded.RootElement, text, kind)), ManifestDialect.MarbleRun);
            bool accepted = one.GetProperty("set").GetString() == "valid";
            if (manifest.IsAccepted != accepted) wrong.Add($"{id} {text}: manifest {(accepted ? "refused: " + manifest.Problems[0].Message : "accepted")}");
            else if (!accepted)
            {
                refusedManifests++;
                if (manifest.Problems[0].Message != one.GetProperty("setMessage").GetString()) (otherWords, _) = (otherWords + 1, Say(id, manifest.Problems[0].Message));
            }
            if (!accepted) continue;
            (byte[]? bytes, string? message) = TryRender(text, kind, data);
            if (one.GetProperty("activate").GetString() == "ok")
            {
                rendered++;
                if (bytes is null) wrong.Add($"{id} {text}: {message}");
                else if (one.TryGetProperty("outputBase64", out JsonElement expected) && !bytes.AsSpan().SequenceEqual(expected.GetBytesFromBase64()))
                    wrong.Add($"{id} {text}: {Encoding.UTF8.GetString(bytes)}");
            }
            else
            {
                refusedActivations++;
                if (bytes is not null) wrong.Add($"{id} {text}: rendered");
                else if (!one.GetProperty("activateMessage").GetString()!.EndsWith(message!, StringComparison.Ordinal)) (otherWords, _) = (otherWords + 1, Say(id, message!));
            }
        }
        output.WriteLine($"{rendered} rendered the same, {refusedManifests} manifests and {refusedActivations} activations refused by both, {otherWords} of them in other words");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal((69, 0), (rendered + refusedManifests + refusedActivations, otherWords));
    }

    private bool Say(string id, string message)
    {
        output.WriteLine($"{id}: {message}");
        return true;
    }

    private static string Manifest(JsonElement recorded, string template, TemplateKind kind)
    {
        JsonNode manifest = JsonNode.Parse(recorded.GetProperty("baseManifestForFile").GetRawText())!;
        manifest["Marbles"]!["m"]!["Parameters"] = kind == TemplateKind.File
            ? new JsonObject { ["Files"] = new JsonObject { ["/f"] = template } }
            : new JsonObject { ["Env"] = new JsonObject { ["E"] = template } };
        return manifest.ToJsonString();
    }

    private static (byte[]? Bytes, string? Message) TryRender(string text, TemplateKind kind, TemplateData data)
    {
        try
        {
            return (Template.Parse(Encoding.UTF8.GetBytes(text), kind).Render(data), null);
        }
        catch (ProtocolException error)
        {
            return (null, error.Message);
        }
    }

    private static TemplateData Data(JsonElement recorded)
    {
        var secrets = new Dictionary<string, TemplateSecret>();
        foreach (JsonProperty definition in recorded.GetProperty("baseManifestForFile").GetProperty("Secrets").EnumerateObject())
        {
            JsonElement uploaded = recorded.GetProperty("secretsUploaded");
            TemplateSecretValue? value = definition.Name == "gen" ? Key(new byte[16]) : uploaded.TryGetProperty(definition.Name, out JsonElement one) ? Value(one) : null;
            secrets[definition.Name] = new TemplateSecret(definition.Value.GetProperty("Type").GetString()!, () => value)
            {
                Size = definition.Value.TryGetProperty("Size", out JsonElement size) ? size.GetUInt64() : 0,
                Shared = definition.Value.TryGetProperty("Shared", out _),
                UserDefined = definition.Value.TryGetProperty("UserDefined", out _),
            };
        }
        byte[] certificate = [0x30, 0x00];
        var table = new TemplateSecrets(secrets);
        return new TemplateData
        {
            MarbleRoot = certificate,
            CoordinatorRoot = certificate,
            CoordinatorIntermediate = certificate,
            MarbleCertificate = new TemplateSecret("", certificate, certificate, certificate),
            Secrets = table,
            PreviousSecrets = table,
            UnsetIsEmpty = true,
        };
    }

    private static TemplateSecretValue Key(byte[] key) => new(default, key, key);

    private static TemplateSecretValue Value(JsonElement uploaded)
    {
        if (uploaded.TryGetProperty("Key", out JsonElement key)) return Key(key.GetBytesFromBase64());
        byte[] der = uploaded.GetProperty("Cert").GetBytesFromBase64();
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
        return new(der, certificate.PublicKey.ExportSubjectPublicKeyInfo(), uploaded.GetProperty("Private").GetBytesFromBase64());
    }
}

using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cloister.Protocol.Templates;
using Cloister.Tests;
using Xunit.Abstractions;

namespace Cloister.Protocol.Tests.Templates;

/// <summary>Outputs recorded on MarbleRun's coordinator 1.9.1: what the subset renders, it renders byte for byte; what MarbleRun refuses, it refuses.</summary>
public sealed class MarbleRunTemplateTests(ITestOutputHelper output)
{
    [SharedDataFact]
    public void WhatIsRenderedIsMarbleRunsAndWhatItRefusesIsRefused()
    {
        using JsonDocument recorded = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/template-verdicts.json")));
        TemplateData data = Data(recorded.RootElement);
        int same = 0, refusedByBoth = 0, outside = 0;
        foreach (JsonElement one in recorded.RootElement.GetProperty("cases").EnumerateArray())
        {
            string id = one.GetProperty("id").GetString()!;
            TemplateKind kind = one.GetProperty("kind").GetString() == "file" ? TemplateKind.File : TemplateKind.Env;
            bool accepted = one.GetProperty("set").GetString() == "valid" && one.GetProperty("activate").GetString() == "ok";
            byte[]? rendered = TryRender(System.Text.Encoding.UTF8.GetBytes(one.GetProperty("template").GetString()!), kind, data);
            if (rendered is null)
            {
                if (accepted) outside++;
                else refusedByBoth++;
                continue;
            }
            Assert.True(accepted, $"{id} was rendered and MarbleRun refuses it");
            if (one.TryGetProperty("outputBase64", out JsonElement expected))
                Assert.True(rendered.AsSpan().SequenceEqual(expected.GetBytesFromBase64()), $"{id} renders otherwise: {System.Text.Encoding.UTF8.GetString(rendered)}");
            same++;
        }
        output.WriteLine($"{same} rendered the same, {refusedByBoth} refused by both, {outside} of MarbleRun's are outside the subset");
        Assert.True(same >= 16, $"only {same} rendered");
    }

    private static byte[]? TryRender(byte[] text, TemplateKind kind, TemplateData data)
    {
        try
        {
            return Template.Parse(text, kind).Render(data);
        }
        catch (ProtocolException)
        {
            return null;
        }
    }

    private static TemplateData Data(JsonElement recorded)
    {
        var secrets = new Dictionary<string, TemplateSecret>();
        foreach (JsonProperty definition in recorded.GetProperty("baseManifestForFile").GetProperty("Secrets").EnumerateObject())
        {
            string type = definition.Value.GetProperty("Type").GetString()!;
            if (!recorded.GetProperty("secretsUploaded").TryGetProperty(definition.Name, out JsonElement value))
            {
                secrets[definition.Name] = TemplateSecret.Unset(type);
                continue;
            }
            if (value.TryGetProperty("Key", out JsonElement key))
            {
                secrets[definition.Name] = TemplateSecret.OfKey(type, key.GetBytesFromBase64());
                continue;
            }
            byte[] der = value.GetProperty("Cert").GetBytesFromBase64();
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            secrets[definition.Name] = new TemplateSecret(type, der, certificate.PublicKey.ExportSubjectPublicKeyInfo(), value.GetProperty("Private").GetBytesFromBase64());
        }
        byte[] certificateBytes = [0x30, 0x00];
        return new TemplateData
        {
            MarbleRoot = certificateBytes,
            CoordinatorRoot = certificateBytes,
            CoordinatorIntermediate = certificateBytes,
            MarbleCertificate = new TemplateSecret("cert-ecdsa", certificateBytes, certificateBytes, certificateBytes),
            Secrets = new TemplateSecrets(secrets),
        };
    }
}

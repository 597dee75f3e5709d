using System.Text;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Tests.Secrets;

/// <summary>Manifests of MarbleRun's dialect with given secrets.</summary>
internal static class CertificateManifest
{
    public static ManifestDocument Read(string secrets, string parameters = "{}") => ManifestReader.Read(Encoding.UTF8.GetBytes(Text(secrets, parameters)), ManifestDialect.MarbleRun).Document;

    public static string Text(string secrets, string parameters = "{}", string users = "{}", string roles = "{}") => $$"""
        {
          "Packages": { "p": { "UniqueID": "{{new string('7', 64)}}" } },
          "Marbles": { "m": { "Package": "p", "Parameters": {{parameters}} } },
          "Secrets": {{secrets}}, "Users": {{users}}, "Roles": {{roles}}
        }
        """;
}

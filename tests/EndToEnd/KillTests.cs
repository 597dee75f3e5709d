using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.EndToEnd;

/// <summary>kill -9 of the coordinator at random moments under load: whatever was acknowledged is there after the restart.</summary>
public sealed class KillTests
{
    private const int Kills = 50, Writers = 4;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_by_fifty_kills_under_load()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        using X509Certificate2 user = Identity();
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Manifest(deployment, user), []);
        var random = new Random(20261121);
        VerifiedDeployment verified = await deployment.VerifyAsync();
        var acknowledged = new long[Writers];
        for (int kill = 0; kill < Kills; kill++)
        {
            using var client = new CoordinatorClient(verified, user);
            long[] sent = [.. acknowledged];
            using var stop = new CancellationTokenSource();
            Task[] writers = [.. Enumerable.Range(0, Writers).Select(writer => WriteAsync(client, writer, sent, acknowledged, stop.Token))];
            await Task.Delay(random.Next(0, 120), CancellationToken.None);
            await deployment.KillCoordinatorAsync();
            await stop.CancelAsync();
            await Task.WhenAll(writers);

            await deployment.StartCoordinatorAsync();
            verified = await deployment.VerifyAsync();
            using var reader = new CoordinatorClient(verified, user);
            IReadOnlyDictionary<string, SecretReading> stored = await reader.GetSecretsAsync([.. Enumerable.Range(0, Writers).Where(writer => acknowledged[writer] > 0).Select(Name).DefaultIfEmpty(Name(0))]);
            foreach (int writer in Enumerable.Range(0, Writers).Where(writer => acknowledged[writer] > 0))
            {
                long value = long.Parse(Encoding.ASCII.GetString(stored[Name(writer)].Public!), System.Globalization.CultureInfo.InvariantCulture);
                Assert.True(value >= acknowledged[writer] && value <= sent[writer],
                    $"kill {kill}: writer {writer} was told that {acknowledged[writer]} is stored and had sent {sent[writer]}, but {value} is there.");
                acknowledged[writer] = value;
            }
        }
        Assert.All(acknowledged, value => Assert.True(value > 0, "a writer was never acknowledged: there was no load"));
    }

    private static async Task WriteAsync(CoordinatorClient client, int writer, long[] sent, long[] acknowledged, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long value = ++sent[writer];
            try
            {
                await client.SetSecretsAsync(new Dictionary<string, SecretValue> { [Name(writer)] = new(Key: Encoding.ASCII.GetBytes(value.ToString(System.Globalization.CultureInfo.InvariantCulture))) }, CancellationToken.None);
                acknowledged[writer] = value;
            }
            catch (ClientException killed) when (killed.Error is ClientError.Unreachable or ClientError.Timeout)
            {
                return; // whether this one was stored is open; it was not acknowledged
            }
        }
    }

    private static string Name(int writer) => $"secret-{writer}";

    private static byte[] Manifest(Deployment deployment, X509Certificate2 user)
    {
        string[] names = [.. Enumerable.Range(0, Writers).Select(Name)];
        string secrets = string.Join(", ", names.Select(name => $$""" "{{name}}": { "Type": "plain", "UserDefined": true } """));
        string list = string.Join(", ", names.Select(name => $"\"{name}\""));
        string certificate = user.ExportCertificatePem().ReplaceLineEndings("\\n");
        return Encoding.UTF8.GetBytes($$"""
            {
              "Packages": { "job": {{deployment.Package(new string('a', 64))}} },
              "Marbles": { "job": { "Package": "job" } },
              "Secrets": { {{secrets}} },
              "Users": { "owner": { "Certificate": "{{certificate}}", "Roles": ["all"] } },
              "Roles": { "all": { "ResourceType": "Secrets", "ResourceNames": [{{list}}], "Actions": ["ReadSecret", "WriteSecret"] } }
            }
            """);
    }

    internal static X509Certificate2 Identity()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = new CertificateRequest("CN=owner", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}

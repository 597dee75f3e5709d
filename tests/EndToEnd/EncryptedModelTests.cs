using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client;
using Cloister.Homomorphic.Models;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A model compiled, sealed, granted and served, and asked in ciphertexts, with real processes: only the client ever holds a row.</summary>
public sealed class EncryptedModelTests
{
    private const int Rows = 40, RowsInHalfAYear = 100;

    [SharedDataFact]
    public async Task Mail_is_judged_by_a_server_that_cannot_read_it()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        string program = await PrepareAsync(deployment);
        JsonNode expected = JsonNode.Parse(await File.ReadAllTextAsync(TestData.Path("models/tabular/logreg-spambase.expected.json")))!;
        await WriteRowsAsync(deployment["rows.csv"], expected);
        using Process server = Serve(deployment, program, "127.0.0.1:0");
        Process? again = null;
        try
        {
            string address = (string)(await CloisterCommand.WaitForAsync(server, "serving"))["address"]!;
            Ended predicted = await PredictAsync(deployment, address);
            predicted.Succeeded();
            Agree(expected, predicted.Lines[^1]["predictions"]!.AsArray());

            // A session goes on with the key that it registered, though the server was killed: the master is the manifest's.
            using var handler = new AttestedHttpHandler(await deployment.VerifyAsync(), "inference");
            using var client = new EncryptedModelClient(handler, new Uri(address), "a token of spam");
            using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
            double[][] rows = [.. expected["X"]!.AsArray().Take(3).Select(row => row!.AsArray().Select(cell => (double)cell!).ToArray())];
            IReadOnlyList<ModelAnswer> before = await session.PredictAsync(rows);
            server.Kill();
            await server.WaitForExitAsync();
            int registered = await CountAsync(deployment, "\"method\":\"register\"");
            again = Serve(deployment, program, new Uri(address).Authority);
            await CloisterCommand.WaitForAsync(again, "serving");
            Assert.Equal(before.Select(answer => answer.Scores[0]), (await session.PredictAsync(rows)).Select(answer => answer.Scores[0]));
            Assert.Equal(registered, await CountAsync(deployment, "\"method\":\"register\""));

            // More rows than the manifest lets it ask, and no later than half a year.
            (await PredictAsync(deployment, address)).Succeeded();
            (await PredictAsync(deployment, address)).Succeeded();
            Ended refused = await PredictAsync(deployment, address);
            Assert.NotEqual(0, refused.Code);
            Assert.Contains("may ask 100 rows", refused.Error + refused.Output, StringComparison.Ordinal);
        }
        finally
        {
            foreach (Process process in new[] { server, again }.OfType<Process>())
                if (!process.HasExited) process.Kill(entireProcessTree: true);
            again?.Dispose();
        }
        string log = await File.ReadAllTextAsync(deployment["access.jsonl"]);
        Assert.Contains("\"items\":40", log, StringComparison.Ordinal);
    }

    private static Task<Ended> PredictAsync(Deployment deployment, string address) => CloisterCommand.RunAsync(
        "he", "predict", "--json", "--coordinator", deployment.ClientAddress.AbsoluteUri, "--policy", deployment["policy.json"], "--workload", address, "--type", "inference",
        "--model", "spam", "--token", deployment["token"], "--rows", deployment["rows.csv"]);

    private static void Agree(JsonNode expected, JsonArray predictions)
    {
        Assert.Equal(Rows, predictions.Count);
        for (int i = 0; i < Rows; i++)
            Assert.Equal((double)expected["expected"]![i]!, (double)predictions[i]!["values"]![0]!, 0.05);
    }

    private static async Task WriteRowsAsync(string path, JsonNode expected)
    {
        var csv = new StringBuilder().AppendJoin(',', expected["features"]!.AsArray().Select(name => (string)name!)).Append('\n');
        foreach (JsonNode? row in expected["X"]!.AsArray().Take(Rows))
            csv.AppendJoin(',', row!.AsArray().Select(cell => ((double)cell!).ToString("R", CultureInfo.InvariantCulture))).Append('\n');
        await File.WriteAllTextAsync(path, csv.ToString());
    }

    private static async Task<int> CountAsync(Deployment deployment, string text)
    {
        // Another process appends to it.
        await using var file = new FileStream(deployment["access.jsonl"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return (await reader.ReadToEndAsync()).Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));
    }

    private static Process Serve(Deployment deployment, string program, string address) => Process.Start(new ProcessStartInfo(Path.Combine(program, Path.GetFileName(CloisterCommand.Executable)),
        ["serve", "--type", "inference", "--coordinator", deployment.MeshAddress, "--uuid-file", deployment["uuid"], "--simulator", deployment.SimulatorSocket, "--store", deployment["store"],
            "--address", address, "--access-log", deployment["access.jsonl"], "--json"])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        RedirectStandardInput = true,
    })!;

    /// <summary>Compiles and seals the model, sets a manifest that grants it to one caller, and releases its key; gives the workload's program folder.</summary>
    private static async Task<string> PrepareAsync(Deployment deployment)
    {
        string program = deployment["program"];
        foreach (string folder in Directory.EnumerateDirectories(CloisterCommand.Folder, "*", SearchOption.AllDirectories).Prepend(CloisterCommand.Folder))
            Directory.CreateDirectory(Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, folder)));
        foreach (string source in Directory.EnumerateFiles(CloisterCommand.Folder, "*", SearchOption.AllDirectories))
            File.Copy(source, Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, source)));
        await File.WriteAllTextAsync(Path.Combine(program, "coordinator-policy.json"), deployment.PolicyText);
        await File.WriteAllTextAsync(deployment["policy.json"], deployment.PolicyText);
        await File.WriteAllTextAsync(deployment["token"], "a token of spam\n");
        Directory.CreateDirectory(deployment["store"]);
        (await CloisterCommand.RunAsync("model", "keygen", "--out", deployment["owner"])).Succeeded();
        (await CloisterCommand.RunAsync("user", "keygen", "--name", "owner", "--out", deployment["owner"])).Succeeded();
        (await CloisterCommand.RunAsync("he", "compile", TestData.Path("models/tabular/logreg-spambase.onnx"), "--calibrate", TestData.Path("inputs/tabular/spambase.csv"), "--target", "58", "--name", "spam", "--out", deployment["spam"])).Succeeded();
        Ended sealing = await CloisterCommand.RunAsync("model", "seal", "--json", "--model", deployment["spam/model.he"], "--name", "spam",
            "--key", deployment["owner/model.key"], "--maker", deployment["owner/maker.pem"], "--out", deployment["store/spam.sealed"]);
        sealing.Succeeded();
        // It has nothing but itself.
        Assert.Equal(2, (await CloisterCommand.RunAsync("model", "seal", "--model", deployment["spam/model.he"], "--preprocess", "unit", "--name", "spam",
            "--key", deployment["owner/model.key"], "--maker", deployment["owner/maker.pem"], "--out", deployment["other.sealed"])).Code);
        string certificate = System.Text.Json.JsonSerializer.Serialize(await File.ReadAllTextAsync(deployment["owner/owner.crt"]));
        string manifest = $$$$"""
            {
              "Packages": { "serving": {{{{deployment.Package(await Deployment.MeasureAsync(program))}}}} },
              "Marbles": { "inference": { "Package": "serving", "Models": ["spam"], "Parameters": { "Env": { "CLOISTER_ENVELOPE_MASTER": "{{ hex .Secrets.envelopes }}" } } } },
              "Secrets": {
                "spam-key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true },
                "envelopes": { "Type": "symmetric-key", "Size": 256, "Shared": true }
              },
              "Models": { "spam": { "Digest": "{{{{sealing.Lines[^1]["digest"]}}}}", "MakerKey": "{{{{sealing.Lines[^1]["makerKey"]}}}}", "Secret": "spam-key", "MinimumVersion": 1 } },
              "Callers": { "shop": {
                "TokenSha256": "{{{{Convert.ToHexStringLower(SHA256.HashData("a token of spam"u8))}}}}", "Models": ["spam"], "Quota": { "Rows": {{{{RowsInHalfAYear}}}}, "Seconds": 15552000 }
              } },
              "Users": { "owner": { "Certificate": {{{{certificate}}}}, "Roles": ["release"] } },
              "Roles": { "release": { "ResourceType": "Secrets", "ResourceNames": ["spam-key"], "Actions": ["WriteSecret"] } }
            }
            """;
        await File.WriteAllTextAsync(deployment["manifest.json"], manifest);
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Encoding.UTF8.GetBytes(manifest), []);
        (await CloisterCommand.RunAsync("secret", "set", "spam-key", "--model-key", deployment["owner/model.key"], "--manifest", deployment["manifest.json"], "--coordinator", deployment.ClientAddress.AbsoluteUri,
            "--policy", deployment["policy.json"], "--cert", deployment["owner/owner.crt"], "--key", deployment["owner/owner.key"])).Succeeded();
        return program;
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;

namespace Cloister.Cli.Verbs;

internal static class PredictVerb
{
    private static readonly Option<string> Coordinator = Peer.Coordinator();
    private static readonly Option<string> Policy = Peer.Policy();
    private static readonly Option<string> Workload = new("--workload") { Description = "The inference workload's address.", Required = true };
    private static readonly Option<string> Type = new("--type") { Description = "The type that the workload must have.", Required = true };
    private static readonly Option<string> Model = new("--model") { Description = "The model's name.", Required = true };
    private static readonly Option<string[]> Images = new("--image") { Description = "A picture, PNG or JPEG; may be given several times.", Required = true };
    private static readonly Option<int> Top = new("--top") { Description = "How many labels.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string?> Mode = new("--mode") { Description = "Send nothing unless the model is in this mode: enclave, partitioned or encrypted. Without, nothing is sent to a model in mode partitioned." };
    private static readonly Option<string?> Token = new("--token") { Description = "A file with the caller's bearer token." };
    private static readonly Option<string?> Certificate = Peer.Certificate();
    private static readonly Option<string?> Key = Peer.Key();

    public static Command Create() => new Verb("predict", "Verify coordinator, manifest, chain and workload; only then send a picture, and print its labels.",
        "cloister predict --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference --model shapes --token client/token --image star.png")
        { Coordinator, Policy, Workload, Type, Model, Images, Top, Mode, Token, Certificate, Key }
        .Runs(PredictAsync);

    private static async Task PredictAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string? token = parsed.GetValue(Token) is { } file ? (await LocalFile.ReadTextAsync(file, cancellation)).Trim() : null;
        using X509Certificate2? caller = parsed.GetValue(Certificate) is { } certificate ? await Peer.ReadIdentityAsync(certificate, parsed.GetValue(Key), cancellation) : null;
        VerifiedDeployment deployment = await Peer.VerifyAsync(
            Peer.Address(parsed.GetRequiredValue(Coordinator)), await Peer.ReadPolicyAsync(parsed.GetRequiredValue(Policy), cancellation), screen, cancellation);
        string type = parsed.GetRequiredValue(Type), model = parsed.GetRequiredValue(Model);
        // The workload's evidence, which is fetched before the first picture goes, is refused if it states another.
        string? mode = ModeText.Asked(parsed.GetValue(Mode));
        ModeDemand.Require(deployment.Manifest!, type, model, mode);
        AttestedWorkload? verified = null;
        using var handler = new AttestedHttpHandler(deployment, type, caller) { Verified = workload => verified = workload };
        using var client = new PredictClient(handler, Peer.Address(parsed.GetRequiredValue(Workload)), token) { Mode = mode };
        var predictions = new JsonArray();
        var text = new List<string>();
        foreach (string image in parsed.GetRequiredValue(Images))
        {
            byte[] picture = await LocalFile.ReadAsync(image, cancellation, limit: 64 << 20);
            long start = Stopwatch.GetTimestamp();
            IReadOnlyList<PredictedLabel> labels = await client.ClassifyAsync(model, picture, parsed.GetValue(Top), cancellation);
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            text.Add($"{Path.GetFileName(image)}: {milliseconds:0.0} ms");
            text.AddRange(labels.Select(label => $"  {label.Score,7:0.00000}  {label.Text}"));
            predictions.Add((JsonNode)new JsonObject
            {
                ["image"] = Path.GetFileName(image),
                ["milliseconds"] = Math.Round(milliseconds, 2),
                ["top"] = new JsonArray([.. labels.Select(label => (JsonNode)new JsonObject { ["index"] = label.Index, ["label"] = label.Text, ["score"] = label.Score })]),
            });
        }
        screen.Result(
            $"verified the coordinator, manifest {deployment.Fingerprint}\nverified the workload {verified!.Workload.Type} {verified.Workload.Uuid}, measurement {verified.Workload.Measurement}\n{ModeText.Of(deployment.Manifest!, type, model)}\n{string.Join('\n', text)}",
            new JsonObject
            {
                ["manifestFingerprint"] = deployment.Fingerprint,
                ["workload"] = verified!.Workload.Uuid,
                ["simulated"] = deployment.Simulated || verified.Simulated,
                ["mode"] = verified.Workload.Modes.GetValueOrDefault(model),
                ["predictions"] = predictions,
            });
    }
}

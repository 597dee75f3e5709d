using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Cli.Verbs;

internal static class HePredictVerb
{
    private static readonly EncryptedServer Server = new();
    private static readonly RowsFile Rows = new(required: false);
    private static readonly Option<string?> Key = new("--client-key") { Description = "The client's key file; without one a fresh key serves, and is forgotten." };
    private static readonly Option<string?> Query = new("--query") { Description = "Instead of rows, a query file of he encrypt: the key stays where it is." };
    private static readonly Option<string?> Out = new("--out") { Description = "With --query: where the encrypted answer goes, for he decrypt." };
    private static readonly Passphrase Words = new();

    public static Command Create()
    {
        var verb = new Verb("predict", "Verify coordinator, manifest, chain and workload; encrypt rows, let the server compute on them, and decrypt its answer.",
            "cloister he predict --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference --model spam --token client/token --rows rows.csv",
            "cloister he predict --coordinator https://localhost:4433 --policy client/policy.json --workload https://localhost:8501 --type inference --model spam --token client/token --query rows.query --out rows.answer")
        { Key, Query, Out };
        Server.AddTo(verb);
        Rows.AddTo(verb);
        Words.AddTo(verb);
        return verb.Runs(PredictAsync);
    }

    private static async Task PredictAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        string? query = parsed.GetValue(Query), answer = parsed.GetValue(Out);
        if (Rows.IsGiven(parsed) == (query is not null)) throw new CommandException(ExitCode.Usage, "Say what to ask: --rows FILE, or --query FILE with --out FILE.");
        if (query is null != answer is null) throw new CommandException(ExitCode.Usage, "--query and --out belong together: without the key the answer is of use to he decrypt alone.");
        using OpenedServer server = await Server.OpenAsync(parsed, screen, cancellation);
        if (query is null) await PredictAsync(server, parsed, screen, cancellation);
        else await PassAsync(server, query, answer!, screen, cancellation);
    }

    private static async Task PredictAsync(OpenedServer server, ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        (IReadOnlyList<double[]> rows, int outOfRange) = await Rows.ReadAsync(parsed, server.Specification, screen, cancellation);
        using ClientKey? key = parsed.GetValue(Key) is { } path ? await EncryptedModelFiles.ReadKeyAsync(path, Words, parsed, cancellation) : null;
        using EncryptedSession session = server.Client.Open(server.Model, server.Specification, key);
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<ModelAnswer> answers = await session.PredictAsync(rows, cancellation);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        JsonObject document = server.ToJson();
        document["keyId"] = session.KeyId.ToString();
        document["milliseconds"] = Math.Round(milliseconds, 2);
        (document["bytesSent"], document["bytesReceived"]) = (session.Traffic.Sent, session.Traffic.Received);
        document["outOfRange"] = outOfRange;
        document["predictions"] = Predictions.ToJson(answers);
        screen.Result($"{server.Text}\n{rows.Count} row(s) in {milliseconds:0.0} ms; {session.Traffic.Sent:N0} bytes sent, {session.Traffic.Received:N0} received, all of them encrypted\n{Predictions.ToText(server.Specification, answers)}", document);
    }

    private static async Task PassAsync(OpenedServer server, string query, string answer, Screen screen, CancellationToken cancellation)
    {
        byte[] bytes = await LocalFile.ReadAsync(query, cancellation, Envelope.MaximumBody);
        using EncryptedSession session = server.Client.Open(server.Model, server.Specification);
        byte[] received = await session.AskAsync(bytes, cancellation);
        await LocalFile.WriteAsync(answer, received, cancellation);
        JsonObject document = server.ToJson();
        document["file"] = answer;
        (document["bytesSent"], document["bytesReceived"]) = (session.Traffic.Sent, session.Traffic.Received);
        screen.Result($"{server.Text}\nwrote the encrypted answer, {received.Length:N0} bytes, to '{answer}'", document);
    }
}

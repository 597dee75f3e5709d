using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>The control: rows that the server does hold for a moment are found by the same search.</summary>
internal sealed class ClearControl(Stack stack, ServerSearch search)
{
    private const int Attempts = 5, Rows = 64;

    /// <summary>Sends the rows to a model in the clear and searches; a server is free to overwrite what it has used, so it may take another attempt.</summary>
    public async Task<SearchResult> RunAsync(Step step, string model, IReadOnlyList<AskedRow> rows, IReadOnlyCollection<Trace> traces, CancellationToken cancellation)
    {
        CoordinatorPolicy policy = await Peer.ReadPolicyAsync(Path.Combine(stack.Workspace.Client, "policy.json"), cancellation);
        VerifiedDeployment deployment = await new DeploymentVerifier().VerifyCoordinatorAsync(new Uri(stack.ClientAddress), policy, cancellation);
        string token = (await LocalFile.ReadTextAsync(Path.Combine(stack.Workspace.Client, "token"), cancellation)).Trim();
        using var handler = new AttestedHttpHandler(deployment, StoryManifest.MarbleType);
        using var client = new PredictClient(handler, new Uri(stack.WorkloadAddress), token);
        string input = (await client.DescribeAsync(model, cancellation)).Inputs[0].Name;
        AskedRow[] sent = [.. rows.Take(Rows)];
        float[] values = [.. sent.SelectMany(row => row.Values.Select(value => (float)value))];
        for (int attempt = 1; ; attempt++)
        {
            await client.InferAsync(model, [InferTensor.Floats(input, [sent.Length, sent[0].Values.Length], values)], cancellation);
            SearchResult result = search.Run(traces, cancellation);
            if (attempt == Attempts || !result.FoundNothing || result.MemoryBytes is null)
            {
                step.Say($"{sent.Length} rows were sent to '{model}' over the verified connection{(attempt > 1 ? $", {attempt} times" : "")}");
                return result;
            }
        }
    }
}

using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class StatusVerb
{
    private static readonly Option<string> Coordinator = Peer.Coordinator();

    public static Command Create() => new Verb("status", "Ask a coordinator for its state; the answer is not verified.", "cloister status --coordinator https://localhost:4433") { Coordinator }
        .Runs(async (parsed, screen, cancellation) =>
        {
            StatusV3 status = await UnverifiedCoordinator.GetStatusAsync(Peer.Address(parsed.GetRequiredValue(Coordinator)), cancellation: cancellation);
            screen.Result(
                $"{(int)status.Code}: {status.Message}{(status.Simulated ? " (SIMULATED evidence)" : "")}",
                new JsonObject { ["code"] = (int)status.Code, ["status"] = status.Message, ["simulated"] = status.Simulated });
        });
}

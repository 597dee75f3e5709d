using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class StatusVerb
{
    private static readonly Reach Coordinator = new(Trust.Hint);

    public static Command Create() => Coordinator.AddTo(new Verb("status", "Ask a coordinator for its state: 1 waits for recovery, 2 for a manifest, 3 activates marbles. The answer is not verified unless it is said how.",
            "cloister status localhost:4433",
            "cloister status --coordinator https://localhost:4433 --policy owner/policy.json"))
        .Runs(async (parsed, screen, cancellation) =>
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            (int code, string message, bool simulated) = await AskAsync(reached, cancellation);
            screen.Result(
                $"{code}: {message}{(simulated ? " (SIMULATED evidence)" : "")}{(reached.RootKey is null ? " (not verified)" : "")}",
                new JsonObject { ["code"] = code, ["status"] = message, ["simulated"] = simulated, ["verified"] = reached.IsVerified });
        });

    /// <summary>The state on whichever wire the coordinator speaks; over the known key, or that of whoever answers.</summary>
    public static async Task<(int Code, string Message, bool Simulated)> AskAsync(ReachedCoordinator reached, CancellationToken cancellation)
    {
        if (reached.Deployment is { } deployment)
        {
            using var own = new CoordinatorClient(deployment);
            StatusV3 status = await own.GetStatusAsync(cancellation);
            return ((int)status.Code, status.Message, status.Simulated);
        }
        if (reached.RootKey is null)
        {
            try
            {
                StatusV3 status = await UnverifiedCoordinator.GetStatusAsync(reached.Address, cancellation: cancellation);
                return ((int)status.Code, status.Message, status.Simulated);
            }
            catch (ClientException old) when (old.HttpStatus is 404 or 405)
            {
                // A MarbleRun coordinator: it is asked on its own wire below.
                return await AskMarbleRunAsync(reached, cancellation);
            }
        }
        return await AskMarbleRunAsync(reached, cancellation);
    }

    private static async Task<(int Code, string Message, bool Simulated)> AskMarbleRunAsync(ReachedCoordinator reached, CancellationToken cancellation)
    {
        using MarbleRunClient client = reached.Client();
        MarbleRunStatus status = await client.GetStatusAsync(cancellation);
        return (status.Code, status.Message, false);
    }
}

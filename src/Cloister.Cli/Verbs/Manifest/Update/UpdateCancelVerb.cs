using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

internal static class UpdateCancelVerb
{
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Identity User = new();

    public static Command Create() => User.AddTo(Coordinator.AddTo(new Verb("cancel", "Withdraw the pending update; every user who may update the manifest can.",
            "cloister manifest update cancel localhost:4433 --policy owner/policy.json --cert admin.crt --key admin.key")))
        .Runs(async (parsed, screen, cancellation) =>
        {
            using OpenedIdentity user = await User.OpenAsync(parsed, cancellation);
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            if (reached.Deployment is { } deployment)
            {
                // What is withdrawn is named: an update that takes its place in between stays.
                using var own = new CoordinatorClient(deployment, user.Certificate);
                await own.CancelUpdateAsync((await own.GetPendingUpdateAsync(cancellation)).Fingerprint, cancellation);
            }
            else
            {
                using MarbleRunClient client = reached.Client(user.Certificate);
                await client.CancelUpdateAsync(cancellation);
            }
            screen.Result("the pending update is withdrawn", new JsonObject { ["cancelled"] = true });
        });
}

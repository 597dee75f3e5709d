using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class CheckVerb
{
    private const string UsualAddress = "localhost:4433";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly Argument<string> Address = new("address") { Description = "The coordinator's client address.", DefaultValueFactory = _ => UsualAddress };
    private static readonly Option<uint> Timeout = new("--timeout") { Description = "Seconds to wait.", DefaultValueFactory = _ => 60 };

    public static Command Create() => new Verb("check", "Wait until a coordinator answers and is ready; the answer is not verified.",
        "cloister check",
        "cloister check coordinator.example.com:4433 --timeout 120") { Address, Timeout }
        .Runs(async (parsed, screen, cancellation) =>
        {
            Uri address = Peer.Address(parsed.GetRequiredValue(Address));
            var reached = new ReachedCoordinator(address, null, null, null);
            TimeProvider time = TimeProvider.System;
            long start = time.GetTimestamp();
            var patience = TimeSpan.FromSeconds(parsed.GetValue(Timeout));
            while (true)
            {
                string reason;
                try
                {
                    (int code, string message, _) = await StatusVerb.AskAsync(reached, cancellation);
                    if (code != (int)CoordinatorState.Uninitialized)
                    {
                        screen.Result($"the coordinator at {address.Authority} answers\n{code}: {message}", new JsonObject { ["ready"] = true, ["code"] = code, ["status"] = message });
                        return;
                    }
                    reason = message;
                }
                catch (ClientException absent)
                {
                    reason = absent.Message;
                }
                if (time.GetElapsedTime(start) + Pause > patience)
                    throw new CommandException(ExitCode.Unavailable, $"The coordinator at {address.Authority} was not ready after {patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s: {reason}");
                await Task.Delay(Pause, time, cancellation);
            }
        });
}

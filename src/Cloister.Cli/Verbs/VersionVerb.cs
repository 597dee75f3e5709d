using System.CommandLine;
using System.Reflection;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Verbs;

internal static class VersionVerb
{
    private static readonly Argument<string?> Address = new("address") { Description = "Also ask the coordinator at this client address; its answer is not verified.", Arity = ArgumentArity.ZeroOrOne };

    /// <summary>This program's version.</summary>
    public static string Own { get; } = typeof(VersionVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static Command Create() => new Verb("version", "This program's version, and a coordinator's.", "cloister version", "cloister version localhost:4433") { Address }
        .Runs(async (parsed, screen, cancellation) =>
        {
            if (parsed.GetValue(Address) is not { } address)
            {
                screen.Result($"CLI version: {Own}", new JsonObject { ["cli"] = Own });
                return;
            }
            string coordinator;
            try
            {
                StatusV3 status = await UnverifiedCoordinator.GetStatusAsync(Peer.Address(address), cancellation: cancellation);
                coordinator = status.Version;
            }
            catch (ClientException old) when (old.HttpStatus is 404 or 405)
            {
                coordinator = "not told (a MarbleRun coordinator does not say its version)";
            }
            screen.Result($"CLI version: {Own}\ncoordinator version: {coordinator}", new JsonObject { ["cli"] = Own, ["coordinator"] = coordinator });
        });
}

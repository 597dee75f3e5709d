using System.Net.Sockets;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Tests;

/// <summary>
/// Asks the simulator named in CLOISTER_SIMULATOR for evidence about this very process, for the nonce and key in PEER_NONCE and
/// PEER_KEY (hexadecimal), and prints it as hexadecimal; a refusal is printed by its number. Arguments are only there to be seen.
/// With PEER_LEAVES set it connects and ends at once.
/// </summary>
internal static class Program
{
    private static async Task<int> Main()
    {
        if (Environment.GetEnvironmentVariable("PEER_LEAVES") is not null)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Variable(PlatformOptions.SimulatorVariable)));
            return 0;
        }
        var issuer = new SimulatorIssuer(Variable(PlatformOptions.SimulatorVariable));
        try
        {
            var binding = new Binding(AttesterRole.Workload, Convert.FromHexString(Variable("PEER_NONCE")), Convert.FromHexString(Variable("PEER_KEY")));
            EvidenceSet evidence = await issuer.IssueAsync(binding, "from the peer"u8.ToArray(), CancellationToken.None);
            await Console.Out.WriteLineAsync(Convert.ToHexString(EvidenceCodec.Encode(evidence)));
            return 0;
        }
        catch (PlatformException refused)
        {
            await Console.Out.WriteLineAsync($"{refused.Error}: {refused.Message}");
            return 1;
        }
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set.");
}

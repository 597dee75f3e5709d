using System.Net;
using Cloister.Protocol.Rest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator;

/// <summary>Ids 2000-2049 are this folder's; an id is never reused.</summary>
internal static partial class HostLog
{
    [LoggerMessage(2000, LogLevel.Information, "Coordinator listens for clients on {Client} and for workloads on {Mesh}")]
    public static partial void Listening(this ILogger logger, IPEndPoint client, IPEndPoint mesh);

    [LoggerMessage(2001, LogLevel.Information, "State opened: {State}, version {Version}")]
    public static partial void StateOpened(this ILogger logger, CoordinatorState state, long version);

    [LoggerMessage(2002, LogLevel.Error, "RECOVERY: the state in {Folder} cannot be opened and was left as it is: {Reason}")]
    public static partial void RecoveryNeeded(this ILogger logger, string folder, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "OE_SIMULATION: any marble is activated on MarbleRun's wire without proof")]
    public static partial void MarbleRunSimulation(this ILogger logger);

    [LoggerMessage(2004, LogLevel.Warning, "SIMULATED: this coordinator's evidence proves nothing against its host")]
    public static partial void SimulatedEvidence(this ILogger logger);
}

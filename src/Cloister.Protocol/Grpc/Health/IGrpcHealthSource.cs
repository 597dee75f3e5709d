using Microsoft.Extensions.Primitives;

namespace Cloister.Protocol.Grpc.Health;

/// <summary>Whether a service answers, with the numbers of <c>grpc.health.v1</c>.</summary>
public enum GrpcServingStatus
{
    /// <summary>Not said yet.</summary>
    Unknown = 0,
    /// <summary>It answers.</summary>
    Serving = 1,
    /// <summary>It is here, but does not answer now.</summary>
    NotServing = 2,
}

/// <summary>Knows which services answer. It may be asked by many calls at once.</summary>
public interface IGrpcHealthSource
{
    /// <summary>Every service there is, with its status; the empty name is the server as a whole.</summary>
    IEnumerable<KeyValuePair<string, GrpcServingStatus>> Services { get; }

    /// <summary>The status of one service; null if there is none of the name.</summary>
    GrpcServingStatus? Find(string service);

    /// <summary>A token that fires at the next change of anything. Taken before the status is read, it misses none.</summary>
    IChangeToken Changed();
}

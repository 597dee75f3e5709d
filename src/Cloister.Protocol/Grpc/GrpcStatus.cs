namespace Cloister.Protocol.Grpc;

/// <summary>gRPC's status codes, with its numbers.</summary>
public enum GrpcStatus
{
    /// <summary>Success.</summary>
    Ok = 0,
    /// <summary>The caller gave up.</summary>
    Cancelled = 1,
    /// <summary>An error that has no code of its own.</summary>
    Unknown = 2,
    /// <summary>The request is wrong whatever the state.</summary>
    InvalidArgument = 3,
    /// <summary>The call's deadline passed.</summary>
    DeadlineExceeded = 4,
    /// <summary>What was asked for is not there.</summary>
    NotFound = 5,
    /// <summary>What was to be made exists.</summary>
    AlreadyExists = 6,
    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,
    /// <summary>A quota, size or memory bound is reached.</summary>
    ResourceExhausted = 8,
    /// <summary>The state does not admit this request now.</summary>
    FailedPrecondition = 9,
    /// <summary>Another request came between.</summary>
    Aborted = 10,
    /// <summary>Past the valid range.</summary>
    OutOfRange = 11,
    /// <summary>The method, or an encoding, is unknown here.</summary>
    Unimplemented = 12,
    /// <summary>An invariant is broken, or a message could not be read.</summary>
    Internal = 13,
    /// <summary>Not reachable now; try again.</summary>
    Unavailable = 14,
    /// <summary>Data is lost.</summary>
    DataLoss = 15,
    /// <summary>No valid credentials.</summary>
    Unauthenticated = 16,
}

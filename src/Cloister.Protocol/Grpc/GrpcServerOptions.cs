namespace Cloister.Protocol.Grpc;

/// <summary>Bounds of a served method.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Largest request message in bytes, before and after inflating. 4 MiB, as gRPC's own servers.</summary>
    public int MaxRequestBytes { get; init; } = 4 << 20;

    /// <summary>Longest time a call may take whatever its caller asked for; null for no bound of our own.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>When answers are compressed. Never for a caller who does not offer to read it.</summary>
public enum GrpcCompression
{
    /// <summary>Where the caller's own messages are.</summary>
    AsRequested,
    /// <summary>Where the caller reads it. Not for answers that hold both a secret and what an attacker may choose: their length would tell.</summary>
    Always,
    /// <summary>Nowhere.</summary>
    Never,
}

/// <summary>Bounds of a served method.</summary>
public sealed record GrpcServerOptions
{
    /// <summary>Largest request message in bytes, before and after inflating. 4 MiB, as gRPC's own servers.</summary>
    public int MaxRequestBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Asked before a message of more than <see cref="SmallMessageBytes"/> is read into memory; throws <see cref="GrpcException"/> to refuse
    /// it. For services that know from the headers alone who may send much. Null admits everybody.
    /// </summary>
    public Action<HttpContext>? AdmitLarge { get; init; }

    /// <summary>What anybody may send without <see cref="AdmitLarge"/>, in bytes.</summary>
    public int SmallMessageBytes { get; init; } = 64 << 10;

    /// <summary>Longest time a call may take whatever its caller asked for; null for no bound of our own.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>When answers are compressed.</summary>
    public GrpcCompression Compression { get; init; }

    /// <summary>The clock of deadlines.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Reads the prefix at the start of a buffer and admits the message that it announces.</summary>
    /// <exception cref="GrpcException">The prefix is malformed, the message over the limit or not admitted.</exception>
    internal (bool Compressed, int Length) Admit(in ReadOnlySequence<byte> buffer, HttpContext http)
    {
        (bool compressed, int length) = GrpcFrame.ReadPrefix(buffer, MaxRequestBytes);
        if (length > SmallMessageBytes) AdmitLarge?.Invoke(http);
        return (compressed, length);
    }
}

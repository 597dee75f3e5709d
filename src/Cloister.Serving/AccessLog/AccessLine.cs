using System.Buffers;
using System.Text.Json;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.AccessLog;

/// <summary>What the access log keeps of a request: who, what, how long, how it ended; nothing of what it held.</summary>
internal readonly record struct AccessLine(
    DateTimeOffset Time, string Surface, string Method, string? Model, long Version, string? Caller, int Status, ServingError? Refusal,
    long BytesIn, long BytesOut, long Items, TimeSpan Total, TimeSpan Queued, TimeSpan Computed, string? Trace)
{
    /// <summary>Copies what is kept.</summary>
    public static AccessLine Of(RequestRecord request, TimeSpan total, DateTimeOffset ended) => new(
        ended, request.Surface, request.Method, request.Model, request.Version, request.Caller, request.Status, request.Refusal,
        request.BytesIn, request.BytesOut, request.Items, total, request.Queued, request.Computed, request.Span?.TraceId.ToHexString());

    /// <summary>Writes one line of JSON.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, Time);
            json.WriteString("surface"u8, Surface);
            json.WriteString("method"u8, Method);
            if (Model is not null) json.WriteString("model"u8, Model);
            if (Version != 0) json.WriteNumber("version"u8, Version);
            if (Caller is not null) json.WriteString("caller"u8, Caller);
            json.WriteNumber("status"u8, Status);
            if (Refusal is { } refusal) json.WriteNumber("refusal"u8, (int)refusal);
            json.WriteNumber("bytesIn"u8, BytesIn);
            json.WriteNumber("bytesOut"u8, BytesOut);
            if (Items != 0) json.WriteNumber("items"u8, Items);
            json.WriteNumber("totalMicroseconds"u8, (long)Total.TotalMicroseconds);
            if (Computed > TimeSpan.Zero)
            {
                json.WriteNumber("queuedMicroseconds"u8, (long)Queued.TotalMicroseconds);
                json.WriteNumber("computedMicroseconds"u8, (long)Computed.TotalMicroseconds);
            }
            if (Trace is not null) json.WriteString("trace"u8, Trace);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }
}

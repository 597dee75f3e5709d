using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Coordinator.Metrics;

/// <summary>An activation, as MarbleRun's <c>/events</c> shows it.</summary>
/// <param name="MarbleType">Its type.</param>
/// <param name="Uuid">Its UUID.</param>
/// <param name="Quote">The SGX quote that it was activated for; null in Cloister's mode, where there is none, in simulation without one, and where it is large.</param>
internal sealed record ActivationEvent([property: JsonPropertyName("marbleType")] string MarbleType, [property: JsonPropertyName("uuid")] string Uuid, [property: JsonPropertyName("quote")] byte[]? Quote);

/// <summary>Something that happened.</summary>
internal sealed record CoordinatorEvent([property: JsonPropertyName("time")] DateTimeOffset Time, [property: JsonPropertyName("activation")] ActivationEvent Activation);

// The generated fast path would write a missing quote as an empty one.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CoordinatorEvent[]))]
internal sealed partial class EventJson : JsonSerializerContext;

/// <summary>The latest activations, oldest first; older ones are forgotten.</summary>
internal sealed class ActivationEvents(TimeProvider time)
{
    internal const int MaxEvents = 256, MaxQuote = 16 << 10;

    private readonly Lock _lock = new();
    private readonly Queue<CoordinatorEvent> _latest = new(MaxEvents);

    public void Add(string type, Guid uuid, ReadOnlyMemory<byte> quote)
    {
        var happened = new CoordinatorEvent(time.GetUtcNow(), new ActivationEvent(type, $"{uuid:D}", quote.Length is > 0 and <= MaxQuote ? quote.ToArray() : null));
        lock (_lock)
        {
            if (_latest.Count == MaxEvents)
                _latest.Dequeue();
            _latest.Enqueue(happened);
        }
    }

    public byte[] ToJson()
    {
        CoordinatorEvent[] events;
        lock (_lock)
            events = [.. _latest];
        return [.. JsonSerializer.SerializeToUtf8Bytes(events, EventJson.Default.CoordinatorEventArray), (byte)'\n'];
    }
}

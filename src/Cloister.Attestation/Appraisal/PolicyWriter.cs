using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>Writes a <see cref="PackagePolicy"/> as the JSON that <see cref="PolicyReader"/> reads.</summary>
public static class PolicyWriter
{
    /// <summary>The policy as UTF-8 JSON.</summary>
    /// <exception cref="ArgumentException">The policy asks for something that has no written form.</exception>
    public static byte[] Write(PackagePolicy policy)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output))
            Write(writer, policy);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Writes the policy as a JSON value into a larger document.</summary>
    /// <exception cref="ArgumentException">The policy asks for something that has no written form.</exception>
    public static void Write(Utf8JsonWriter writer, PackagePolicy policy)
    {
        writer.WriteStartObject();
        switch (policy)
        {
            case AllOf all: WriteParts(writer, "AllOf", all.Parts); break;
            case AnyOf any: WriteParts(writer, "AnyOf", any.Parts); break;
            case SimulationPolicy simulation: WriteSimulation(writer, simulation); break;
            case UnsupportedPolicy unsupported:
                writer.WriteStartObject(unsupported.Kind.ToString());
                writer.WriteEndObject();
                break;
            default: throw new ArgumentException($"{policy.GetType().Name} has no written form.", nameof(policy));
        }
        writer.WriteEndObject();
    }

    private static void WriteParts(Utf8JsonWriter writer, string name, ImmutableArray<PackagePolicy> parts)
    {
        writer.WriteStartArray(name);
        foreach (PackagePolicy part in parts)
            Write(writer, part);
        writer.WriteEndArray();
    }

    private static void WriteSimulation(Utf8JsonWriter writer, SimulationPolicy policy)
    {
        writer.WriteStartObject("Simulation");
        switch (policy.Digest)
        {
            case Requirement<string>.Exactly exactly: writer.WriteString("Digest", exactly.Value); break;
            case Requirement<string>.OneOf oneOf:
                writer.WriteStartObject("Digest");
                writer.WriteStartArray("OneOf");
                foreach (string digest in oneOf.Values)
                    writer.WriteStringValue(digest);
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case Requirement<string>.Any:
                writer.WriteStartObject("Digest");
                writer.WriteBoolean("Any", true);
                writer.WriteEndObject();
                break;
            default: throw new ArgumentException("Digests have no order: AtLeast has no written form.", nameof(policy));
        }
        writer.WriteStartArray("HostKeys");
        foreach (ReadOnlyMemory<byte> key in policy.HostKeys)
            writer.WriteBase64StringValue(key.Span);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

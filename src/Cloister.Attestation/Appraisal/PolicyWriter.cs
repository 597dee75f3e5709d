using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;

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
            case SnpPolicy snp: SnpPolicyJson.Write(writer, snp); break;
            case TpmPolicy tpm: TpmPolicyJson.Write(writer, tpm); break;
            case TdxPolicy tdx: DcapPolicyJson.Write(writer, tdx); break;
            case SgxPolicy sgx: DcapPolicyJson.Write(writer, sgx); break;
            case UnsupportedPolicy unsupported:
                writer.WriteStartObject(unsupported.Kind.ToString());
                writer.WriteEndObject();
                break;
            default: throw new ArgumentException($"{policy.GetType().Name} has no written form.", nameof(policy));
        }
        writer.WriteEndObject();
    }

    /// <summary>Writes what is asked of a digest or of other bytes.</summary>
    internal static void WriteRequirement(Utf8JsonWriter writer, string name, Requirement<string> wanted)
    {
        switch (wanted)
        {
            case Requirement<string>.Exactly exactly: writer.WriteString(name, exactly.Value); break;
            case Requirement<string>.OneOf oneOf:
                writer.WriteStartObject(name);
                writer.WriteStartArray("OneOf");
                foreach (string value in oneOf.Values)
                    writer.WriteStringValue(value);
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case Requirement<string>.Any: WriteAny(writer, name); break;
            default: throw new ArgumentException("Digests have no order: AtLeast has no written form.", nameof(wanted));
        }
    }

    /// <summary>Writes what is asked of a number.</summary>
    internal static void WriteRequirement(Utf8JsonWriter writer, string name, Requirement<long> wanted)
    {
        switch (wanted)
        {
            case Requirement<long>.Exactly exactly: writer.WriteNumber(name, exactly.Value); break;
            case Requirement<long>.OneOf oneOf:
                writer.WriteStartObject(name);
                writer.WriteStartArray("OneOf");
                foreach (long value in oneOf.Values)
                    writer.WriteNumberValue(value);
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case Requirement<long>.AtLeast atLeast:
                writer.WriteStartObject(name);
                writer.WriteNumber("AtLeast", atLeast.Value);
                writer.WriteEndObject();
                break;
            default: WriteAny(writer, name); break;
        }
    }

    /// <summary>Writes what is asked of a version.</summary>
    internal static void WriteRequirement(Utf8JsonWriter writer, string name, Requirement<Version> wanted)
    {
        switch (wanted)
        {
            case Requirement<Version>.Exactly exactly: writer.WriteString(name, $"{exactly.Value}"); break;
            case Requirement<Version>.OneOf oneOf:
                writer.WriteStartObject(name);
                writer.WriteStartArray("OneOf");
                foreach (Version value in oneOf.Values)
                    writer.WriteStringValue($"{value}");
                writer.WriteEndArray();
                writer.WriteEndObject();
                break;
            case Requirement<Version>.AtLeast atLeast:
                writer.WriteStartObject(name);
                writer.WriteString("AtLeast", $"{atLeast.Value}");
                writer.WriteEndObject();
                break;
            default: WriteAny(writer, name); break;
        }
    }

    /// <summary>Writes what is asked of a yes or no.</summary>
    internal static void WriteRequirement(Utf8JsonWriter writer, string name, Requirement<bool> wanted)
    {
        switch (wanted)
        {
            case Requirement<bool>.Exactly exactly: writer.WriteBoolean(name, exactly.Value); break;
            case Requirement<bool>.Any: WriteAny(writer, name); break;
            default: throw new ArgumentException("Of two values, name one or any.", nameof(wanted));
        }
    }

    /// <summary>Writes what is asked of a bit field.</summary>
    internal static void WriteRequirement(Utf8JsonWriter writer, string name, BitRequirement wanted)
    {
        if (wanted == BitRequirement.Any)
        {
            WriteAny(writer, name);
            return;
        }
        writer.WriteStartObject(name);
        writer.WriteString("Required", $"0x{wanted.Required:x16}");
        writer.WriteString("Allowed", $"0x{wanted.Allowed:x16}");
        writer.WriteEndObject();
    }

    internal static void WriteAny(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartObject(name);
        writer.WriteBoolean("Any", true);
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
        WriteRequirement(writer, "Digest", policy.Digest);
        writer.WriteStartArray("HostKeys");
        foreach (ReadOnlyMemory<byte> key in policy.HostKeys)
            writer.WriteBase64StringValue(key.Span);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

using System.Buffers;
using System.Text.Json;
using Cloister.Attestation;

namespace Cloister.Protocol.Trust;

/// <summary>
/// What a workload or client accepts as its coordinator (docs/formats/coordinator-policy.md). It comes from elsewhere than the
/// deployment: a workload's is part of what is measured of it, a client has it from the model's or data's owner.
/// </summary>
/// <param name="Coordinator">What may run as the coordinator.</param>
/// <param name="Owners">Who must have signed the manifest.</param>
/// <param name="Manifest">Which manifest must be in force.</param>
public sealed record CoordinatorPolicy(PackagePolicy Coordinator, OwnerRequirement Owners, ManifestRequirement Manifest)
{
    /// <summary>The usual file's name.</summary>
    public const string FileName = "coordinator-policy.json";

    /// <summary>Largest document in bytes.</summary>
    public const int MaxBytes = 256 << 10;

    internal const string CoordinatorMember = "Coordinator", OwnersMember = "OwnerKeys", ManifestMember = "Manifest";

    /// <summary>The same coordinator before its first manifest, for whoever is about to set it.</summary>
    public CoordinatorPolicy BeforeManifest() => this with { Owners = OwnerRequirement.AnyOwner, Manifest = ManifestRequirement.NoneYet };

    /// <summary>Reads a policy. Every member must be there; unknown and repeated ones are refused.</summary>
    public static Outcome<CoordinatorPolicy> Read(ReadOnlySpan<byte> json) => CoordinatorPolicyReader.Read(json);

    /// <summary>The policy as UTF-8 JSON.</summary>
    /// <exception cref="InvalidOperationException">It asks for <see cref="ManifestRequirement.NoneYet"/>, which has no written form.</exception>
    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WritePropertyName(CoordinatorMember);
            PolicyWriter.Write(writer, Coordinator);
            WriteOwners(writer);
            WriteManifest(writer);
            writer.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    private void WriteOwners(Utf8JsonWriter writer)
    {
        if (Owners is not OwnerRequirement.SignedBy { Keys: var keys })
        {
            writer.WriteString(OwnersMember, "Any");
            return;
        }
        writer.WriteStartArray(OwnersMember);
        foreach (ReadOnlyMemory<byte> key in keys) writer.WriteBase64StringValue(key.Span);
        writer.WriteEndArray();
    }

    private void WriteManifest(Utf8JsonWriter writer)
    {
        switch (Manifest)
        {
            case ManifestRequirement.Exactly exactly:
                writer.WriteStartObject(ManifestMember);
                writer.WriteString("Exactly", exactly.Fingerprint);
                writer.WriteEndObject();
                break;
            case ManifestRequirement.Any:
                writer.WriteString(ManifestMember, "Any");
                break;
            default:
                throw new InvalidOperationException("A policy for a coordinator without a manifest has no written form.");
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Homomorphic.Models;

/// <summary>Client specifications as JSON: what a server publishes of a model. Every member stands there; an unknown one, or one that is there twice, is refused, and so is any number out of its range.</summary>
public static class ClientSpecificationJson
{
    /// <summary>The most bytes that are read.</summary>
    public const int MaximumBytes = 32 << 20;

    /// <summary>Writes a specification. The same one always gives the same bytes.</summary>
    public static byte[] Write(ClientSpecification specification) => JsonSerializer.SerializeToUtf8Bytes(specification, SpecificationJson.Default.ClientSpecification);

    /// <summary>Reads a specification and checks every range. Whether its parameters are secure is checked where a client is made of it: <see cref="ModelClients.Create"/>.</summary>
    /// <exception cref="HomomorphicException">It is refused (<see cref="HomomorphicError.Specification"/>), with the member and the reason.</exception>
    public static ClientSpecification Read(ReadOnlySpan<byte> json) => Read(json, published: true);

    /// <summary>Never throws anything but the refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            _ = Write(Read(json));
        }
        catch (HomomorphicException refusal) when (refusal.Error == HomomorphicError.Specification)
        {
            _ = refusal.Message;
        }
    }

    // Within a compiled model the digest is empty: it is the digest of the bytes around it.
    internal static ClientSpecification Read(ReadOnlySpan<byte> json, bool published)
    {
        if (json.Length > MaximumBytes) throw new HomomorphicException(HomomorphicError.Specification, $"A client specification has at most {MaximumBytes} bytes, not {json.Length}.");
        ClientSpecification? read;
        try
        {
            read = JsonSerializer.Deserialize(json, SpecificationJson.Default.ClientSpecification);
        }
        catch (JsonException exception)
        {
            throw new HomomorphicException(HomomorphicError.Specification, $"The client specification is not readable at {exception.Path ?? "its beginning"}: {exception.Message}", exception);
        }
        SpecificationCheck.Require(read, published);
        return read;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ClientSpecification))]
internal sealed partial class SpecificationJson : JsonSerializerContext;

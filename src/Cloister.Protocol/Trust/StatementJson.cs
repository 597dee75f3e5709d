using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cloister.Protocol.Trust;

/// <summary>Strict JSON of the statements in evidence.</summary>
[JsonSerializable(typeof(CoordinatorStatement))]
[JsonSerializable(typeof(WorkloadStatement.Written))]
internal sealed partial class StatementJson : JsonSerializerContext
{
    public static StatementJson Strict { get; } = new(new JsonSerializerOptions
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 4,
    });

    public static void Require(bool holds, string field, string reason)
    {
        if (!holds) throw new ProtocolException(ProtocolError.BadValue, field, reason + ".");
    }
}

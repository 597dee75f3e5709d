using System.Text.Json.Serialization;

namespace Cloister.Partitioning.Reports;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowDuplicateProperties = false,
    UseStringEnumConverter = true,
    WriteIndented = true,
    NewLine = "\n",
    MaxDepth = 16)]
[JsonSerializable(typeof(AssessmentReport))]
internal sealed partial class AssessmentJson : JsonSerializerContext;

using Cloister.Serving.Json;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.OpenInference;

/// <summary><c>{"error": "..."}</c>, as the protocol's <c>$inference_error_response</c> has it.</summary>
internal sealed class OpenInferenceErrors : SurfaceErrors
{
    public override string Surface => "open-inference-rest";

    public override void Write(JsonOutput json, string message) => json.Raw("{\"error\":"u8).Text(message).Raw("}"u8);
}

using Cloister.Serving.Json;
using Cloister.Serving.Surfaces;
using Cloister.Serving.TensorFlow.Json;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.TensorFlow;

/// <summary>TF Serving's error body, and the statuses it gives where they differ: a full queue is RESOURCE_EXHAUSTED.</summary>
internal sealed class TensorFlowErrors : SurfaceErrors
{
    public override string Surface => "tensorflow-rest";

    public override int Status(ServingError error) =>
        error == ServingError.Overloaded ? StatusCodes.Status429TooManyRequests : base.Status(error);

    public override void Write(JsonOutput json, string message)
    {
        json.Raw("{\n    \"error\": "u8);
        EscapedText.Write(json, message);
        json.Raw("\n}"u8);
    }
}

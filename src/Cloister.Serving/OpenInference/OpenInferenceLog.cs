using Microsoft.Extensions.Logging;

namespace Cloister.Serving.OpenInference;

/// <summary>Ids 4350-4399 are this folder's. A request's content and its credentials are never parameters.</summary>
internal static partial class OpenInferenceLog
{
    [LoggerMessage(4350, LogLevel.Information, "Caller {Caller} asks to load model {Model}")]
    public static partial void Loads(this ILogger logger, string? caller, string model);

    [LoggerMessage(4351, LogLevel.Information, "Caller {Caller} asks to unload model {Model}")]
    public static partial void Unloads(this ILogger logger, string? caller, string model);
}

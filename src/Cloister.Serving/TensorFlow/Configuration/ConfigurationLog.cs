using Microsoft.Extensions.Logging;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>Ids 4550-4599 are this folder's.</summary>
internal static partial class ConfigurationLog
{
    [LoggerMessage(4550, LogLevel.Information, "{Path} is followed: {Models} model(s)")]
    public static partial void ConfigurationFollowed(this ILogger logger, string path, int models);

    [LoggerMessage(4551, LogLevel.Error, "The model configuration is not followed, what was served before is served on (serving error {Error}): {Reason}")]
    public static partial void ConfigurationRefused(this ILogger logger, int error, string reason);

    [LoggerMessage(4553, LogLevel.Error, "The model configuration could not be followed")]
    public static partial void ConfigurationFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4552, LogLevel.Warning, "{Note}")]
    public static partial void ConfigurationNoted(this ILogger logger, string note);
}

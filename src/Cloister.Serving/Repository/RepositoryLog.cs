using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Repository;

/// <summary>Ids 4000-4149 are this folder's.</summary>
internal static partial class RepositoryLog
{
    [LoggerMessage(4100, LogLevel.Information, "Model {Model} version {Version} is ready after {Milliseconds:0} ms")]
    public static partial void ModelReady(this ILogger logger, string model, long version, double milliseconds);

    [LoggerMessage(4101, LogLevel.Error, "Model {Model} is unavailable (serving error {Error}): {Reason}")]
    public static partial void ModelRefused(this ILogger logger, string model, int error, string reason);

    [LoggerMessage(4102, LogLevel.Error, "Model {Model} could not be opened")]
    public static partial void ModelFailed(this ILogger logger, string model, Exception exception);

    [LoggerMessage(4000, LogLevel.Warning, "{Length} bytes of a decrypted model could not be locked ({Problem}) and may reach swap: allow this process more locked memory (ulimit -l unlimited, LimitMEMLOCK=infinity in systemd, --ulimit memlock=-1 in a container), or use encrypted swap or none. This is said once")]
    public static partial void MemoryNotLocked(this ILogger logger, long length, string problem);

    [LoggerMessage(4001, LogLevel.Information, "Model {Model} version {Version} is released")]
    public static partial void ModelReleased(this ILogger logger, string model, long version);

    [LoggerMessage(4002, LogLevel.Error, "The store could not be looked through; it is tried again")]
    public static partial void RoundFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4003, LogLevel.Error, "{Reason}")]
    public static partial void LabelsRefused(this ILogger logger, string reason);
}

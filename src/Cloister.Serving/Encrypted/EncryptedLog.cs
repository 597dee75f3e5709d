using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Encrypted;

/// <summary>Ids 4600-4649 are this folder's. Queries, answers and keys are never parameters.</summary>
internal static partial class EncryptedLog
{
    [LoggerMessage(4600, LogLevel.Warning, "Requests of model {Model} are not joined into batches: each query is encrypted under a key of its own")]
    public static partial void EncryptedNotBatched(this ILogger logger, string model);

    [LoggerMessage(4601, LogLevel.Warning, "ENCRYPTED MODEL {Model} CAN BE COPIED BY ASKING: {Callers} may ask any number of rows, and {Rows} answered rows determine it. Give them Rows in the manifest's Quota")]
    public static partial void LinearWithoutQuota(this ILogger logger, string model, string callers, long rows);

    [LoggerMessage(4604, LogLevel.Warning, "ENCRYPTED MODEL {Model} CAN BE COPIED BY ASKING: it was compiled without circuit privacy, so that one answer tells its rounded weights, and {Callers} may ask any number of rows. Compile it with circuit privacy and give them Rows in the manifest's Quota, unless they may know the model")]
    public static partial void OpenLinearWithoutQuota(this ILogger logger, string model, string callers);

    [LoggerMessage(4602, LogLevel.Warning, "ENCRYPTED MODEL {Model} CAN BE LEARNED BY ASKING: {Callers} may ask any number of rows. Give them Rows in the manifest's Quota")]
    public static partial void ForestWithoutQuota(this ILogger logger, string model, string callers);

    [LoggerMessage(4603, LogLevel.Information, "Envelope keys come from a master that the manifest gives: they outlive this server")]
    public static partial void MasterGiven(this ILogger logger);
}

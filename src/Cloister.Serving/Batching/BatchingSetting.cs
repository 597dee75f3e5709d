using Cloister.Serving.Json;

namespace Cloister.Serving.Batching;

/// <summary>
/// What a model's maker says about batches in <c>config.json</c>: nothing, <c>"batching": false</c> (never, whatever an operator says), or
/// an object of sizes, which an operator's own take the place of.
/// </summary>
/// <param name="Forbidden">Whether requests must never be joined.</param>
/// <param name="Options">The maker's sizes; null where it gave none.</param>
public sealed record BatchingSetting(bool Forbidden, BatchingOptions? Options)
{
    /// <summary>How requests are joined, given what the operator wants; null if they are not.</summary>
    public BatchingOptions? With(BatchingOptions? operators) => Forbidden ? null : operators ?? Options;

    internal static BatchingSetting Read(ref JsonCursor cursor)
    {
        if (cursor.Peek() == JsonKind.Boolean)
            return cursor.ReadBoolean("'batching'") ? new BatchingSetting(false, new BatchingOptions()) : new BatchingSetting(true, null);
        int at = cursor.Position;
        var options = new BatchingOptions();
        bool sized = false;
        var seen = new MemberSet();
        cursor.OpenObject("'batching'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (seen.Adds(ref cursor, name, 0, "maxBatchSize"u8))
            {
                options = options with { MaxBatchSize = (int)cursor.ReadInteger("'maxBatchSize'", 1, BatchingOptions.LargestBatch) };
                sized = true;
            }
            else if (seen.Adds(ref cursor, name, 1, "batchTimeoutMicroseconds"u8)) options = options with { BatchTimeout = TimeSpan.FromMicroseconds(cursor.ReadInteger("'batchTimeoutMicroseconds'", 0, 60_000_000)) };
            else if (seen.Adds(ref cursor, name, 2, "maxEnqueuedBatches"u8)) options = options with { MaxEnqueuedBatches = (int)cursor.ReadInteger("'maxEnqueuedBatches'", 1, BatchingOptions.LargestBatch) };
            else if (seen.Adds(ref cursor, name, 3, "allowedBatchSizes"u8)) options = options with { AllowedBatchSizes = ReadSizes(ref cursor) };
            else if (seen.Adds(ref cursor, name, 4, "threads"u8)) options = options with { Threads = (int)cursor.ReadInteger("'threads'", 1, 4096) };
            else if (seen.Adds(ref cursor, name, 5, "splitLargeRequests"u8)) options = options with { SplitLargeRequests = cursor.ReadBoolean("'splitLargeRequests'") };
            else if (seen.Adds(ref cursor, name, 6, "waitWhenIdle"u8)) options = options with { WaitWhenIdle = cursor.ReadBoolean("'waitWhenIdle'") };
            else throw cursor.Invalid("a member of 'batching' is unknown; known are maxBatchSize, batchTimeoutMicroseconds, maxEnqueuedBatches, allowedBatchSizes, threads, splitLargeRequests, waitWhenIdle");
        }
        if (!sized && options.AllowedBatchSizes.Count > 0) options = options with { MaxBatchSize = options.AllowedBatchSizes[^1] };
        return options.Problem() is { } problem ? throw cursor.Invalid($"'batching': {problem.TrimEnd('.')}", at) : new BatchingSetting(false, options);
    }

    private static int[] ReadSizes(ref JsonCursor cursor)
    {
        const int Most = 256;
        var sizes = new List<int>();
        cursor.OpenArray("'allowedBatchSizes'");
        while (cursor.NextElement())
        {
            if (sizes.Count == Most) throw cursor.Invalid($"'allowedBatchSizes' has more than {Most} sizes");
            sizes.Add((int)cursor.ReadInteger("a size of 'allowedBatchSizes'", 1, BatchingOptions.LargestBatch));
        }
        return [.. sizes];
    }
}

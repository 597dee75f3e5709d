using System.Buffers.Text;
using Cloister.Serving.Json;

namespace Cloister.Serving.Partitioned;

/// <summary>What a partitioned model's maker says about its accelerators in <c>config.json</c>: the member <c>partition</c>.</summary>
public sealed record PartitionSetting
{
    /// <summary>The most classes of an answer.</summary>
    public const int MaximumTopK = 1000;

    /// <summary>How many of the best classes an answer has, where labels are sealed; fewer where the model has fewer.</summary>
    public int TopK { get; init; } = 5;

    /// <summary>The share of answers, 0 to 1, that are computed again inside and compared.</summary>
    public double SpotChecks { get; init; } = 0.01;

    /// <summary>Whether the part outside runs inside while no accelerator can be used; else such requests are refused.</summary>
    public bool FallsBackInside { get; init; }

    /// <summary>How long a request may wait for an accelerator's answer.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Batches that one accelerator holds at once.</summary>
    public int Depth { get; init; } = 3;

    /// <summary>Items of one batch that waiting requests are joined into; 1 joins none.</summary>
    public int MaximumBatch { get; init; } = 8;

    /// <summary>Items that one request may have. An accelerator that computes many for long looks as one that stalls, to everybody who waits for it.</summary>
    public int MaximumItems { get; init; } = 128;

    internal static PartitionSetting Read(ref JsonCursor cursor)
    {
        var setting = new PartitionSetting();
        var seen = new MemberSet();
        cursor.OpenObject("'partition'");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (seen.Adds(ref cursor, name, 0, "topK"u8)) setting = setting with { TopK = (int)cursor.ReadInteger("'topK'", 1, MaximumTopK) };
            else if (seen.Adds(ref cursor, name, 1, "spotChecks"u8)) setting = setting with { SpotChecks = ReadShare(ref cursor) };
            else if (seen.Adds(ref cursor, name, 2, "fallback"u8)) setting = setting with { FallsBackInside = ReadFallback(ref cursor) };
            else if (seen.Adds(ref cursor, name, 3, "deadlineMilliseconds"u8)) setting = setting with { Deadline = TimeSpan.FromMilliseconds(cursor.ReadInteger("'deadlineMilliseconds'", 1, 86_400_000)) };
            else if (seen.Adds(ref cursor, name, 4, "depth"u8)) setting = setting with { Depth = (int)cursor.ReadInteger("'depth'", 1, 8) };
            else if (seen.Adds(ref cursor, name, 5, "maxBatchSize"u8)) setting = setting with { MaximumBatch = (int)cursor.ReadInteger("'maxBatchSize'", 1, 256) };
            else if (seen.Adds(ref cursor, name, 6, "maxRequestItems"u8)) setting = setting with { MaximumItems = (int)cursor.ReadInteger("'maxRequestItems'", 1, 65536) };
            else throw cursor.Invalid("a member of 'partition' is unknown; known are topK, spotChecks, fallback, deadlineMilliseconds, depth, maxBatchSize, maxRequestItems");
        }
        return setting;
    }

    private static double ReadShare(ref JsonCursor cursor)
    {
        int at = cursor.Position;
        if (cursor.Peek() != JsonKind.Number) throw cursor.Invalid("'spotChecks' must be a number from 0 to 1", at);
        ReadOnlySpan<byte> token = cursor.ReadNumberToken();
        return Utf8Parser.TryParse(token, out double share, out int used) && used == token.Length && share is >= 0 and <= 1
            ? share
            : throw cursor.Invalid("'spotChecks' must be a number from 0 to 1", at);
    }

    private static bool ReadFallback(ref JsonCursor cursor) => cursor.ReadText("'fallback'") switch
    {
        "refuse" => false,
        "inside" => true,
        string other => throw cursor.Invalid($"'fallback' must be refuse or inside, not '{other}'"),
    };
}

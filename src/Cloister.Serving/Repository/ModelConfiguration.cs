using Cloister.Onnx.Pictures;
using Cloister.Serving.Batching;
using Cloister.Serving.Json;
using Cloister.Serving.Partitioned;

namespace Cloister.Serving.Repository;

/// <summary>
/// What a model's maker says about serving it: the sealed entry <c>config.json</c>. Every member is optional, unknown ones are refused.
/// </summary>
public sealed record ModelConfiguration
{
    /// <summary>The largest <c>config.json</c>, in bytes.</summary>
    public const int MaximumBytes = 64 << 10;

    /// <summary>Below this, a second, packed copy costs little and makes batches quicker.</summary>
    internal const long InPlaceByDefault = 16 << 20;

    /// <summary>How a picture becomes the model's input; null for a model that takes no pictures.</summary>
    public Preprocessing? Preprocess { get; init; }

    /// <summary>What to do with a picture of another size than the model's.</summary>
    public ResizeMode Resize { get; init; }

    /// <summary>Threads for the inside of one prediction.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>How many requests may wait; null for the server's own limit.</summary>
    public int? QueueLimit { get; init; }

    /// <summary>How many predictions may run at once; null for as many as the server has threads.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Whether and how requests are joined; null if the maker does not say.</summary>
    public BatchingSetting? Batching { get; init; }

    /// <summary>How long a prediction may take, waiting included; null for the server's own limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>From how many bytes of weights on they are used where they were decrypted, without a packed copy: 0 always, <see cref="long.MaxValue"/> never.</summary>
    public long InPlaceFrom { get; init; } = InPlaceByDefault;

    /// <summary>Whether zeros are asked of the model before anybody else may ask it.</summary>
    public bool WarmUpZeros { get; init; }

    /// <summary>How a model in parts uses its accelerators; null if the maker does not say. Only such a model may have it.</summary>
    public PartitionSetting? Partition { get; init; }

    /// <summary>Reads the document.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ConfigurationRefused"/>; the text names the member.</exception>
    public static ModelConfiguration Read(ReadOnlySpan<byte> json)
    {
        try
        {
            if (json.Length > MaximumBytes) throw new ServingException(ServingError.ConfigurationRefused, $"it is larger than {MaximumBytes} bytes.");
            return ReadDocument(json);
        }
        catch (Exception refusal) when (refusal is ServingException or PictureException)
        {
            throw new ServingException(ServingError.ConfigurationRefused, $"config.json is refused: {refusal.Message}", refusal);
        }
    }

    internal static void Fuzz(ReadOnlySpan<byte> json)
    {
        try
        {
            Read(json);
        }
        catch (ServingException refusal) when (refusal.Error == ServingError.ConfigurationRefused)
        {
            // The documented refusal.
        }
    }

    private static ModelConfiguration ReadDocument(ReadOnlySpan<byte> json)
    {
        var cursor = new JsonCursor(json);
        var configuration = new ModelConfiguration();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        cursor.OpenObject("the document");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            string member = System.Text.Encoding.UTF8.GetString(name);
            if (!seen.Add(member)) throw cursor.Invalid($"member '{member}' stands there twice");
            configuration = member switch
            {
                "preprocess" => configuration with { Preprocess = Preprocessing.Parse(cursor.ReadText("'preprocess'")) },
                "resize" => configuration with { Resize = ReadResize(ref cursor) },
                "threads" => configuration with { Threads = (int)cursor.ReadInteger("'threads'", 1, 256) },
                "queueLimit" => configuration with { QueueLimit = (int)cursor.ReadInteger("'queueLimit'", 1, 1_000_000) },
                "concurrency" => configuration with { Concurrency = (int)cursor.ReadInteger("'concurrency'", 1, 4096) },
                "batching" => configuration with { Batching = BatchingSetting.Read(ref cursor) },
                "timeoutMilliseconds" => configuration with { Timeout = TimeSpan.FromMilliseconds(cursor.ReadInteger("'timeoutMilliseconds'", 1, 86_400_000)) },
                "warmup" => configuration with { WarmUpZeros = ReadWarmUp(ref cursor) },
                "weights" => configuration with { InPlaceFrom = ReadPlacement(ref cursor) },
                "partition" => configuration with { Partition = PartitionSetting.Read(ref cursor) },
                _ => throw cursor.Invalid($"member '{member}' is unknown; known are preprocess, resize, threads, queueLimit, concurrency, batching, timeoutMilliseconds, warmup, weights, partition"),
            };
        }
        cursor.End();
        return configuration.Resize != ResizeMode.Refuse && configuration.Preprocess is null
            ? throw cursor.Invalid("'resize' needs 'preprocess'")
            : configuration;
    }

    private static ResizeMode ReadResize(ref JsonCursor cursor) => cursor.ReadText("'resize'") switch
    {
        "refuse" => ResizeMode.Refuse,
        "nearest" => ResizeMode.Nearest,
        "bilinear" => ResizeMode.Bilinear,
        "smooth" => ResizeMode.Smooth,
        string other => throw cursor.Invalid($"'resize' must be refuse, nearest, bilinear or smooth, not '{other}'"),
    };

    // "in-place": half the memory, loaded at the speed of decryption. "packed": ONNX Runtime's own layout, batches up to 2.5 times quicker.
    private static long ReadPlacement(ref JsonCursor cursor) => cursor.ReadText("'weights'") switch
    {
        "in-place" => 0,
        "packed" => long.MaxValue,
        string other => throw cursor.Invalid($"'weights' must be in-place or packed, not '{other}'"),
    };

    private static bool ReadWarmUp(ref JsonCursor cursor) => cursor.ReadText("'warmup'") switch
    {
        "zeros" => true,
        string other => throw cursor.Invalid($"'warmup' must be zeros, not '{other}'; requests of your own go into {SealedModelLoader.WarmUpEntry}"),
    };
}

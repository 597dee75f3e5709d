using Cloister.Serving.TextFormat;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>How requests are joined, as a <c>batching_parameters_file</c> says it.</summary>
/// <param name="Options">The options, with TF Serving's defaults where the file is silent.</param>
/// <param name="Notes">What the file asks for and has no meaning here, a sentence each.</param>
internal sealed record BatchingFile(BatchingOptions Options, IReadOnlyList<string> Notes)
{
    /// <summary>What TF Serving does with <c>--enable_batching</c> alone (its shared batch scheduler's defaults).</summary>
    public static BatchingOptions Default { get; } = new() { MaxBatchSize = 1000, MaxEnqueuedBatches = 10, SplitLargeRequests = false, WaitWhenIdle = true };

    /// <summary>Reads the file (tensorflow/serving, servables/tensorflow/session_bundle_config.proto, <c>BatchingParameters</c>).</summary>
    /// <exception cref="ServingException">As <see cref="Parse"/>, or <see cref="ServingError.SettingsUnreadable"/>.</exception>
    public static async Task<BatchingFile> ReadAsync(string path, CancellationToken cancellation) =>
        Parse(await SettingsFile.ReadAsync(path, cancellation), Path.GetFileName(path));

    /// <summary>Reads the document.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/> or <see cref="ServingError.SettingsRefused"/>: the text says where and what.</exception>
    public static BatchingFile Parse(ReadOnlySpan<byte> bytes, string document)
    {
        var fields = new TextFields(TextParser.Parse(bytes, document), "BatchingParameters");
        var notes = new List<string>();
        int largest = Whole(fields, "max_batch_size") ?? Default.MaxBatchSize;
        int? executed = Whole(fields, "max_execution_batch_size");
        bool split = Wrapped(fields, "enable_large_batch_splitting", "BoolValue") is { } wrapper && (wrapper.Flag("value") ?? false);
        // Split, a request may be as large as max_batch_size and a run only as large as max_execution_batch_size.
        if (split && executed > largest) throw fields.Refused("max_execution_batch_size", "max_execution_batch_size is larger than max_batch_size.");
        var options = new BatchingOptions
        {
            MaxBatchSize = split ? executed ?? largest : largest,
            BatchTimeout = TimeSpan.FromMicroseconds(Whole(fields, "batch_timeout_micros") ?? 0),
            WaitWhenIdle = true,
            MaxEnqueuedBatches = Whole(fields, "max_enqueued_batches") ?? Default.MaxEnqueuedBatches,
            Threads = Whole(fields, "num_batch_threads"),
            SplitLargeRequests = split,
            AllowedBatchSizes = [.. fields.Integers("allowed_batch_sizes", 1, BatchingOptions.LargestBatch).Select(size => (int)size)],
        };
        // The pool's name is a label of metrics and nothing else.
        Wrapped(fields, "thread_pool_name", "StringValue")?.Text("value");
        if (fields.Flag("pad_variable_length_inputs") == true)
            notes.Add($"{fields.At("pad_variable_length_inputs")}: pad_variable_length_inputs is not followed: requests of different shapes go into different batches, and none is padded.");
        fields.RefuseOthers();
        if (options.Problem() is { } problem) throw fields.Position.Refusal(ServingError.SettingsRefused, problem);
        return new BatchingFile(options, notes);
    }

    /// <summary>Fuzzing target: anything but the documented refusals is a fault.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Parse(bytes, "fuzz");
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.SettingsMalformed or ServingError.SettingsRefused)
        {
            // The documented refusals.
        }
    }

    private static int? Whole(TextFields fields, string name) => Wrapped(fields, name, "Int64Value") is { } wrapper ? (int)(wrapper.Integer("value", 0, int.MaxValue) ?? 0) : null;

    /// <summary>google.protobuf.Int64Value and its kind: a message of one field, so that absent differs from zero.</summary>
    private static TextFields? Wrapped(TextFields fields, string name, string type)
    {
        if (fields.Message(name) is not { } message) return null;
        var wrapper = new TextFields(message, type);
        wrapper.PassOver("value");
        wrapper.RefuseOthers();
        return wrapper;
    }
}

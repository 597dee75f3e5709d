namespace Cloister.Onnx.Runtime;

/// <summary>Turns <see cref="OrtSessionOptions"/> into ONNX Runtime's own.</summary>
internal static unsafe class SessionOptionsWriter
{
    public static OrtSessionOptionsHandle Write(OnnxRuntimeLibrary library, OrtSessionOptions options, WeightsFolder folder)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.IntraThreads);
        ArgumentOutOfRangeException.ThrowIfNegative(options.InterThreads);
        OrtApi api = library.Api;
        nint native;
        api.Check(api.CreateSessionOptions(&native));
        OrtSessionOptionsHandle handle = new(native);
        try
        {
            api.Check(api.SetIntraOpNumThreads(native, options.IntraThreads));
            if (options.InterThreads != 1)
            {
                const int parallel = 1; // ORT_PARALLEL: without it these threads have nothing to do
                api.Check(api.SetSessionExecutionMode(native, parallel));
                api.Check(api.SetInterOpNumThreads(native, options.InterThreads));
            }
            api.Check(api.SetSessionGraphOptimizationLevel(native, (int)options.Level));
            if (options.DisableArena)
                api.Check(api.DisableCpuMemArena(native));
            foreach ((string key, string value) in options.ConfigEntries)
                AddEntry(api, native, key, value);

            // After the caller's entries: these are not his to change.
            AddEntry(api, native, "session.load_model_format", "ONNX"); // never guessed from hostile bytes: no ORT flatbuffers
            AddEntry(api, native, "session.model_external_initializers_file_folder_path", folder.Path);
            if (options.DisablePrepacking)
                AddEntry(api, native, "session.disable_prepacking", "1");
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static void AddEntry(OrtApi api, nint options, string key, string value)
    {
        using NativeStrings pair = new([key, value]);
        api.Check(api.AddSessionConfigEntry(options, pair[0], pair[1]));
    }
}

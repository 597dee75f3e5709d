namespace Cloister.Onnx.Runtime;

/// <summary>
/// What every session and tensor of the process shares: ONNX Runtime's environment, the description of CPU memory, the default
/// allocator. They live as long as the process: ONNX Runtime itself keeps one environment a process.
/// </summary>
internal sealed class OrtEnvironment
{
    private OrtEnvironment(nint handle, nint cpuMemory, nint allocator)
    {
        Handle = handle;
        CpuMemory = cpuMemory;
        Allocator = allocator;
    }

    public nint Handle { get; }
    public nint CpuMemory { get; }
    public nint Allocator { get; }

    public static unsafe OrtEnvironment Create(OrtApi api)
    {
        const int fatal = 4; // ORT_LOGGING_LEVEL_FATAL: errors come back as statuses, so nothing about a model is printed
        const int deviceAllocator = 0, defaultMemory = 0; // OrtDeviceAllocator, OrtMemTypeDefault
        nint env, memory, allocator;
        fixed (byte* id = "cloister\0"u8)
            api.Check(api.CreateEnv(fatal, id, &env));
        api.Check(api.DisableTelemetryEvents(env));
        api.Check(api.CreateCpuMemoryInfo(deviceAllocator, defaultMemory, &memory));
        api.Check(api.GetAllocatorWithDefaultOptions(&allocator));
        return new OrtEnvironment(env, memory, allocator);
    }
}

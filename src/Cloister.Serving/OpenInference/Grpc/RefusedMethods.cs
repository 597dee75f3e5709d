namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>Methods of Triton's service that are refused, and why: a client that calls them shall not take it for a wrong address.</summary>
internal static class RefusedMethods
{
    private const string
        SharedMemory = "Memory shared with a client lies outside what is attested; send tensors in the request.",
        Settings = "Trace and log settings are the operator's, not a caller's: they are set where the server is started.";

    /// <summary>Methods, and the reason of each.</summary>
    public static readonly (string Method, string Reason)[] All =
    [
        ("SystemSharedMemoryStatus", SharedMemory),
        ("SystemSharedMemoryRegister", SharedMemory),
        ("SystemSharedMemoryUnregister", SharedMemory),
        ("CudaSharedMemoryStatus", SharedMemory),
        ("CudaSharedMemoryRegister", SharedMemory),
        ("CudaSharedMemoryUnregister", SharedMemory),
        ("TraceSetting", Settings),
        ("LogSettings", Settings),
    ];
}

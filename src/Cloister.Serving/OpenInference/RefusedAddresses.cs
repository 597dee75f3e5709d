namespace Cloister.Serving.OpenInference;

/// <summary>Addresses of Triton's extensions that are refused, and why: a client that asks for them shall not take it for a wrong address.</summary>
internal static class RefusedAddresses
{
    private const string
        Trace = "Trace settings are the operator's, not a caller's: they are set where the server is started.",
        Logging = "Log settings are the operator's, not a caller's: they are set where the server is started.",
        SharedMemory = "Memory shared with a client lies outside what is attested; send tensors in the request, as JSON or as binary data.",
        Generate = "No language model is served under this protocol; ask models of tensors by '/infer'.",
        Repositories = "There is one repository, and it has no name: leave the name out of the address.";

    /// <summary>Route patterns, and the reason of each.</summary>
    public static readonly (string Pattern, string Reason)[] All =
    [
        ("/v2/trace/setting", Trace),
        ("/v2/models/{model}/trace/setting", Trace),
        ("/v2/logging", Logging),
        ("/v2/systemsharedmemory/{**rest}", SharedMemory),
        ("/v2/cudasharedmemory/{**rest}", SharedMemory),
        ("/v2/models/{model}/generate", Generate),
        ("/v2/models/{model}/generate_stream", Generate),
        ("/v2/models/{model}/versions/{version}/generate", Generate),
        ("/v2/models/{model}/versions/{version}/generate_stream", Generate),
        ("/v2/repository/{repository}/index", Repositories),
        ("/v2/repository/{repository}/models/{model}/load", Repositories),
        ("/v2/repository/{repository}/models/{model}/unload", Repositories),
    ];
}

namespace Cloister.Serving.OpenInference;

/// <summary>
/// What the parameters of a request, an input and an output mean, on REST and gRPC alike. Those that the protocol's extensions
/// define are followed or refused; any other is for the model to read, and an ONNX model reads none: it is passed over, as Triton
/// passes it over.
/// </summary>
internal static class InferParameters
{
    private const long LongestTimeout = 86_400_000_000;

    /// <summary>The most classes of an output that a request may ask for.</summary>
    public const int MaximumClasses = 100_000;

    /// <summary>A parameter of the whole request.</summary>
    /// <exception cref="ServingException">Its value is not one, or asks for what is not done here.</exception>
    public static void OfRequest(InferRequest request, string name, ParameterValue value)
    {
        switch (name)
        {
            case "timeout":
                long microseconds = value.Integer(name, 0, LongestTimeout);
                if (microseconds > 0) request.Timeout = TimeSpan.FromMicroseconds(microseconds);
                break;
            case "binary_data_output": request.BinaryOutputs = value.Boolean(name); break;
            case "sequence_id" or "sequence_start" or "sequence_end":
                if (!value.IsDefault) throw Refused(name, "models keep nothing from one request to the next here; leave the sequence parameters out");
                break;
            case "priority":
                if (value.Integer(name, 0, long.MaxValue) != 0) throw Refused(name, "all requests of a model have the same priority here; leave it out, or send 0");
                break;
            default:
                if (name.StartsWith("triton_", StringComparison.Ordinal)) throw Refused(name, "names that begin with 'triton_' are reserved");
                break;
        }
    }

    /// <summary>A parameter of an input; <c>binary_data_size</c>, which only REST has, is not for this method.</summary>
    /// <exception cref="ServingException">It asks for what is not done here.</exception>
    public static void OfInput(string name) => DemandNoSharedMemory(name);

    /// <summary>A parameter of an output.</summary>
    /// <exception cref="ServingException">Its value is not one, or asks for what is not done here.</exception>
    public static RequestedOutput OfOutput(RequestedOutput output, string name, ParameterValue value)
    {
        DemandNoSharedMemory(name);
        return name switch
        {
            "classification" => output with { Classes = (int)value.Integer(name, 0, MaximumClasses) },
            "binary_data" => output with { Binary = value.Boolean(name) },
            _ => output,
        };
    }

    private static void DemandNoSharedMemory(string name)
    {
        if (name is "shared_memory_region" or "shared_memory_byte_size" or "shared_memory_offset")
            throw Refused(name, "memory shared with a client lies outside what is attested; send the data in the request");
    }

    private static ServingException Refused(string name, string reason) => new(ServingError.ParameterRefused, $"Parameter '{name}' is refused: {reason}.");
}

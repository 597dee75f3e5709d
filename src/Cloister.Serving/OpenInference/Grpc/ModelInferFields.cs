namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>Field numbers of the messages that are read and written by hand (inference.proto); pinned to the generated ones by a test.</summary>
internal static class ModelInferFields
{
    public const int ModelName = 1, ModelVersion = 2, Id = 3, Parameters = 4, Inputs = 5, Outputs = 6, RawInputContents = 7;

    /// <summary>Of <c>ModelInferResponse</c>, where they differ from those of the request.</summary>
    public const int ResponseOutputs = 5, RawOutputContents = 6;

    /// <summary>Of an input's or an output's tensor.</summary>
    public const int TensorName = 1, TensorDatatype = 2, TensorShape = 3, TensorParameters = 4, TensorContents = 5;

    /// <summary>Of an output that is asked for.</summary>
    public const int RequestedName = 1, RequestedParameters = 2;

    /// <summary>Of <c>InferTensorContents</c>.</summary>
    public const int Bool = 1, Int = 2, Int64 = 3, UInt = 4, UInt64 = 5, Fp32 = 6, Fp64 = 7, Bytes = 8;

    /// <summary>Of <c>InferParameter</c>.</summary>
    public const int BoolParameter = 1, Int64Parameter = 2, StringParameter = 3, DoubleParameter = 4, UInt64Parameter = 5;

    /// <summary>Of <c>ModelStreamInferResponse</c>.</summary>
    public const int ErrorMessage = 1, InferResponse = 2;

    /// <summary>Of an entry of any map.</summary>
    public const int MapKey = 1, MapValue = 2;
}

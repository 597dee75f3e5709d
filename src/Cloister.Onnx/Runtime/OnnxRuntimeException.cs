namespace Cloister.Onnx.Runtime;

/// <summary>ONNX Runtime's own error codes (<c>OrtErrorCode</c> of its C API).</summary>
public enum OnnxRuntimeError
{
    /// <summary>A failure without a more exact code; a terminated run is one.</summary>
    Fail = 1,
    /// <summary>An argument that the runtime refuses, such as a tensor of the wrong shape.</summary>
    InvalidArgument = 2,
    /// <summary>A file that the model names is missing.</summary>
    NoSuchFile = 3,
    /// <summary>There is no model.</summary>
    NoModel = 4,
    /// <summary>An execution provider's engine failed.</summary>
    EngineError = 5,
    /// <summary>A C++ exception inside the runtime, for instance an allocation that failed.</summary>
    RuntimeException = 6,
    /// <summary>The model is not the protobuf message it should be.</summary>
    InvalidProtobuf = 7,
    /// <summary>The session already holds a model.</summary>
    ModelLoaded = 8,
    /// <summary>The model asks for something that this build of the runtime, or this binding, does not do.</summary>
    NotImplemented = 9,
    /// <summary>The model's graph is not valid.</summary>
    InvalidGraph = 10,
    /// <summary>An execution provider failed.</summary>
    ExecutionProviderFail = 11,
    /// <summary>Loading was cancelled.</summary>
    ModelLoadCanceled = 12,
    /// <summary>The model must be compiled first.</summary>
    ModelRequiresCompilation = 13,
    /// <summary>Something that was looked up is not there.</summary>
    NotFound = 14,
}

/// <summary>A failure reported by ONNX Runtime: its code and its own text. A hostile model gives this, never anything else.</summary>
public sealed class OnnxRuntimeException : Exception
{
    /// <summary>Makes the exception from a code and a text.</summary>
    public OnnxRuntimeException(OnnxRuntimeError error, string message) : base(message) => Error = error;

    /// <summary>The runtime's code.</summary>
    public OnnxRuntimeError Error { get; }

    /// <summary>The runtime's code as a number.</summary>
    public int Code => (int)Error;
}

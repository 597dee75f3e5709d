namespace Cloister.Onnx.Model;

/// <summary>The bytes given are not an ONNX model that this library reads; <see cref="Error"/> says why.</summary>
public sealed class OnnxModelException : Exception
{
    /// <summary>Creates the refusal.</summary>
    public OnnxModelException(OnnxModelError error, string message)
        : base(message) => Error = error;

    /// <summary>The stable number of the reason.</summary>
    public OnnxModelError Error { get; }
}

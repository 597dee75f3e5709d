namespace Cloister.Onnx.Graphs;

/// <summary>A graph cannot be cut as asked; <see cref="Error"/> says why.</summary>
public sealed class GraphException : Exception
{
    /// <summary>Creates the refusal.</summary>
    public GraphException(GraphError error, string message)
        : base(message) => Error = error;

    /// <summary>The stable number of the reason.</summary>
    public GraphError Error { get; }
}

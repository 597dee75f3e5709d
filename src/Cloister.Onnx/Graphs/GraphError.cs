namespace Cloister.Onnx.Graphs;

/// <summary>Why a graph cannot be cut. The numbers are stable.</summary>
public enum GraphError
{
    /// <summary>A value is made twice, used before it is made, or made of itself.</summary>
    NotAGraph = 301,

    /// <summary>The graph has Loop, Scan, If or another operator with graphs inside: how long it runs, and what crosses a cut, depends on data.</summary>
    ControlFlow = 302,

    /// <summary>An operator is of a set that is not known here, so that nothing can be said of it.</summary>
    UnknownOperator = 303,

    /// <summary>A dimension other than the batch is free; the caller must fix it.</summary>
    DynamicShape = 304,

    /// <summary>There is no such tensor, or the named tensors do not cut the graph: the text says what passes beside them.</summary>
    NotACut = 305,

    /// <summary>A tensor that crosses is an input, or an input moved about.</summary>
    LeaksInput = 306,

    /// <summary>The graph is a language model: what would cross reveals the text (docs/partitioning.md).</summary>
    LanguageModel = 307,

    /// <summary>The weights lie in other files; put them into the model first.</summary>
    ExternalWeights = 308,
}

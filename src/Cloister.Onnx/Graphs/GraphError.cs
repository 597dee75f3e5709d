namespace Cloister.Onnx.Graphs;

/// <summary>Why a graph cannot be cut. The numbers are stable.</summary>
public enum GraphError
{
    /// <summary>A value is made twice, used before it is made, made of itself or by nobody; or the model has no output that depends on an input.</summary>
    NotAGraph = 301,

    /// <summary>
    /// The graph has Loop, Scan, If or another operator with graphs inside, or works on sequences, maps or optional values: how long it
    /// runs, and what crosses a cut, depends on data.
    /// </summary>
    ControlFlow = 302,

    /// <summary>An operator, a function of the model's own or a kind of tensor is not known here, so that nothing can be said of it.</summary>
    UnknownOperator = 303,

    /// <summary>A dimension other than the batch is free and the caller must fix it; or a shape depends on what the input holds.</summary>
    DynamicShape = 304,

    /// <summary>There is no such tensor, or the named tensors do not cut the graph: the text says what passes beside them.</summary>
    NotACut = 305,

    /// <summary>A tensor that crosses is an input, or an input moved about.</summary>
    LeaksInput = 306,

    /// <summary>The graph is a language model: what would cross reveals the text (docs/partitioning.md).</summary>
    LanguageModel = 307,

    /// <summary>The weights lie in other files; put them into the model first.</summary>
    ExternalWeights = 308,

    /// <summary>The graph draws random numbers: its parts cannot be compared with the whole.</summary>
    NotDeterministic = 309,

    /// <summary>One item takes more elements, in its inputs or in all values together, than a model is measured with.</summary>
    TooLarge = 310,
}

namespace Cloister.Onnx.Runtime;

/// <summary>How far ONNX Runtime rewrites a graph before it runs it (<c>GraphOptimizationLevel</c> of its C API).</summary>
public enum GraphOptimization
{
    /// <summary>Not at all.</summary>
    None = 0,
    /// <summary>Constant folding, redundant nodes, fusions that keep every bit.</summary>
    Basic = 1,
    /// <summary>Also fusions of larger patterns.</summary>
    Extended = 2,
    /// <summary>Also memory layouts made for this processor.</summary>
    All = 99,
}

/// <summary>How a session runs its model.</summary>
public sealed record OrtSessionOptions
{
    /// <summary>Threads for the inside of one operator; 0 is one a core.</summary>
    public int IntraThreads { get; init; } = 1;

    /// <summary>Threads for operators beside each other; 1 runs them one after the other, 0 is one a core.</summary>
    public int InterThreads { get; init; } = 1;

    /// <summary>How far the graph is rewritten.</summary>
    public GraphOptimization Level { get; init; } = GraphOptimization.All;

    /// <summary>
    /// Whether weights stay as they are instead of being copied into the layout that is quickest to multiply. External weights are
    /// zero-copy only so: it halves the memory and makes loading instant, but runs of dense layers become slower.
    /// </summary>
    public bool DisablePrepacking { get; init; }

    /// <summary>
    /// Whether loading fails, instead of taking a copy, where an optimisation would have to change external weights: constant folding,
    /// fusing a convolution with its normalisation, and, at <see cref="GraphOptimization.All"/>, laying out convolutions anew.
    /// </summary>
    public bool RequireWeightsInPlace { get; init; }

    /// <summary>Whether memory that a run needs goes back to the system after it, instead of being kept for the next.</summary>
    public bool DisableArena { get; init; }

    /// <summary>Further entries as ONNX Runtime's header onnxruntime_session_options_config_keys.h names them.</summary>
    public IReadOnlyDictionary<string, string> ConfigEntries { get; init; } = new Dictionary<string, string>();
}

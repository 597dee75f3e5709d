using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Repository;

/// <summary>A model that is ready: an engine and what its maker sealed beside it.</summary>
internal sealed class ServedModel : IAsyncDisposable
{
    private readonly Dictionary<string, int> _inputs, _outputs;

    public ServedModel(string name, long version, IModelEngine engine, ModelConfiguration configuration, ModelLabels? labels, long maximumRequestBytes)
    {
        Name = name;
        Version = version;
        Engine = engine;
        Configuration = configuration;
        Labels = labels;
        Picture = PictureInput.Of(engine.Inputs, configuration);
        MaximumRequestBytes = RequestLimit(engine, maximumRequestBytes);
        _inputs = Index(engine.Inputs);
        _outputs = Index(engine.Outputs);
    }

    public string Name { get; }

    /// <summary>The sealed content's version, which the maker signed.</summary>
    public long Version { get; }

    public IModelEngine Engine { get; }

    public ModelConfiguration Configuration { get; }

    public ModelLabels? Labels { get; }

    /// <summary>The input that takes pictures, if one does.</summary>
    public PictureInput? Picture { get; }

    /// <summary>The largest body of a request for this model.</summary>
    public long MaximumRequestBytes { get; }

    public int IndexOfInput(string name) => _inputs.TryGetValue(name, out int index)
        ? index
        : throw new ServingException(ServingError.UnknownInput, $"Model '{Name}' has no input '{name}'; it has {Names(Engine.Inputs)}.");

    public bool TryIndexOfInput(string name, out int index) => _inputs.TryGetValue(name, out index);

    public int IndexOfOutput(string name) => _outputs.TryGetValue(name, out int index)
        ? index
        : throw new ServingException(ServingError.UnknownOutput, $"Model '{Name}' has no output '{name}'; it has {Names(Engine.Outputs)}.");

    public ServingException MissingInput(int index) =>
        new(ServingError.MissingInput, $"Input '{Engine.Inputs[index].Name}' is missing; model '{Name}' has {Names(Engine.Inputs)}.");

    public ValueTask DisposeAsync() => Engine.DisposeAsync();

    /// <summary>
    /// Where the model fixes every dimension, no request needs more than its numbers in long form and some room for pictures and
    /// white space; anything larger is refused before it is read. An encrypted query has a largest size; as JSON a byte takes four.
    /// </summary>
    private static long RequestLimit(IModelEngine engine, long maximum)
    {
        const long Room = 1 << 20, BytesANumber = 64, BytesAByte = 4;
        if (engine is IQueryEngine query) return Math.Min(maximum, Room + query.MaximumQueryBytes * BytesAByte);
        IReadOnlyList<TensorInfo> inputs = engine.Inputs;
        UInt128 elements = 0;
        foreach (TensorInfo input in inputs)
        {
            if (input.Type == TensorElementType.String || input.Shape.Any(dimension => dimension < 0)) return maximum;
            elements += input.Shape.Aggregate((UInt128)1, (product, dimension) => product * (UInt128)dimension);
        }
        return (long)UInt128.Min((UInt128)maximum, Room + elements * BytesANumber);
    }

    private static Dictionary<string, int> Index(IReadOnlyList<TensorInfo> tensors)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < tensors.Count; i++) index.Add(tensors[i].Name, i);
        return index;
    }

    private static string Names(IReadOnlyList<TensorInfo> tensors) => string.Join(", ", tensors.Select(tensor => $"'{tensor.Name}'"));
}

using Cloister.Onnx.Model;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// A model whose external initialisers stand over memory. The large ones of the main graph stay external and are lent to ONNX Runtime
/// by name; everything else is written into the model, for ONNX Runtime reads shapes, axes and subgraphs before it looks at what was lent.
/// The locations that the model names are looked up in memory only and are replaced by one of our own: ONNX Runtime, which wants the
/// file of that name to exist, never sees a path that somebody else chose.
/// </summary>
internal sealed unsafe class PlacedWeights : IDisposable
{
    /// <summary>Up to here a copy is cheaper than what ONNX Runtime cannot do with a lent weight (fold it, fuse it).</summary>
    internal const long InlineLimit = 64 << 10;

    private readonly List<(string Name, OrtTensor Tensor)> _lent = [], _copied = [];
    private readonly HashSet<string>? _lendable;

    private PlacedWeights(ModelProto model, IReadOnlyDictionary<string, ExternalWeights> weights, HashSet<string>? lendable)
    {
        _lendable = lendable;
        try
        {
            Model = (model with { Graph = Place(model.Graph, weights, isMain: true) }).ToBytes();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model as ONNX Runtime gets it.</summary>
    public byte[] Model { get; }

    /// <summary>Whether some weights can be lent.</summary>
    public bool AnyLent => _lent.Count > 0;

    /// <exception cref="OnnxModelException">The bytes are no model, or its external data are not among <paramref name="weights"/> or outside of them.</exception>
    public static PlacedWeights Place(ReadOnlyMemory<byte> model, IReadOnlyDictionary<string, ExternalWeights> weights) => new(OnnxModel.Parse(model), weights, null);

    /// <param name="model">The model. Large weights in it that name <see cref="WeightsFolder.FileName"/> are the caller's to <see cref="Add"/>.</param>
    /// <param name="weights">Its external data.</param>
    /// <param name="lendable">Which weights may be lent; ONNX Runtime copies the other large ones.</param>
    /// <inheritdoc cref="Place(ReadOnlyMemory{byte}, IReadOnlyDictionary{string, ExternalWeights})" path="/exception"/>
    public static PlacedWeights Place(ModelProto model, IReadOnlyDictionary<string, ExternalWeights> weights, HashSet<string> lendable) => new(model, weights, lendable);

    /// <summary>Whether a tensor can stand over memory of ours: its elements have a type, it has a name that C can carry.</summary>
    public static bool CanLend(int type, string name) =>
        type is not ((int)TensorElementType.Undefined or (int)TensorElementType.String) && Enum.IsDefined((TensorElementType)type)
        && name.Length > 0 && !name.Contains('\0', StringComparison.Ordinal);

    /// <summary>A tensor without its elements.</summary>
    public static TensorProto Emptied(TensorProto tensor) =>
        tensor with { FloatData = [], Int32Data = [], StringData = [], Int64Data = [], DoubleData = [], UInt64Data = [], RawData = null };

    /// <summary>Adds a weight that the model names as <see cref="WeightsFolder.FileName"/>, and takes the tensor over.</summary>
    public void Add(string name, OrtTensor tensor, bool lend) => (lend ? _lent : _copied).Add((name, tensor));

    /// <summary>Lends the weights so that a session computes on them where they are.</summary>
    public void LendInPlace(OrtApi api, OrtSessionOptionsHandle options)
    {
        Copy(api, options, _copied);
        foreach ((string name, OrtTensor tensor) in _lent)
        {
            using NativeStrings text = new([name]);
            api.Check(api.AddInitializer(options.Value, text[0], tensor.Handle.Value));
        }
    }

    /// <summary>Lends the weights so that a session takes a copy, which it may fold, fuse and lay out anew.</summary>
    public void LendToCopy(OrtApi api, OrtSessionOptionsHandle options) => Copy(api, options, [.. _lent, .. _copied]);

    /// <summary>Zeroes the model, which has the small weights in it, once ONNX Runtime has read it.</summary>
    public void ForgetModel() => Array.Clear(Model);

    public void Dispose()
    {
        if (Model is not null) ForgetModel();
        foreach ((_, OrtTensor tensor) in _lent.Concat(_copied))
            tensor.Dispose();
        _lent.Clear();
        _copied.Clear();
    }

    private static void Copy(OrtApi api, OrtSessionOptionsHandle options, List<(string Name, OrtTensor Tensor)> copied)
    {
        if (copied.Count == 0) return;
        using NativeStrings names = new([.. copied.Select(copy => copy.Name)]);
        nint[] values = [.. copied.Select(copy => copy.Tensor.Handle.Value)];
        fixed (nint* pointers = values)
            api.Check(api.AddExternalInitializers(options.Value, names.Pointers, pointers, (nuint)values.Length));
    }

    private GraphProto Place(GraphProto graph, IReadOnlyDictionary<string, ExternalWeights> weights, bool isMain) => graph with
    {
        Initializers = [.. graph.Initializers.Select(tensor => Place(tensor, weights, mayLend: isMain))],
        Nodes = [.. graph.Nodes.Select(node => node.Attributes.Any(HoldsTensors)
            ? node with { Attributes = [.. node.Attributes.Select(attribute => HoldsTensors(attribute) ? Place(attribute, weights) : attribute)] }
            : node)],
    };

    private static bool HoldsTensors(AttributeProto attribute) =>
        attribute.Tensor is not null || attribute.Graph is not null || attribute.Tensors.Length > 0 || attribute.Graphs.Length > 0;

    private AttributeProto Place(AttributeProto attribute, IReadOnlyDictionary<string, ExternalWeights> weights) => attribute with
    {
        Tensor = attribute.Tensor is { } tensor ? Place(tensor, weights, mayLend: false) : null,
        Graph = attribute.Graph is { } graph ? Place(graph, weights, isMain: false) : null,
        Tensors = [.. attribute.Tensors.Select(inner => Place(inner, weights, mayLend: false))],
        Graphs = [.. attribute.Graphs.Select(inner => Place(inner, weights, isMain: false))],
    };

    private TensorProto Place(TensorProto tensor, IReadOnlyDictionary<string, ExternalWeights> weights, bool mayLend)
    {
        if (!tensor.IsExternal || (mayLend && IsTakenOut(tensor)))
            return tensor;
        ExternalInitializer external = ExternalInitializer.From(tensor);
        if (!weights.TryGetValue(external.Location, out ExternalWeights? file))
            throw Refuse($"The model keeps '{external.Name}' in '{external.Location}', which is not among its external data.");
        if (external.Offset > file.Buffer.Length - external.Length)
            throw Refuse($"'{external.Name}' ends at byte {external.Offset + external.Length} of '{external.Location}', which has {file.Buffer.Length}.");

        TensorProto empty = Emptied(tensor);
        bool lend = mayLend && external.Length > InlineLimit && CanLend((int)external.Type, external.Name);
        if (!lend)
        {
            if (external.Length > Array.MaxLength)
                throw new OnnxModelException(OnnxModelError.TooLarge, $"'{external.Name}' has {external.Length} bytes, which only a weight of the main graph may have.");
            return empty with { ExternalData = [], DataLocation = null, RawData = file.Buffer.Memory(external.Offset, (int)external.Length) };
        }
        Add(external.Name, Lend(external, file.Buffer), _lendable?.Contains(external.Name) ?? true);
        return empty with { ExternalData = [new StringStringEntryProto { Key = "location", Value = WeightsFolder.FileName }] };
    }

    // Told from a weight that the maker keeps in a file of this name by who made the message: a model that was read has its bytes.
    private static bool IsTakenOut(TensorProto tensor) => tensor.Origin is null;

    private static OrtTensor Lend(ExternalInitializer external, PinnedBuffer file)
    {
        var type = (TensorElementType)external.Type;
        if (external.Offset % type.ByteLength(1) == 0)
            return OrtTensor.OverPinned(type, file, external.Offset, external.Shape.AsSpan());

        // Kernels read elements at their natural alignment; a file may begin them anywhere.
        using var aligned = PinnedBuffer.Allocate(external.Length);
        for (long at = 0; at < external.Length; at += int.MaxValue)
        {
            int part = (int)Math.Min(int.MaxValue, external.Length - at);
            file.Span(external.Offset + at, part).CopyTo(aligned.Span(at, part));
        }
        return OrtTensor.OverPinned(type, aligned, 0, external.Shape.AsSpan());
    }

    private static OnnxModelException Refuse(string why) => new(OnnxModelError.BadExternalData, why);
}

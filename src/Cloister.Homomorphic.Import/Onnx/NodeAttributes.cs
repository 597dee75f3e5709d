using System.Collections.Immutable;
using System.Text;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>The attributes of one node. Each is asked for by name; <see cref="Done"/> refuses what nobody asked for, since it could change what the node means.</summary>
internal sealed class NodeAttributes
{
    private readonly Dictionary<string, AttributeProto> _left = new(StringComparer.Ordinal);
    private readonly NodeProto _node;

    public NodeAttributes(NodeProto node)
    {
        _node = node;
        foreach (AttributeProto attribute in node.Attributes)
            if (!_left.TryAdd(attribute.Name, attribute)) throw Refuse(ImportError.Malformed, $"says '{attribute.Name}' twice");
    }

    public long Int(string name, long otherwise) => Take(name, AttributeType.Int) is { } a ? a.Int ?? 0 : otherwise;

    public double Float(string name, double otherwise) => Take(name, AttributeType.Float) is { } a ? Finite(name, a.Float ?? 0) : otherwise;

    /// <summary>A number that may be NaN, such as the mark of an absent value.</summary>
    public double? Any(string name) => Take(name, AttributeType.Float)?.Float;

    public string Text(string name, string otherwise) => Take(name, AttributeType.String)?.String is { } bytes ? Decode(name, bytes) : otherwise;

    public ImmutableArray<long> Ints(string name) => Take(name, AttributeType.Ints)?.Ints ?? [];

    public string[] Texts(string name) => Take(name, AttributeType.Strings) is { } a ? [.. a.Strings.Select(bytes => Decode(name, bytes))] : [];

    public double[] Floats(string name) => Take(name, AttributeType.Floats) is { } a ? [.. a.Floats.Select(value => Finite(name, value))] : [];

    public TensorProto? Tensor(string name) => Take(name, AttributeType.Tensor)?.Tensor;

    /// <summary>Floats, or, in an attribute whose name ends in <c>_as_tensor</c>, floats or doubles.</summary>
    public Numbers Numbers(string name)
    {
        double[] floats = Floats(name);
        TensorProto? tensor = Tensor($"{name}_as_tensor");
        if (tensor is null) return new Numbers(floats, false);
        if (floats.Length > 0) throw Refuse(ImportError.Malformed, $"says '{name}' in two ways");
        return new Numbers(Array.ConvertAll(TensorNumbers.Read(tensor).Values, value => Finite(name, value)), tensor.DataType == TensorDataType.Double);
    }

    /// <summary>Whether the attribute is there and was not asked for yet.</summary>
    public bool Has(string name) => _left.ContainsKey(name);

    /// <summary>Call when the node was read: what is left is not known.</summary>
    public void Done()
    {
        if (_left.Count > 0) throw Refuse(ImportError.UnknownMember, $"has the attribute '{_left.Keys.First()}', which is not known");
    }

    public ImportException Refuse(ImportError error, string what) => OnnxNodes.Refuse(_node, error, what);

    private AttributeProto? Take(string name, AttributeType type)
    {
        if (!_left.Remove(name, out AttributeProto? attribute)) return null;
        return attribute.Type == type ? attribute : throw Refuse(ImportError.Malformed, $"has a {attribute.Type} in '{name}', where a {type} is due");
    }

    private double Finite(string name, double value) =>
        double.IsFinite(value) ? value : throw Refuse(ImportError.NotFinite, $"has a number in '{name}' that is not finite");

    private string Decode(string name, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, true).GetString(bytes.Span);
        }
        catch (DecoderFallbackException e)
        {
            throw new ImportException(ImportError.Malformed, $"The attribute '{name}' of node '{_node.Name}' is not UTF-8.", e);
        }
    }
}

/// <summary>Numbers of an attribute.</summary>
/// <param name="Values">All finite.</param>
/// <param name="Double">Whether they were written as binary64.</param>
internal readonly record struct Numbers(double[] Values, bool Double);

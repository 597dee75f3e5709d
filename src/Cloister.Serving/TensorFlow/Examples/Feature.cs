namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>The three lists of tensorflow.Feature (tensorflow/core/example/feature.proto).</summary>
internal enum FeatureKind
{
    /// <summary>No list yet.</summary>
    None,

    Bytes,
    Floats,
    Integers,
}

/// <summary>One feature while it is read: values of one kind. Used again for the next one.</summary>
internal sealed class Feature
{
    public FeatureKind Kind { get; private set; }

    public List<byte[]> Bytes { get; } = [];

    public List<float> Floats { get; } = [];

    public List<long> Integers { get; } = [];

    public int Count => Kind switch { FeatureKind.Bytes => Bytes.Count, FeatureKind.Floats => Floats.Count, FeatureKind.Integers => Integers.Count, _ => 0 };

    /// <summary>The kind's name in messages.</summary>
    public string KindName => Kind switch { FeatureKind.Bytes => "bytes", FeatureKind.Floats => "float", FeatureKind.Integers => "int64", _ => "UNKNOWN" };

    /// <summary>Takes a kind; false if it has another already.</summary>
    public bool TryBe(FeatureKind kind)
    {
        if (Kind == FeatureKind.None) Kind = kind;
        return Kind == kind;
    }

    /// <summary>Forgets the values and takes a kind, as the last member of a protobuf oneof does.</summary>
    public void Become(FeatureKind kind)
    {
        if (Kind == kind) return;
        Clear();
        Kind = kind;
    }

    public void Clear()
    {
        Kind = FeatureKind.None;
        Bytes.Clear();
        Floats.Clear();
        Integers.Clear();
    }

    public void CopyTo(Feature other)
    {
        other.Clear();
        other.Kind = Kind;
        other.Bytes.AddRange(Bytes);
        other.Floats.AddRange(Floats);
        other.Integers.AddRange(Integers);
    }
}

namespace Cloister.Onnx.Model;

/// <summary>One dimension of a shape (onnx.proto, TensorShapeProto.Dimension): a number, a name such as <c>N</c>, or neither where unknown.</summary>
public sealed record Dimension : OnnxMessage
{
    private const int Alternative = 1;

    /// <summary>The size, if fixed. Some writers say -1 for unknown.</summary>
    public long? Value { get; init; }

    /// <summary>The name of a free dimension.</summary>
    public string? Name { get; init; }

    /// <summary>A fixed dimension.</summary>
    public static implicit operator Dimension(long value) => FromInt64(value);

    /// <summary>A free dimension.</summary>
    public static implicit operator Dimension(string name) => FromString(name);

    /// <summary>A fixed dimension.</summary>
    public static Dimension FromInt64(long value) => new() { Value = value };

    /// <summary>A free dimension.</summary>
    public static Dimension FromString(string name) => new() { Name = name };

    internal static Dimension Read(ProtoReader reader)
    {
        long? value = null;
        string? name = null;
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: value = reader.Once(Alternative).Int64(); break;
                case 2: name = reader.Once(Alternative).Text(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new Dimension { Value = value, Name = name, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.Int64(1, Value);
        if (Name is not null)
            writer.PresentText(2, Name);
    }
}

namespace Cloister.Onnx.Model;

/// <summary>A key and its value (onnx.proto, StringStringEntryProto).</summary>
public sealed record StringStringEntryProto : OnnxMessage
{
    /// <summary>The key.</summary>
    public string Key { get; init; } = "";

    /// <summary>The value.</summary>
    public string Value { get; init; } = "";

    internal static StringStringEntryProto Read(ProtoReader reader)
    {
        string key = "", value = "";
        while (reader.Next(out int field))
        {
            switch (field)
            {
                case 1: key = reader.Once().Text(); break;
                case 2: value = reader.Once().Text(); break;
                default: reader.KeepUnknown(); break;
            }
        }

        return new StringStringEntryProto { Key = key, Value = value, UnknownFields = reader.Unknown(), Origin = reader.Origin };
    }

    internal override void WriteFields(ProtoWriter writer)
    {
        writer.PresentText(1, Key);
        writer.PresentText(2, Value);
    }
}

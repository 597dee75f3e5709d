using System.Collections.Immutable;

namespace Cloister.Onnx.Model;

/// <summary>A tensor whose elements lie in another file (ONNX, ExternalData.md).</summary>
/// <param name="Name">The tensor's name; empty for one inside an attribute.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Location">The file, relative to the model's folder, with forward slashes; never leaves that folder.</param>
/// <param name="Offset">Where its elements begin, in bytes.</param>
/// <param name="Length">How many bytes they are: exactly what shape and type ask for.</param>
public sealed record ExternalInitializer(string Name, TensorDataType Type, ImmutableArray<long> Shape, string Location, long Offset, long Length)
{
    internal static ExternalInitializer From(TensorProto tensor)
    {
        string? location = null;
        long offset = 0;
        long needed = TensorSize.Bytes(tensor.DataType, tensor.ElementCount(), tensor.Name);
        long length = needed;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (StringStringEntryProto entry in tensor.ExternalData)
        {
            if (!seen.Add(entry.Key))
                throw Refuse(tensor, $"says '{entry.Key}' twice");
            switch (entry.Key)
            {
                case "location": location = entry.Value; break;
                case "offset": offset = Number(tensor, entry); break;
                case "length": length = Number(tensor, entry); break;
                // The checksum and keys of other tools say nothing about where the bytes are.
                default: break;
            }
        }

        if (location is null)
            throw Refuse(tensor, "names no location");
        if (!StaysInFolder(location))
            throw Refuse(tensor, $"names the location '{location}', which leaves the model's folder");
        if (length != needed)
            throw Refuse(tensor, $"is {length} bytes long where shape and type ask for {needed}");
        if (offset > long.MaxValue - length)
            throw Refuse(tensor, $"ends beyond 63 bits");
        return new ExternalInitializer(tensor.Name, tensor.DataType, tensor.Dims, location, offset, length);
    }

    private static bool StaysInFolder(string location) =>
        location.AsSpan().IndexOfAny('\\', ':', '\0') < 0 && location.Split('/').All(part => part is not ("" or "." or ".."));

    private static long Number(TensorProto tensor, StringStringEntryProto entry) =>
        long.TryParse(entry.Value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long value)
            ? value
            : throw Refuse(tensor, $"has the {entry.Key} '{entry.Value}'");

    private static OnnxModelException Refuse(TensorProto tensor, string why) =>
        new(OnnxModelError.BadExternalData, $"The external data of tensor '{tensor.Name}' {why}.");
}

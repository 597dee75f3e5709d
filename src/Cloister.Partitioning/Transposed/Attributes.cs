using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed;

/// <summary>A node's attributes by name, with the defaults that ONNX gives them.</summary>
internal static class Attributes
{
    public static AttributeProto? Find(NodeProto node, string name) => node.Attributes.FirstOrDefault(attribute => attribute.Name == name);

    public static long Integer(NodeProto node, string name, long otherwise) => Find(node, name)?.Int ?? otherwise;

    public static float Number(NodeProto node, string name, float otherwise) => Find(node, name)?.Float ?? otherwise;

    public static ImmutableArray<long> Integers(NodeProto node, string name, int count, long otherwise) =>
        Find(node, name) is { Ints.IsEmpty: false } found ? found.Ints : [.. Enumerable.Repeat(otherwise, count)];

    public static string Text(NodeProto node, string name, string otherwise) =>
        Find(node, name)?.String is { } text ? System.Text.Encoding.UTF8.GetString(text.Span) : otherwise;
}

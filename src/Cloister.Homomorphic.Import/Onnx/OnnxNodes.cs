using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>What all readers of nodes share.</summary>
internal static class OnnxNodes
{
    /// <summary>ONNX-ML's domain.</summary>
    public const string MachineLearning = "ai.onnx.ml";

    public static ImportException Refuse(NodeProto node, ImportError error, string what) =>
        new(error, $"The {node.OpType} node '{(node.Name.Length > 0 ? node.Name : node.Outputs.FirstOrDefault())}' {what}.");

    /// <summary>A number that indexes or counts something, within bounds.</summary>
    public static int Index(NodeProto node, string what, long value, int count) =>
        (ulong)value < (ulong)count ? (int)value : throw Refuse(node, ImportError.OutOfRange, $"has the {what} {value}; there are {count}");
}

using System.Text;
using Cloister.Onnx.Model;

namespace Cloister.Samples.Spam;

/// <summary>Writes the regression as an ONNX-ML model: <c>features</c> [N,57] in, <c>label</c> [N] and <c>probabilities</c> [N,2] out.</summary>
internal static class OnnxExport
{
    public const string Ham = "not spam", Spam = "spam";
    private const string MachineLearning = "ai.onnx.ml";

    public static byte[] Write(LogisticRegression model) => new ModelProto
    {
        IrVersion = 8,
        ProducerName = "Cloister.Samples.Spam",
        OpsetImport = [new OperatorSetIdProto { Version = 13 }, new OperatorSetIdProto { Domain = MachineLearning, Version = 1 }],
        Graph = new GraphProto
        {
            Name = "spam",
            Nodes =
            [
                new NodeProto
                {
                    OpType = "LinearClassifier",
                    Domain = MachineLearning,
                    Name = "spam",
                    Inputs = ["features"],
                    Outputs = ["label", "probabilities"],
                    // One row of weights a class, as exporters of scikit-learn write a regression between two classes.
                    Attributes =
                    [
                        new AttributeProto { Name = "classlabels_strings", Type = AttributeType.Strings, Strings = [Encoding.UTF8.GetBytes(Ham), Encoding.UTF8.GetBytes(Spam)] },
                        AttributeProto.Of("coefficients", [.. model.Weights.Select(weight => -weight), .. model.Weights]),
                        AttributeProto.Of("intercepts", [-model.Intercept, model.Intercept]),
                        AttributeProto.Of("multi_class", 1L),
                        AttributeProto.Of("post_transform", "LOGISTIC"),
                    ],
                },
            ],
            Inputs = [ValueInfoProto.Tensor("features", TensorDataType.Float, "N", SpamFeatures.Names.Count)],
            Outputs = [ValueInfoProto.Tensor("label", TensorDataType.String, "N"), ValueInfoProto.Tensor("probabilities", TensorDataType.Float, "N", 2)],
        },
    }.ToBytes();
}

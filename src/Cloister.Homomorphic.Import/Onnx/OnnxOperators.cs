using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>Which operator is read by what.</summary>
internal static class OnnxOperators
{
    public static void Read(OnnxGraph graph, NodeProto node)
    {
        if (node.Domain is not ("" or "ai.onnx" or OnnxNodes.MachineLearning)) throw Unknown(node);
        bool ml = node.Domain == OnnxNodes.MachineLearning;
        switch ((ml, node.OpType))
        {
            case (true, "LinearClassifier"): OnnxLinear.Classifier(graph, node); break;
            case (true, "LinearRegressor"): OnnxLinear.Regressor(graph, node); break;
            case (true, "SVMClassifier"): OnnxSupportVectors.Classifier(graph, node); break;
            case (true, "SVMRegressor"): OnnxSupportVectors.Regressor(graph, node); break;
            case (true, "TreeEnsembleClassifier"): OnnxTreeEnsemble.Classifier(graph, node); break;
            case (true, "TreeEnsembleRegressor"): OnnxTreeEnsemble.Regressor(graph, node); break;
            case (true, "TreeEnsemble"): OnnxTreeEnsemble5.Read(graph, node); break;
            case (true, "Scaler"): OnnxColumns.Scaler(graph, node); break;
            case (true, "Imputer"): OnnxColumns.Imputer(graph, node); break;
            case (true, "ArrayFeatureExtractor"): OnnxColumns.Extract(graph, node); break;
            case (true, "FeatureVectorizer"): OnnxColumns.Concatenate(graph, node); break;
            case (true, "Normalizer"): OnnxLinks.Normalizer(graph, node); break;
            case (true, "ZipMap"): OnnxLinks.ZipMap(graph, node); break;
            case (false, "Concat"): OnnxColumns.Concatenate(graph, node); break;
            case (false, "Gemm"): OnnxLinear.Gemm(graph, node); break;
            case (false, "MatMul"): OnnxLinear.MatMul(graph, node); break;
            case (false, "Add" or "Sub" or "Mul" or "Div"): OnnxArithmetic.Read(graph, node); break;
            case (false, "Sigmoid"): OnnxLinks.Apply(graph, node, LinkFunction.Logistic); break;
            case (false, "Softmax"): OnnxLinks.Apply(graph, node, LinkFunction.Softmax); break;
            case (false, "Exp"): OnnxLinks.Apply(graph, node, LinkFunction.Exponential); break;
            case (false, "ArgMax"): OnnxLinks.ArgMax(graph, node); break;
            case (false, "Constant"): OnnxColumns.Constant(graph, node); break;
            case (false, "Identity" or "Cast" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze"): OnnxColumns.Pass(graph, node); break;
            default: throw Unknown(node);
        }
    }

    private static ImportException Unknown(NodeProto node) =>
        OnnxNodes.Refuse(node, ImportError.UnknownOperator,
            $"({(node.Domain.Length > 0 ? node.Domain : "ai.onnx")}) is no part of a linear model or a forest; only those are compiled for ciphertexts");
}

using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>ONNX-ML SVMClassifier and SVMRegressor with a linear kernel: the support vectors, weighted and added, are the weights of a linear model.</summary>
internal static class OnnxSupportVectors
{
    /// <summary>Two classes; more vote in pairs, which is no weighted sum.</summary>
    public static void Classifier(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] coefficients = Linear(attributes);
        double[] vectors = attributes.Floats("support_vectors"), rho = attributes.Floats("rho");
        double[] a = attributes.Floats("prob_a"), b = attributes.Floats("prob_b");
        string[] classes = OnnxLinks.Classes(attributes, "classlabels_ints", "classlabels_strings");
        int perClass = attributes.Ints("vectors_per_class").Length;
        LinkFunction link = OnnxLinks.Transform(attributes);
        attributes.Done();
        if (classes.Length != 2 || perClass != 2 || link != LinkFunction.Identity)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, "does not tell two classes apart by their support vectors; a linear model of more classes is trained one against the rest");
        if (a.Length != b.Length || a.Length > 1) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, "has prob_a and prob_b of other lengths than one");
        if (a.Length == 1 && a[0] >= 0) throw OnnxNodes.Refuse(node, ImportError.Unsupported, "has a prob_a that is not negative: its probabilities fall where its decisions rise");
        LinearModel model = Folded(graph, node, coefficients, vectors, rho);
        // The decision f is for the first class where it is positive; Platt's probability of that class is 1 / (1 + exp(a f + b)). The
        // class follows the decision, not the probability.
        model = a.Length == 1
            ? Scaled(model, a[0], b[0]) with { Link = LinkFunction.Logistic, Classes = classes, Threshold = b[0] }
            : Scaled(model, -1, 0) with { Classes = classes };
        graph.Give(node, 0, new LabelValue(model));
        graph.Give(node, 1, new ScoresValue(model));
    }

    public static void Regressor(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] coefficients = Linear(attributes);
        double[] vectors = attributes.Floats("support_vectors"), rho = attributes.Floats("rho");
        attributes.Int("n_supports", 0);
        LinkFunction link = OnnxLinks.Transform(attributes);
        if (attributes.Int("one_class", 0) != 0) throw attributes.Refuse(ImportError.Unsupported, "detects outliers");
        attributes.Done();
        LinearModel model = Folded(graph, node, coefficients, vectors, rho);
        graph.Give(node, 0, new ScoresValue(OnnxLinks.WithLink(model, link)));
    }

    private static double[] Linear(NodeAttributes attributes)
    {
        attributes.Floats("kernel_params"); // gamma, coef0, degree: other kernels'
        string kernel = attributes.Text("kernel_type", "LINEAR");
        return kernel == "LINEAR"
            ? attributes.Floats("coefficients")
            : throw attributes.Refuse(ImportError.UnsupportedObjective, $"has the kernel {kernel}; only the linear kernel is a weighted sum");
    }

    private static LinearModel Folded(OnnxGraph graph, NodeProto node, double[] coefficients, double[] vectors, double[] rho)
    {
        if (rho.Length != 1) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {rho.Length} numbers in rho; one is due");
        if (vectors.Length == 0) return OnnxLinear.Rows(graph, node, coefficients, rho, 1);
        if (coefficients.Length == 0 || vectors.Length % coefficients.Length != 0)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {coefficients.Length} coefficients for support vectors of {vectors.Length} numbers");
        double[] weights = new double[vectors.Length / coefficients.Length];
        for (int i = 0; i < vectors.Length; i++) weights[i % weights.Length] += coefficients[i / weights.Length] * vectors[i];
        return OnnxLinear.Rows(graph, node, weights, rho, 1);
    }

    private static LinearModel Scaled(LinearModel model, double scale, double offset) => model with
    {
        Weights = [Array.ConvertAll(model.Weights[0], weight => weight * scale)],
        Intercepts = [model.Intercepts[0] * scale + offset],
    };
}

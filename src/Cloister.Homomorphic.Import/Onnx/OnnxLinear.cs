using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>Weighted sums: ONNX-ML's linear operators, Gemm and MatMul. Scaling that went before is folded into the weights.</summary>
internal static class OnnxLinear
{
    /// <summary>ONNX-ML LinearClassifier.</summary>
    public static void Classifier(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] coefficients = attributes.Floats("coefficients"), intercepts = attributes.Floats("intercepts");
        string[] classes = OnnxLinks.Classes(attributes, "classlabels_ints", "classlabels_strings");
        attributes.Int("multi_class", 0); // ONNX Runtime ignores it too: the post_transform says what is computed
        LinkFunction link = OnnxLinks.Transform(attributes);
        attributes.Done();
        int scores = intercepts.Length > 0 ? intercepts.Length : classes.Length;
        if (classes.Length < 2 || scores != classes.Length && !(scores == 1 && classes.Length == 2))
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {intercepts.Length} intercepts for {classes.Length} classes");
        // What engines make of one logistic score and two classes differs: ONNX Runtime leaves the logistic function out.
        if (scores == 1 && link != LinkFunction.Identity)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, "has one score for two classes and a post_transform; give it two rows of coefficients");
        LinearModel model = Rows(graph, node, coefficients, intercepts, scores) with { Classes = classes, Link = link };
        graph.Give(node, 0, new LabelValue(model));
        graph.Give(node, 1, new ScoresValue(model));
    }

    /// <summary>ONNX-ML LinearRegressor.</summary>
    public static void Regressor(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] coefficients = attributes.Floats("coefficients"), intercepts = attributes.Floats("intercepts");
        int targets = OnnxNodes.Index(node, "number of targets", attributes.Int("targets", 1), graph.Options.MaxScores + 1);
        LinkFunction link = OnnxLinks.Transform(attributes);
        attributes.Done();
        LinearModel model = Rows(graph, node, coefficients, intercepts, targets);
        graph.Give(node, 0, new ScoresValue(OnnxLinks.WithLink(model, link)));
    }

    /// <summary>alpha * A * B + beta * C.</summary>
    public static void Gemm(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double alpha = attributes.Float("alpha", 1), beta = attributes.Float("beta", 1);
        bool transposed = attributes.Int("transB", 0) != 0;
        if (attributes.Int("transA", 0) != 0) throw attributes.Refuse(ImportError.Unsupported, "turns rows into columns");
        attributes.Done();
        TensorNumbers weights = graph.Constant(node, 1);
        double[] intercepts = OnnxGraph.Has(node, 2) ? Array.ConvertAll(graph.Constant(node, 2).Values, value => value * beta) : [];
        Product(graph, node, weights, transposed, alpha, intercepts);
    }

    /// <summary>A * B.</summary>
    public static void MatMul(OnnxGraph graph, NodeProto node)
    {
        new NodeAttributes(node).Done();
        Product(graph, node, graph.Constant(node, 1), transposed: false, 1, []);
    }

    /// <summary>Whether two scores are each other's negative: their logistic values add up to one.</summary>
    public static bool AreComplements(LinearModel linear) =>
        linear.Scores == 2 && linear.Intercepts[0] == -linear.Intercepts[1]
        && linear.Weights[0].Zip(linear.Weights[1], (a, b) => a == -b).All(equal => equal);

    /// <summary>A linear model of columns, its weights in rows of one score each.</summary>
    public static LinearModel Rows(OnnxGraph graph, NodeProto node, double[] coefficients, double[] intercepts, int scores)
    {
        if (scores < 1 || coefficients.Length == 0 || coefficients.Length % scores != 0 || intercepts.Length != 0 && intercepts.Length != scores)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {coefficients.Length} coefficients and {intercepts.Length} intercepts for {scores} scores");
        int width = coefficients.Length / scores;
        Column[] columns = graph.Columns(node, width);
        return Sum(graph, node, columns, scores, (score, column) => coefficients[score * width + column], intercepts);
    }

    private static void Product(OnnxGraph graph, NodeProto node, TensorNumbers weights, bool transposed, double alpha, double[] intercepts)
    {
        if (weights.Shape.Length != 2) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"multiplies by {weights.Shape.Length} dimensions; two are due");
        int width = (int)(transposed ? weights.Shape[1] : weights.Shape[0]), scores = (int)(transposed ? weights.Shape[0] : weights.Shape[1]);
        if (width == 0 || scores == 0) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, "multiplies by nothing");
        double Weight(int score, int column) => alpha * weights.Values[transposed ? score * width + column : column * scores + score];
        if (intercepts.Length == 1 && scores > 1) intercepts = [.. Enumerable.Repeat(intercepts[0], scores)];
        if (intercepts.Length != 0 && intercepts.Length != scores)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"adds {intercepts.Length} numbers to {scores} scores");
        Column[] columns = graph.Columns(node, width);
        graph.Give(node, 0, new ScoresValue(Sum(graph, node, columns, scores, Weight, intercepts)));
    }

    private static LinearModel Sum(OnnxGraph graph, NodeProto node, Column[] columns, int scores, Func<int, int, double> weight, double[] intercepts)
    {
        graph.CheckSize(node, scores);
        double[][] weights = new double[scores][];
        double[] sums = new double[scores];
        for (int k = 0; k < scores; k++)
        {
            weights[k] = new double[graph.Features];
            sums[k] = intercepts.Length > 0 ? intercepts[k] : 0;
            for (int i = 0; i < columns.Length; i++)
            {
                double w = weight(k, i);
                weights[k][columns[i].Feature] += w * columns[i].Scale;
                sums[k] += w * columns[i].Offset;
            }
            if (!double.IsFinite(sums[k]) || !weights[k].All(double.IsFinite))
                throw OnnxNodes.Refuse(node, ImportError.NotFinite, "has weights that are not finite once scaling is folded into them");
        }
        return new LinearModel { Features = [], Weights = weights, Intercepts = sums };
    }
}

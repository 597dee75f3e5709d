using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>What comes behind the scores: links, and the forms in which classes and probabilities are handed out.</summary>
internal static class OnnxLinks
{
    /// <summary>A link as a node of its own.</summary>
    public static void Apply(OnnxGraph graph, NodeProto node, LinkFunction link)
    {
        var attributes = new NodeAttributes(node);
        PlainModel model = graph.RawScores(node);
        if (link == LinkFunction.Softmax && attributes.Int("axis", -1) is not (-1 or 1))
            throw attributes.Refuse(ImportError.Unsupported, "is not over the scores of a row");
        attributes.Done();
        graph.Give(node, 0, new ScoresValue(WithLink(model, link)));
    }

    /// <summary>The post_transform of ONNX-ML.</summary>
    public static LinkFunction Transform(NodeAttributes attributes) => attributes.Text("post_transform", "NONE") switch
    {
        "NONE" => LinkFunction.Identity,
        "LOGISTIC" => LinkFunction.Logistic,
        "SOFTMAX" => LinkFunction.Softmax,
        var other => throw attributes.Refuse(ImportError.Unsupported, $"has the post_transform '{other}'; NONE, LOGISTIC and SOFTMAX are read"),
    };

    /// <summary>The class names of a classifier.</summary>
    public static string[] Classes(NodeAttributes attributes, string integers, string texts)
    {
        string[] numbers = [.. attributes.Ints(integers).Select(label => label.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        string[] named = attributes.Texts(texts);
        return named.Length == 0 ? numbers
            : numbers.Length == 0 ? named
            : throw attributes.Refuse(ImportError.Malformed, "names its classes in two ways");
    }

    /// <summary>ONNX-ML Normalizer: only where probabilities add up to one already, so that it changes nothing.</summary>
    public static void Normalizer(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        string norm = attributes.Text("norm", "MAX");
        attributes.Done();
        PlainModel model = graph.Scores(node);
        bool adds = model.Link == LinkFunction.Softmax
            || model.Link == LinkFunction.Logistic && (model.Scores == 1 && model.Classes.Count == 2 || model is LinearModel linear && OnnxLinear.AreComplements(linear));
        if (norm != "L1" || !adds)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported,
                "normalises what does not add up to one already; one-vs-rest probabilities have no link here: export raw scores instead, the chosen class is the same");
        graph.Give(node, 0, new ScoresValue(model));
    }

    /// <summary>ONNX-ML ZipMap: probabilities under their classes' names.</summary>
    public static void ZipMap(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        string[] classes = Classes(attributes, "classlabels_int64s", "classlabels_strings");
        attributes.Done();
        PlainModel model = graph.Scores(node);
        graph.Give(node, 0, new ScoresValue(classes.Length > 0 ? model with { Classes = classes } : model));
    }

    /// <summary>The number of the greatest score.</summary>
    public static void ArgMax(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        long axis = attributes.Int("axis", 0), last = attributes.Int("select_last_index", 0);
        attributes.Int("keepdims", 1);
        attributes.Done();
        PlainModel model = graph.Scores(node);
        if (axis is not (1 or -1) || last != 0 || model.Scores < 2)
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, "does not choose the first greatest of a row's scores");
        graph.Give(node, 0, new LabelValue(model.Classes.Count > 0 ? model : model with { Classes = Numbered(model.Scores) }));
    }

    /// <summary>A model with a link; a single logistic score is the second of two classes.</summary>
    public static PlainModel WithLink(PlainModel model, LinkFunction link) => link switch
    {
        LinkFunction.Logistic when model.Classes.Count == 0 => model with { Link = link, Classes = Numbered(Math.Max(model.Scores, 2)) },
        LinkFunction.Softmax when model.Classes.Count == 0 => model with { Link = link, Classes = Numbered(model.Scores) },
        _ => model with { Link = link },
    };

    private static string[] Numbered(int count) =>
        [.. Enumerable.Range(0, count).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}

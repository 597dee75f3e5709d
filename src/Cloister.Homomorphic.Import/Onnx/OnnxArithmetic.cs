using Cloister.Homomorphic.Models;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>Add, Sub, Mul and Div with a constant: scaling of features, or of scores.</summary>
internal static class OnnxArithmetic
{
    public static void Read(OnnxGraph graph, NodeProto node)
    {
        new NodeAttributes(node).Done();
        bool constantFirst = graph.Input(node, 0) is ConstantValue;
        TensorNumbers constant = graph.Constant(node, constantFirst ? 0 : 1);
        switch (graph.Input(node, constantFirst ? 1 : 0))
        {
            case ColumnsValue { Columns: var known, Double: var wide }:
                Column[] columns = known ?? Column.Plain(graph.Features > 0 ? graph.Features : Widen(graph, constant));
                graph.Spend(node, 4L * columns.Length);
                var moves = Moves(node, constant, columns.Length, constantFirst);
                graph.Give(node, 0, new ColumnsValue([.. columns.Select((column, i) => column.Then(moves[i].Scale, moves[i].Offset))], wide));
                break;
            case ScoresValue { Model: { Link: LinkFunction.Identity } model }:
                graph.Spend(node, Numbers(model));
                graph.Give(node, 0, new ScoresValue(Move(model, Moves(node, constant, model.Scores, constantFirst))));
                break;
            default:
                throw OnnxNodes.Refuse(node, ImportError.Unsupported, "changes what is neither a feature nor a raw score");
        }
    }

    private static long Numbers(PlainModel model) => model switch
    {
        LinearModel linear => (long)linear.Scores * linear.Weights[0].Length,
        Forest forest => forest.Trees.Sum(tree => (long)tree.Nodes.Count * (forest.Scores + 8)),
        _ => 0,
    };

    private static int Widen(OnnxGraph graph, TensorNumbers constant) =>
        constant.Values.Length > 1 && constant.Values.Length <= graph.Options.MaxFeatures
            ? graph.Features = constant.Values.Length
            : throw new ImportException(ImportError.LengthMismatch, "The input's width is unknown; give the names of the features.");

    // One pair a column: y = scale * x + offset.
    private static (double Scale, double Offset)[] Moves(NodeProto node, TensorNumbers constant, int columns, bool constantFirst)
    {
        double[] values = constant.Values;
        bool perColumn = values.Length == columns && constant.Shape.Length is 1 or 2 && constant.Shape[^1] == columns;
        if (values.Length != 1 && !perColumn) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {values.Length} constants for {columns} columns");
        return [.. Enumerable.Range(0, columns).Select(i => Move(node, values[values.Length == 1 ? 0 : i], constantFirst))];
    }

    private static (double Scale, double Offset) Move(NodeProto node, double c, bool constantFirst)
    {
        (double Scale, double Offset) move = (node.OpType, constantFirst) switch
        {
            ("Add", _) => (1, c),
            ("Mul", _) => (c, 0),
            ("Sub", false) => (1, -c),
            ("Sub", true) => (-1, c),
            ("Div", false) => (1 / c, 0),
            _ => throw OnnxNodes.Refuse(node, ImportError.Unsupported, "divides by what it computed"),
        };
        return move.Scale != 0 && double.IsFinite(move.Scale) && double.IsFinite(move.Offset)
            ? move
            : throw OnnxNodes.Refuse(node, ImportError.NotFinite, "multiplies or divides by zero");
    }

    private static PlainModel Move(PlainModel model, (double Scale, double Offset)[] moves) => model switch
    {
        LinearModel linear => linear with
        {
            Weights = [.. linear.Weights.Select((weights, k) => Array.ConvertAll(weights, w => w * moves[k].Scale))],
            Intercepts = [.. linear.Intercepts.Select((value, k) => value * moves[k].Scale + moves[k].Offset)],
        },
        Forest forest => forest with
        {
            BaseScores = [.. forest.BaseScores.Select((value, k) => value * moves[k].Scale + moves[k].Offset)],
            Trees = [.. forest.Trees.Select(tree => new DecisionTree([.. tree.Nodes.Select(node =>
                node.IsLeaf ? node with { Values = [.. node.Values!.Select((value, k) => value * moves[k].Scale)] } : node)]))],
        },
        _ => throw new InvalidOperationException("A model of another kind."),
    };
}

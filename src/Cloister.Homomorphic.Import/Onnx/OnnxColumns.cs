using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>What comes before the scores: features are scaled, completed, picked and joined, one by one.</summary>
internal static class OnnxColumns
{
    /// <summary>ONNX-ML Scaler: (x - offset) * scale.</summary>
    public static void Scaler(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] offsets = attributes.Floats("offset"), scales = attributes.Floats("scale");
        attributes.Done();
        Column[] columns = graph.Columns(node, Math.Max(offsets.Length, scales.Length) is > 1 and var width ? width : 0);
        if (offsets.Length != 1 && offsets.Length != columns.Length || scales.Length != 1 && scales.Length != columns.Length)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {offsets.Length} offsets and {scales.Length} scales for {columns.Length} columns");
        Column Scaled(Column column, int i)
        {
            double scale = scales[scales.Length == 1 ? 0 : i], offset = offsets[offsets.Length == 1 ? 0 : i];
            return scale != 0 ? column.Then(scale, -offset * scale) : throw OnnxNodes.Refuse(node, ImportError.NotFinite, $"multiplies column {i} by zero");
        }
        graph.Give(node, 0, new ColumnsValue([.. columns.Select(Scaled)], Double: false));
    }

    /// <summary>ONNX-ML Imputer of floats, for NaN.</summary>
    public static void Imputer(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        double[] values = attributes.Floats("imputed_value_floats");
        bool replacesNaN = attributes.Any("replaced_value_float") is { } replaced && double.IsNaN(replaced);
        attributes.Done();
        if (!replacesNaN) throw OnnxNodes.Refuse(node, ImportError.Unsupported, "replaces another value than NaN");
        Column[] columns = graph.Columns(node, values.Length > 1 ? values.Length : 0);
        if (values.Length != 1 && values.Length != columns.Length)
            throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"has {values.Length} values for {columns.Length} columns");
        Column Completed(Column column, int i) => double.IsNaN(column.Absent) ? column with { Absent = values[values.Length == 1 ? 0 : i] } : column;
        graph.Give(node, 0, new ColumnsValue([.. columns.Select(Completed)], graph.ReadsDouble(node)));
    }

    /// <summary>ONNX-ML ArrayFeatureExtractor: picks columns, or the name of a chosen class.</summary>
    public static void Extract(OnnxGraph graph, NodeProto node)
    {
        new NodeAttributes(node).Done();
        if (graph.Input(node, 0) is ConstantValue names && graph.Input(node, 1) is LabelValue label)
        {
            string[] classes = Names(names.Tensor);
            if (classes.Length != label.Model.Classes.Count) throw OnnxNodes.Refuse(node, ImportError.LengthMismatch, $"names {classes.Length} of {label.Model.Classes.Count} classes");
            graph.Give(node, 0, new LabelValue(label.Model with { Classes = classes }));
            return;
        }
        Column[] columns = graph.Columns(node, 0);
        double[] picked = graph.Constant(node, 1).Values;
        if (picked.Length == 0 || picked.Length > graph.Options.MaxFeatures) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"picks {picked.Length} columns");
        graph.Spend(node, picked.Length);
        graph.Give(node, 0, new ColumnsValue([.. picked.Select(i => columns[OnnxNodes.Index(node, "column", (long)i, columns.Length)])], graph.ReadsDouble(node)));
    }

    /// <summary>Joins columns.</summary>
    public static void Concatenate(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        attributes.Ints("inputdimensions"); // FeatureVectorizer repeats what its inputs say
        if (node.OpType == "Concat" && attributes.Int("axis", 0) is not (1 or -1)) throw attributes.Refuse(ImportError.Unsupported, "joins rows, not columns");
        attributes.Done();
        var columns = new List<Column>();
        bool wide = true;
        for (int i = 0; i < node.Inputs.Length; i++)
        {
            if (graph.Input(node, i) is not ColumnsValue { Columns: { } known, Double: var from })
                throw OnnxNodes.Refuse(node, ImportError.Unsupported, "joins what are not features");
            graph.Spend(node, known.Length);
            columns.AddRange(known);
            wide &= from;
            if (columns.Count > graph.Options.MaxFeatures) throw OnnxNodes.Refuse(node, ImportError.TooLarge, $"joins more than {graph.Options.MaxFeatures} columns");
        }
        graph.Give(node, 0, new ColumnsValue([.. columns], wide));
    }

    /// <summary>A constant as a node.</summary>
    public static void Constant(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        TensorProto? tensor = attributes.Tensor("value");
        if (tensor is null && attributes.Has("value_float")) tensor = TensorProto.Of("", [], [(float)attributes.Float("value_float", 0)]);
        if (tensor is null && attributes.Has("value_int")) tensor = TensorProto.Of("", [], [attributes.Int("value_int", 0)]);
        ImmutableArray<long> integers = attributes.Ints("value_ints");
        if (tensor is null && integers.Length > 0) tensor = TensorProto.Of("", [integers.Length], integers.AsSpan());
        attributes.Done();
        graph.Give(node, 0, new ConstantValue(tensor ?? throw OnnxNodes.Refuse(node, ImportError.MissingMember, "has no value that is read")));
    }

    /// <summary>What changes the form of a row's values and not the values: type and shape.</summary>
    public static void Pass(OnnxGraph graph, NodeProto node)
    {
        var attributes = new NodeAttributes(node);
        long type = attributes.Int("to", (long)TensorDataType.Float);
        foreach (string form in (ReadOnlySpan<string>)["axis", "allowzero", "saturate"]) attributes.Int(form, 0);
        attributes.Ints("axes");
        attributes.Ints("shape");
        attributes.Done();
        GraphValue value = graph.Input(node, 0);
        if (node.OpType == "Cast" && value is ColumnsValue columns)
        {
            value = (TensorDataType)type switch
            {
                TensorDataType.Float => columns with { Double = false },
                TensorDataType.Double => columns,
                var other => throw OnnxNodes.Refuse(node, ImportError.Unsupported, $"turns features into {other}"),
            };
        }
        // A row stays a row: several columns that change their shape would be other columns.
        if (node.OpType is not ("Cast" or "Identity") && value is not (ScoresValue { Model.Scores: 1 } or LabelValue or ConstantValue)
            && !(node.OpType == "Flatten" && value is ColumnsValue or ScoresValue))
            throw OnnxNodes.Refuse(node, ImportError.Unsupported, "changes the shape of rows");
        graph.Give(node, 0, value);
    }

    private static string[] Names(TensorProto tensor) => tensor.DataType == TensorDataType.String
        ? [.. tensor.StringData.Select(bytes => Encoding.UTF8.GetString(bytes.Span))]
        : [.. TensorNumbers.Read(tensor).Values.Select(value => value.ToString(CultureInfo.InvariantCulture))];
}

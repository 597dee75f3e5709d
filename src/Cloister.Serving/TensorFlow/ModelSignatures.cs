using Cloister.Onnx.Runtime;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// The signatures that an ONNX model has. All predict under <see cref="Default"/>. One whose floating-point outputs hold exactly one
/// of shape [N, classes] can classify, one of shape [N] or [N, 1] can regress; trailing dimensions of 1 do not count, and a free
/// dimension may be either, until a request shows. The names are those under which TensorFlow's estimators export.
/// </summary>
internal static class ModelSignatures
{
    public const string Default = "serving_default", Predict = "predict", Classification = "classification", Regression = "regression";

    public const string PredictMethod = "tensorflow/serving/predict", ClassifyMethod = "tensorflow/serving/classify", RegressMethod = "tensorflow/serving/regress";

    public static bool IsPredict(string name) => name is "" or Default or Predict;

    public static bool IsClassify(string name) => name is "" or Default or Classification;

    public static bool IsRegress(string name) => name is "" or Default or Regression;

    /// <summary>Which output holds the scores of classes; -1 if the model does not classify.</summary>
    public static int ScoresOf(ServedModel model) => OnlyOne(model, shape => shape.Length == 2 && shape[1] != 1);

    /// <summary>Which output holds the value of each example; -1 if the model does not regress.</summary>
    public static int ValuesOf(ServedModel model) => OnlyOne(model, shape => shape.Length == 1 || (shape.Length == 2 && shape[1] < 0));

    /// <summary>A shape without the dimensions of 1 at its end; the first one stays.</summary>
    public static ReadOnlySpan<long> Trim(ReadOnlySpan<long> shape)
    {
        while (shape.Length > 1 && shape[^1] == 1) shape = shape[..^1];
        return shape;
    }

    public static bool IsFloating(TensorElementType type) =>
        type is TensorElementType.Float or TensorElementType.Double or TensorElementType.Float16 or TensorElementType.BFloat16;

    private static int OnlyOne(ServedModel model, Func<long[], bool> fits)
    {
        // Neither answers in one size.
        if (model.Engine.AnswersInOneSize) return -1;
        int found = -1;
        for (int i = 0; i < model.Engine.Outputs.Count; i++)
        {
            TensorInfo output = model.Engine.Outputs[i];
            if (!IsFloating(output.Type) || !fits([.. Trim([.. output.Shape])])) continue;
            if (found >= 0) return -1;
            found = i;
        }
        return found;
    }
}

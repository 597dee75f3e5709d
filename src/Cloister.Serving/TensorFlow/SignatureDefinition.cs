using Cloister.Onnx.Runtime;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>A signature as TF Serving's metadata tells of it.</summary>
/// <param name="Name">What requests call it.</param>
/// <param name="Inputs">Its inputs.</param>
/// <param name="Outputs">Its outputs.</param>
/// <param name="Method">What it is for: <c>tensorflow/serving/predict</c>, <c>classify</c> or <c>regress</c>.</param>
internal sealed record SignatureDefinition(string Name, IReadOnlyList<TensorInfo> Inputs, IReadOnlyList<TensorInfo> Outputs, string Method)
{
    private static readonly TensorInfo[] Examples = [new("inputs", TensorElementType.String, [-1])];

    private static readonly TensorInfo[] Classes = [new("classes", TensorElementType.String, [-1, -1]), new("scores", TensorElementType.Float, [-1, -1])];

    private static readonly TensorInfo[] Values = [new("outputs", TensorElementType.Float, [-1])];

    /// <summary>The signatures of a model.</summary>
    public static IReadOnlyList<SignatureDefinition> Of(ServedModel model)
    {
        var signatures = new List<SignatureDefinition> { new(ModelSignatures.Default, model.Engine.Inputs, model.Engine.Outputs, ModelSignatures.PredictMethod) };
        if (ModelSignatures.ScoresOf(model) >= 0) signatures.Add(new(ModelSignatures.Classification, Examples, Classes, ModelSignatures.ClassifyMethod));
        if (ModelSignatures.ValuesOf(model) >= 0) signatures.Add(new(ModelSignatures.Regression, Examples, Values, ModelSignatures.RegressMethod));
        return signatures;
    }
}

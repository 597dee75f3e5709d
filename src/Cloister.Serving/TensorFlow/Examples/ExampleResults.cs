using System.Runtime.InteropServices;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>What a model says of examples: the scores of their classes, or a value of each (tensorflow/serving, classifier.cc and regressor.cc).</summary>
internal static class ExampleResults
{
    /// <summary>Checks that the model classifies under this signature.</summary>
    /// <returns>Which output holds the scores.</returns>
    /// <exception cref="ServingException">It has no such signature, or does not classify.</exception>
    public static int DemandClassify(ServedModel model, string signature)
    {
        DemandSizeMayTell(model);
        if (!ModelSignatures.IsClassify(signature)) throw NoSignature(signature);
        return ModelSignatures.ScoresOf(model) is >= 0 and var index ? index : throw Refused(
            $"Expected classification signature outputs to contain at least one of \"classes\" or \"scores\". Signature was: {Outputs(model)}");
    }

    /// <summary>Checks that the model regresses under this signature.</summary>
    /// <returns>Which output holds the values.</returns>
    /// <exception cref="ServingException">It has no such signature, or does not regress.</exception>
    public static int DemandRegress(ServedModel model, string signature)
    {
        DemandSizeMayTell(model);
        if (!ModelSignatures.IsRegress(signature)) throw NoSignature(signature);
        return ModelSignatures.ValuesOf(model) is >= 0 and var index ? index : throw Refused($"No regression outputs found in SignatureDef: {Outputs(model)}");
    }

    /// <summary>The scores, example by example.</summary>
    /// <param name="scores">The output that holds them.</param>
    /// <param name="examples">How many examples were sent.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <exception cref="ServingException">The output has not the scores of so many examples.</exception>
    public static float[] Scores(Tensor scores, int examples, out int classes)
    {
        ReadOnlySpan<long> shape = ModelSignatures.Trim(scores.Shape);
        // One class is trimmed away like the other dimensions of 1.
        if (shape.Length == 1 && scores.Shape.Length > 1) shape = scores.Shape[..2];
        if (shape.Length != 2) throw Refused($"Expected Tensor shape: [batch_size num_classes] but got {TensorShapes.Text(scores.Shape)}");
        if (shape[0] != examples) throw Refused($"Expected scores output batch size of {examples}. Got: {shape[0]}");
        classes = (int)shape[1];
        return Singles(scores);
    }

    /// <summary>The value of each example.</summary>
    /// <exception cref="ServingException">The output has not one value for each of so many examples.</exception>
    public static float[] Values(Tensor values, int examples)
    {
        if (ModelSignatures.Trim(values.Shape).Length != 1 || values.Shape.Length == 0)
            throw Refused($"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {TensorShapes.Text(values.Shape)}");
        if (values.Shape[0] != examples) throw Refused($"Input batch size did not match output batch size: {examples} vs. {values.Shape[0]}");
        return Singles(values);
    }

    /// <summary>The label of a class; empty where the model's maker gave none.</summary>
    public static string Label(ServedModel model, int index) => model.Labels?[index] ?? "";

    private static void DemandSizeMayTell(ServedModel model)
    {
        if (model.Engine.AnswersInOneSize)
            throw new ServingException(ServingError.Unsupported, $"Model '{model.Name}' answers in one size, which classify and regress cannot; ask it to predict.");
    }

    private static float[] Singles(Tensor tensor) => tensor.Type switch
    {
        TensorElementType.Float => tensor.Elements<float>().ToArray(),
        TensorElementType.Double => Array.ConvertAll(tensor.Elements<double>().ToArray(), value => (float)value),
        TensorElementType.Float16 => Array.ConvertAll(tensor.Elements<Half>().ToArray(), value => (float)value),
        _ => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(tensor.Bytes).ToArray(), value => BitConverter.UInt32BitsToSingle((uint)value << 16)),
    };

    private static string Outputs(ServedModel model) => string.Join(", ", model.Engine.Outputs.Select(output => $"{output.Name}: {DataTypes.Name(output.Type)}{TensorShapes.Text([.. output.Shape])}"));

    private static ServingException NoSignature(string signature) => Refused($"No signature was found with the name: {signature}");

    private static ServingException Refused(string reason) => new(ServingError.InvalidRequest, reason);
}

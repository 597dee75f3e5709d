using Cloister.Serving.Engines;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Examples;
using Cloister.Serving.TensorFlow.Messages;
using Message = Cloister.Serving.TensorFlow.Messages;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>What a model gives and what it is, as TF Serving's messages.</summary>
internal static class GrpcResults
{
    /// <exception cref="ServingException">The output has not the scores of so many examples.</exception>
    public static ClassificationResult Classes(ServedModel model, Tensor output, int examples)
    {
        float[] scores = ExampleResults.Scores(output, examples, out int classes);
        var result = new ClassificationResult();
        for (int example = 0; example < examples; example++)
        {
            var one = new Classifications();
            for (int index = 0; index < classes; index++)
                one.Classes.Add(new Class { Label = ExampleResults.Label(model, index), Score = scores[example * classes + index] });
            result.Classifications.Add(one);
        }
        return result;
    }

    /// <exception cref="ServingException">The output has not one value for each of so many examples.</exception>
    public static RegressionResult Values(Tensor output, int examples)
    {
        var result = new RegressionResult();
        foreach (float value in ExampleResults.Values(output, examples)) result.Regressions.Add(new Regression { Value = value });
        return result;
    }

    public static SignatureDefMap Signatures(ServedModel model)
    {
        var map = new SignatureDefMap();
        foreach (SignatureDefinition signature in SignatureDefinition.Of(model))
        {
            var definition = new SignatureDef { MethodName = signature.Method };
            foreach (Onnx.Runtime.TensorInfo input in signature.Inputs) definition.Inputs[input.Name] = Describe(input);
            foreach (Onnx.Runtime.TensorInfo output in signature.Outputs) definition.Outputs[output.Name] = Describe(output);
            map.SignatureDef[signature.Name] = definition;
        }
        return map;
    }

    private static Message.TensorInfo Describe(Onnx.Runtime.TensorInfo tensor)
    {
        var shape = new TensorShapeProto();
        foreach (long dimension in tensor.Shape) shape.Dim.Add(new TensorShapeProto.Types.Dim { Size = dimension });
        return new Message.TensorInfo { Name = tensor.Name, Dtype = (DataType)DataTypes.Number(tensor.Type), TensorShape = shape };
    }
}

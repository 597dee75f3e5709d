using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// A body without JSON (Inference-Header-Content-Length 0): the data of the model's one input, whose shape follows from its
/// size. Every output is answered as binary data.
/// </summary>
internal static class RawRequest
{
    /// <summary>What the request would say if it had a JSON.</summary>
    /// <param name="model">The model that is asked.</param>
    /// <param name="length">The length of the body.</param>
    /// <exception cref="ServingException">The model has several inputs, or its input's shape does not follow from the size.</exception>
    public static AnnouncedInput Describe(ServedModel model, long length)
    {
        if (model.Engine.Inputs is not [TensorInfo input])
            throw new ServingException(ServingError.BinaryDataRefused, $"A body without JSON suits models of one input; model '{model.Name}' has {model.Engine.Inputs.Count}.");
        long[] shape = [.. input.Shape];
        if (input.Type == TensorElementType.String)
        {
            if (shape.Any(dimension => dimension is not (1 or -1))) throw Undecided(input, "holds more than one text");
            Array.Fill(shape, 1);
        }
        else
        {
            Solve(input, shape, length);
        }
        return AnnouncedInput.Of(model, input.Name, TensorTypes.OpenInference(input.Type), shape);
    }

    /// <summary>The request of a body that is here as a whole.</summary>
    /// <exception cref="ServingException">As <see cref="Describe"/>, or the data is not what the input takes.</exception>
    public static InferRequest Read(ReadOnlySpan<byte> body, ServedModel model, TensorPool pool)
    {
        AnnouncedInput input = Describe(model, body.Length);
        Tensor tensor = input.Type == TensorElementType.String ? Tensor.FromTexts([input.Text(body, 0)], input.Shape) : input.ToTensor(body, pool);
        var request = new InferRequest(model) { BinaryOutputs = true };
        request.Inputs[input.Index] = tensor;
        return request;
    }

    private static void Solve(TensorInfo input, long[] shape, long length)
    {
        int free = Array.IndexOf(shape, -1);
        if (free >= 0 && Array.IndexOf(shape, -1, free + 1) >= 0) throw Undecided(input, "leaves more than one dimension open");
        if (free < 0) return;
        shape[free] = 1;
        if (TensorShapes.Elements(shape) is not { } rest) throw Undecided(input, "is larger than any tensor");
        long item = rest == 0 ? 0 : input.Type.ByteLength(rest);
        if (item == 0 || length % item != 0) throw Undecided(input, $"takes {item} bytes an item, which do not divide {length}");
        shape[free] = length / item;
    }

    private static ServingException Undecided(TensorInfo input, string why) =>
        new(ServingError.BinaryDataRefused, $"A body without JSON does not do: input '{input.Name}' of shape {TensorShapes.Text([.. input.Shape])} {why}. Send a JSON that says the shape.");
}

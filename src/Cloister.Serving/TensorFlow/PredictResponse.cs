using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>Writes a predict response: <c>predictions</c> for row format, <c>outputs</c> for column format; named only where there are several.</summary>
internal static class PredictResponse
{
    /// <exception cref="ServingException">Row format, but the outputs are not batches of the same size.</exception>
    public static void Write(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs, bool row)
    {
        if (row) WriteRows(json, declared, outputs);
        else WriteColumns(json, declared, outputs);
    }

    private static void WriteRows(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs)
    {
        long items = -1;
        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs[i].Shape.Length == 0) throw Uneven($"output '{declared[i].Name}' is a single value");
            if (items >= 0 && outputs[i].Shape[0] != items) throw Uneven($"output '{declared[i].Name}' has {outputs[i].Shape[0]} items where others have {items}");
            items = outputs[i].Shape[0];
        }
        json.Raw("{\n    \"predictions\": ["u8);
        for (int item = 0; item < items; item++)
        {
            if (item > 0) json.Raw(", "u8);
            if (outputs.Length > 1) json.Raw("{"u8);
            for (int i = 0; i < outputs.Length; i++)
            {
                if (outputs.Length > 1) WriteName(json, declared[i].Name, i);
                int at = (int)(outputs[i].ElementCount / items * item);
                WriteValues(json, outputs[i], declared[i].Name, 1, ref at);
            }
            if (outputs.Length > 1) json.Raw("}"u8);
        }
        json.Raw("\n    ]\n}"u8);
    }

    private static void WriteColumns(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs)
    {
        json.Raw("{\n    \"outputs\": "u8);
        if (outputs.Length > 1) json.Raw("{"u8);
        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs.Length > 1) WriteName(json, declared[i].Name, i);
            int at = 0;
            WriteValues(json, outputs[i], declared[i].Name, 0, ref at);
        }
        if (outputs.Length > 1) json.Raw("}"u8);
        json.Raw("\n}"u8);
    }

    private static void WriteName(JsonOutput json, string name, int index)
    {
        if (index > 0) json.Raw(", "u8);
        json.Text(name).Raw(": "u8);
    }

    private static void WriteValues(JsonOutput json, Tensor tensor, string name, int dimension, ref int at)
    {
        if (dimension >= tensor.Shape.Length)
        {
            WriteRun(json, tensor, name, 1, ref at);
            return;
        }
        int length = (int)tensor.Shape[dimension];
        json.Raw("["u8);
        if (dimension == tensor.Shape.Length - 1) WriteRun(json, tensor, name, length, ref at);
        else
        {
            for (int i = 0; i < length; i++)
            {
                if (i > 0) json.Raw(", "u8);
                WriteValues(json, tensor, name, dimension + 1, ref at);
            }
        }
        json.Raw("]"u8);
    }

    private static void WriteRun(JsonOutput json, Tensor tensor, string name, int count, ref int at)
    {
        // A text whose name ends so is bytes, by TF Serving's custom.
        if (tensor.Type == TensorElementType.String && name.EndsWith("_bytes", StringComparison.Ordinal))
        {
            for (int i = 0; i < count; i++)
                json.Raw(i > 0 ? ", {\"b64\": "u8 : "{\"b64\": "u8).Base64Of(Encoding.UTF8.GetBytes(tensor.Texts[at + i])).Raw("}"u8);
        }
        else TensorJson.Write(json, tensor, at, count, FloatStyle.TensorFlow, ", "u8);
        at += count;
    }

    private static ServingException Uneven(string reason) =>
        new(ServingError.InvalidRequest, $"The answer is no batch of items: {reason}; send 'inputs' instead of 'instances'.");
}

using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// Writes a predict response, white space as TF Serving's: <c>predictions</c> for row format with each item on one line,
/// <c>outputs</c> for column format with each value on a line of its own; named only where there are several outputs.
/// </summary>
internal static class PredictResponse
{
    /// <param name="json">Takes it.</param>
    /// <param name="declared">The model's outputs.</param>
    /// <param name="outputs">Their tensors.</param>
    /// <param name="row">Whether it is row format.</param>
    /// <param name="oneSize">Whether it is filled up to a size that follows from the shapes.</param>
    /// <exception cref="ServingException">Row format, but the outputs are not batches of the same size.</exception>
    public static void Write(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs, bool row, bool oneSize = false)
    {
        if (row) WriteRows(json, declared, outputs, oneSize);
        else WriteColumns(json, declared, outputs, oneSize);
    }

    /// <summary>Writes an encrypted answer as bytes are written, in base64: one item.</summary>
    public static void WriteBytes(JsonOutput json, Tensor answer, bool row) => json
        .Raw(row ? "{\n    \"predictions\": [{\"b64\": "u8 : "{\n    \"outputs\": {\"b64\": "u8).Base64Of(answer.Bytes).Raw(row ? "}\n    ]\n}"u8 : "}\n}"u8);

    private static void WriteRows(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs, bool oneSize)
    {
        long items = BatchSize(declared, outputs);
        bool named = outputs.Length > 1;
        json.Raw("{\n    \"predictions\": ["u8);
        for (int item = 0; item < items; item++)
        {
            if (item > 0) json.Raw(","u8);
            if (named) json.Raw("\n        {"u8);
            else if (item > 0) json.Raw(" "u8);
            for (int i = 0; i < outputs.Length; i++)
            {
                if (named) WriteName(json, declared[i].Name, i, 3);
                new Values(json, outputs[i], declared[i].Name, oneLine: true, oneSize, (int)(outputs[i].ElementCount / items * item)).Write(1, named ? 3 : 2);
            }
            if (named) json.Raw("\n        }"u8);
        }
        json.Raw(items > 0 ? "\n    ]\n}"u8 : "]\n}"u8);
    }

    private static void WriteColumns(JsonOutput json, IReadOnlyList<TensorInfo> declared, Tensor[] outputs, bool oneSize)
    {
        bool named = outputs.Length > 1;
        json.Raw("{\n    \"outputs\": "u8);
        if (named) json.Raw("{"u8);
        for (int i = 0; i < outputs.Length; i++)
        {
            if (named) WriteName(json, declared[i].Name, i, 2);
            new Values(json, outputs[i], declared[i].Name, oneLine: false, oneSize, 0).Write(0, named ? 2 : 1);
        }
        json.Raw(named ? "\n    }\n}"u8 : "\n}"u8);
    }

    private static void WriteName(JsonOutput json, string name, int index, int level)
    {
        if (index > 0) json.Raw(","u8);
        NewLine(json, level);
        EscapedText.Write(json, name);
        json.Raw(": "u8);
    }

    private static void NewLine(JsonOutput json, int level)
    {
        json.Raw("\n"u8);
        for (; level > 0; level--) json.Raw("    "u8);
    }

    private static long BatchSize(IReadOnlyList<TensorInfo> declared, Tensor[] outputs)
    {
        long items = -1;
        for (int i = 0; i < outputs.Length; i++)
        {
            if (outputs[i].Shape.Length == 0) throw Uneven($"Tensor name: {declared[i].Name} has no shape information ");
            if (items >= 0 && outputs[i].Shape[0] != items) throw Uneven($"Tensor name: {declared[i].Name} has inconsistent batch size: {outputs[i].Shape[0]} expecting: {items}");
            items = outputs[i].Shape[0];
        }
        return items;
    }

    private static ServingException Uneven(string reason) => new(ServingError.InvalidRequest, reason);

    /// <summary>Writes the values of one tensor from an offset on.</summary>
    private ref struct Values(JsonOutput json, Tensor tensor, string name, bool oneLine, bool oneSize, int at)
    {
        // A text whose name ends so is bytes, by TF Serving's custom.
        private readonly bool _isBytes = tensor.Type == TensorElementType.String && name.EndsWith("_bytes", StringComparison.Ordinal);
        private int _at = at;

        /// <param name="dimension">The dimension at hand.</param>
        /// <param name="level">How many brackets are open.</param>
        public void Write(int dimension, int level)
        {
            if (dimension >= tensor.Shape.Length)
            {
                WriteRun(1, level);
                return;
            }
            int length = (int)tensor.Shape[dimension];
            json.Raw("["u8);
            if (length > 0) Separate(first: true, level + 1);
            if (dimension == tensor.Shape.Length - 1) WriteRun(length, level + 1);
            else
            {
                for (int i = 0; i < length; i++)
                {
                    if (i > 0) Separate(first: false, level + 1);
                    Write(dimension + 1, level + 1);
                }
            }
            if (length > 0 && !oneLine) NewLine(json, level);
            json.Raw("]"u8);
        }

        private readonly void Separate(bool first, int level)
        {
            if (!first) json.Raw(oneLine ? ", "u8 : ","u8);
            if (!oneLine) NewLine(json, level);
        }

        private void WriteRun(int count, int level)
        {
            if (tensor.Type == TensorElementType.String)
            {
                for (int i = 0; i < count; i++)
                {
                    if (i > 0) Separate(first: false, level);
                    WriteText(tensor.Texts[_at + i], level);
                }
            }
            else if (oneLine) WriteNumbers(count, ", "u8);
            else
            {
                Span<byte> separator = stackalloc byte[2 + 4 * level];
                separator.Fill((byte)' ');
                ",\n"u8.CopyTo(separator);
                WriteNumbers(count, separator);
            }
            _at += count;
        }

        private readonly void WriteNumbers(int count, ReadOnlySpan<byte> separator)
        {
            if (oneSize) TensorJson.WriteInOneSize(json, tensor, _at, count, FloatStyle.TensorFlow, separator);
            else TensorJson.Write(json, tensor, _at, count, FloatStyle.TensorFlow, separator);
        }

        private readonly void WriteText(string text, int level)
        {
            if (!_isBytes)
            {
                EscapedText.Write(json, text);
                return;
            }
            json.Raw("{"u8);
            NewLine(json, level + 1);
            json.Raw("\"b64\": "u8).Base64Of(Encoding.UTF8.GetBytes(text));
            NewLine(json, level);
            json.Raw("}"u8);
        }
    }
}

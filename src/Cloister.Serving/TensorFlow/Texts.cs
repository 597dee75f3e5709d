using System.Text;
using System.Text.Unicode;
using Cloister.Serving.Engines;

namespace Cloister.Serving.TensorFlow;

/// <summary>TensorFlow's strings are bytes; ONNX Runtime's are UTF-8 that ends at a zero character.</summary>
internal static class Texts
{
    /// <exception cref="ServingException">A value is not such a text.</exception>
    public static Tensor ToTensor(IReadOnlyList<byte[]> values, string name, long[] shape)
    {
        var texts = new string[values.Count];
        for (int i = 0; i < texts.Length; i++)
        {
            if (!Utf8.IsValid(values[i]) || values[i].AsSpan().Contains((byte)0))
                throw new ServingException(ServingError.WrongType, $"Input '{name}': value {i} is not UTF-8 text without zero characters.");
            texts[i] = Encoding.UTF8.GetString(values[i]);
        }
        return Tensor.FromTexts(texts, shape);
    }
}

using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>Writes the answers of <c>:classify</c> and <c>:regress</c>, white space as TF Serving's.</summary>
internal static class ExampleResponse
{
    /// <summary>A list of [label, score] for each example.</summary>
    public static void WriteClasses(JsonOutput json, ServedModel model, ReadOnlySpan<float> scores, int examples, int classes)
    {
        json.Raw("{\n    \"results\": ["u8);
        for (int example = 0; example < examples; example++)
        {
            json.Raw(example > 0 ? ", ["u8 : "["u8);
            for (int index = 0; index < classes; index++)
            {
                json.Raw(index > 0 ? ", ["u8 : "["u8);
                EscapedText.Write(json, ExampleResults.Label(model, index));
                json.Raw(", "u8).Number(scores[example * classes + index], FloatStyle.TensorFlow).Raw("]"u8);
            }
            json.Raw("]"u8);
        }
        json.Raw("\n    ]\n}"u8);
    }

    /// <summary>A value for each example.</summary>
    public static void WriteValues(JsonOutput json, ReadOnlySpan<float> values)
    {
        json.Raw("{\n    \"results\": ["u8);
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) json.Raw(", "u8);
            json.Number(values[i], FloatStyle.TensorFlow);
        }
        json.Raw("]\n}"u8);
    }
}

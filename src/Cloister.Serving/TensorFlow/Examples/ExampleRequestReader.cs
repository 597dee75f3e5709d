using System.Text;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow.Examples;

/// <summary>Reads the body of <c>:classify</c> and <c>:regress</c>: <c>examples</c>, and perhaps a <c>context</c> that they share.</summary>
internal static class ExampleRequestReader
{
    /// <summary>Reads a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="model">Whose inputs the features are for.</param>
    /// <param name="signature">The signature that is asked for; empty if none is.</param>
    /// <exception cref="ServingException">It is no such request; the text is TF Serving's.</exception>
    public static ExampleBatch Read(ReadOnlySpan<byte> body, ServedModel model, out string signature)
    {
        if (RefusalText.Document(body, out JsonView document) is { } fault) throw new ServingException(ServingError.MalformedJson, fault);
        if (RefusalText.Signature(document, out signature) is { } unreadable) throw Refused(unreadable);
        var batch = new ExampleBatch(model);
        var unused = new Feature();
        if (document.TryFind("context"u8, out JsonView context)) ReadExample(context, batch, unused, context: true);
        if (!document.TryFind("examples"u8, out JsonView examples)) throw Refused(RefusalText.Of(document, "When method is classify, key 'examples' is expected and was not found"));
        if (examples.Kind != JsonKind.Array) throw Refused(RefusalText.Of(document, "Expecting 'examples' value to be an list/array"));
        foreach (JsonMember example in examples)
        {
            ReadExample(example.Value, batch, unused, context: false);
            batch.EndExample();
        }
        return batch.Count > 0 ? batch : throw Refused(RefusalText.Of(document, "'examples' value is an empty array"));
    }

    private static void ReadExample(JsonView value, ExampleBatch batch, Feature unused, bool context)
    {
        if (value.Kind != JsonKind.Object) throw Refused($"Example must be JSON object but got JSON {value.KindName}");
        foreach (JsonMember member in value)
        {
            Feature feature = batch.Of(member.Name, context) ?? unused;
            if (feature == unused) unused.Clear();
            else if (feature.Kind != FeatureKind.None) throw Refused($"Feature: {Encoding.UTF8.GetString(member.Name)} stands there twice");
            if (member.Value.Kind != JsonKind.Array) ReadValue(member.Value, member.Name, feature);
            else
            {
                foreach (JsonMember element in member.Value) ReadValue(element.Value, member.Name, feature);
            }
        }
    }

    private static void ReadValue(JsonView value, ReadOnlySpan<byte> name, Feature feature)
    {
        switch (value.Kind)
        {
            case JsonKind.Boolean:
                Demand(feature, FeatureKind.Integers, name);
                feature.Integers.Add(value.IsTrue ? 1 : 0);
                break;
            case JsonKind.String:
                Demand(feature, FeatureKind.Bytes, name);
                feature.Bytes.Add(value.Text.ToArray());
                break;
            case JsonKind.Object when value.IsBase64:
                Demand(feature, FeatureKind.Bytes, name);
                value.TryFind("b64"u8, out JsonView text);
                feature.Bytes.Add(Base64Bytes.TryDecode(text.Text, out byte[] bytes) ? bytes : throw Refused("Unable to base64 decode"));
                break;
            case JsonKind.Number when value.TryWhole(out Int128 whole):
                Demand(feature, FeatureKind.Integers, name);
                if (whole > long.MaxValue) throw Refused($"Feature: {Encoding.UTF8.GetString(name)} has uint64_t element. Only int64_t is supported.");
                feature.Integers.Add((long)whole);
                break;
            case JsonKind.Number:
                Demand(feature, FeatureKind.Floats, name);
                feature.Floats.Add((float)value.AsDouble);
                break;
            default:
                throw Refused($"Feature: {Encoding.UTF8.GetString(name)} has element with unexpected JSON type: {value.KindName}");
        }
    }

    private static void Demand(Feature feature, FeatureKind kind, ReadOnlySpan<byte> name)
    {
        if (!feature.TryBe(kind)) throw Refused($"Unexpected element type in feature: {Encoding.UTF8.GetString(name)} expecting type: {feature.KindName}");
    }

    private static ServingException Refused(string reason) => new(ServingError.InvalidRequest, reason);
}

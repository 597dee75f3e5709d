using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Json;

namespace Cloister.Serving.TensorFlow;

/// <summary>
/// Says in TF Serving's words why a predict request is none. Only a body that was refused comes here: this reads it a second
/// time, in TF Serving's order, and finds the reason that TF Serving would have found first.
/// </summary>
internal static class PredictRefusal
{
    // Each level of a list is counted before it is walked; more than this is not worth the time.
    private const int LargestBody = 8 << 20;

    /// <summary>The refusal to answer with: TF Serving's, or the original where TF Serving would have taken the body.</summary>
    public static ServingException Of(ServingException original, ReadOnlySpan<byte> body, ServedModel model)
    {
        if (body.Length > LargestBody || original.Error is ServingError.PictureRefused or ServingError.TooLarge or ServingError.Unsupported) return original;
        return Find(body, model) is { } text ? new ServingException(original.Error, text, original) : original;
    }

    /// <summary>What TF Serving would say of the body; null if it would take it.</summary>
    internal static string? Find(ReadOnlySpan<byte> body, ServedModel model)
    {
        if (RefusalText.Document(body, out JsonView document) is { } fault) return fault;
        if (RefusalText.Signature(document, out string signature) is { } unreadable) return unreadable;
        if (!ModelSignatures.IsPredict(signature)) return $"Serving signature name: \"{signature}\" not found in signature def";
        bool row = document.TryFind("instances"u8, out JsonView instances), column = document.TryFind("inputs"u8, out JsonView inputs);
        if (row && column) return RefusalText.Of(document, "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ");
        if (!row) return column ? Columns(inputs, model) : "Missing 'inputs' or 'instances' key";
        if (instances.Kind != JsonKind.Array) return RefusalText.Of(document, "Expecting 'instances' to be an list/array");
        foreach (JsonMember first in instances) return Rows(instances, first.Value, model);
        return RefusalText.Of(document, "No values in 'instances' array");
    }

    private static string? Columns(JsonView inputs, ServedModel model)
    {
        if (inputs.Kind != JsonKind.Object || inputs.IsBase64)
        {
            return model.Engine.Inputs.Count > 1
                ? "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"
                : TensorWalk.Check(inputs, model.Engine.Inputs[0], model, out _, out _);
        }
        foreach (TensorInfo input in model.Engine.Inputs)
        {
            if (!inputs.TryFind(Encoding.UTF8.GetBytes(input.Name), out JsonView value)) return $"Missing named input: {input.Name} in 'inputs' object.";
            if (TensorWalk.Check(value, input, model, out _, out _) is { } fault) return fault;
        }
        return null;
    }

    private static string? Rows(JsonView instances, JsonView first, ServedModel model)
    {
        if (first.Kind != JsonKind.Object && model.Engine.Inputs.Count > 1)
            return "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map";
        bool named = IsNamed(first);
        var shapes = new Dictionary<string, (long Count, long[] Shape)>(StringComparer.Ordinal);
        int item = 0;
        foreach (JsonMember member in instances)
        {
            if (IsNamed(member.Value) != named)
                return named ? $"Expecting object but got list at item {item} of input list" : $"Expecting value/list but got object at item {item} of input list";
            string? fault = named ? Named(member.Value, item, model, shapes) : Unnamed(member.Value, item, model, shapes);
            if (fault is not null) return fault;
            item++;
        }
        return null;
    }

    private static string? Unnamed(JsonView value, int item, ServedModel model, Dictionary<string, (long, long[])> shapes) =>
        Item(value, model.Engine.Inputs[0].Name, model, shapes) is { } fault
            ? $"Failed to process element: {item} of 'instances' list. Error: INVALID_ARGUMENT: {fault}"
            : null;

    private static string? Named(JsonView value, int item, ServedModel model, Dictionary<string, (long, long[])> shapes)
    {
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        foreach (JsonMember member in value)
        {
            string name = Encoding.UTF8.GetString(member.Name);
            keys.Add(name);
            if (Item(member.Value, name, model, shapes) is { } fault)
                return $"Failed to process element: {item} key: {name} of 'instances' list. Error: INVALID_ARGUMENT: {fault}";
        }
        var names = new SortedSet<string>(model.Engine.Inputs.Select(input => input.Name), StringComparer.Ordinal);
        return names.SetEquals(keys)
            ? null
            : $"Failed to process element: {item} of 'instances' list. JSON object: {JsonEcho.Of(value)} keys must be equal to: {string.Join(',', names)}";
    }

    private static string? Item(JsonView value, string name, ServedModel model, Dictionary<string, (long Count, long[] Shape)> shapes)
    {
        if (model.Engine.Inputs.FirstOrDefault(input => input.Name == name) is not { } declared) return $"JSON object: does not have named input: {name}";
        if (TensorWalk.Check(value, declared, model, out long count, out long[] shape) is { } fault) return fault;
        if (shapes.TryAdd(name, (count, shape))) return null;
        (long Count, long[] Shape) before = shapes[name];
        if (before.Count != count) return $"Expecting tensor size: {before.Count} but got: {count}";
        return before.Shape.AsSpan().SequenceEqual(shape) ? null : $"Expecting shape {TensorShapes.Text(before.Shape)} but got: {TensorShapes.Text(shape)}";
    }

    private static bool IsNamed(JsonView value) => value.Kind == JsonKind.Object && !value.IsBase64;
}

using System.Text.Json;
using System.Text.Unicode;

namespace Cloister.Client;

/// <summary>The Open Inference Protocol's JSON: requests are written, answers are read with every bound and type checked.</summary>
internal static class InferJson
{
    private const int MaxOutputs = 64, MaxDimensions = 16;

    /// <summary>A request for all outputs, or, with <paramref name="classes"/>, for the highest classes of one.</summary>
    public static byte[] WriteRequest(IReadOnlyList<InferTensor> inputs, string? classifiedOutput, int classes)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("inputs");
            foreach (InferTensor input in inputs)
                WriteTensor(json, input);
            json.WriteEndArray();
            if (classifiedOutput is not null)
            {
                json.WriteStartArray("outputs");
                json.WriteStartObject();
                json.WriteString("name", classifiedOutput);
                json.WriteStartObject("parameters");
                json.WriteNumber("classification", classes);
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void WriteTensor(Utf8JsonWriter json, InferTensor tensor)
    {
        json.WriteStartObject();
        json.WriteString("name", tensor.Name);
        json.WriteStartArray("shape");
        foreach (long dimension in tensor.Shape)
            json.WriteNumberValue(dimension);
        json.WriteEndArray();
        json.WriteString("datatype", tensor.Datatype);
        json.WriteStartArray("data");
        foreach (double number in tensor.Numbers.Span)
        {
            if (tensor.Datatype == "FP32")
                json.WriteNumberValue((float)number);
            else
                json.WriteNumberValue(number);
        }
        foreach (long integer in tensor.Integers.Span)
            json.WriteNumberValue(integer);
        foreach (string text in tensor.Texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads an inference's answer.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>.</exception>
    public static InferAnswer ReadAnswer(ReadOnlyMemory<byte> body) => Read(body, root =>
    {
        OnlyMembers(root, "model_name", "model_version", "id", "parameters", "outputs");
        JsonElement outputs = Member(root, "outputs", JsonValueKind.Array);
        if (outputs.GetArrayLength() > MaxOutputs)
            throw Malformed($"it has more than {MaxOutputs} outputs");
        return new InferAnswer(Text(root, "model_name"), OptionalText(root, "model_version"), [.. outputs.EnumerateArray().Select(ReadTensor)]);
    });

    /// <summary>Reads a model's description.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>.</exception>
    public static ModelDescription ReadDescription(ReadOnlyMemory<byte> body) => Read(body, root => new ModelDescription(
        Text(root, "name"), OptionalText(root, "platform"), ReadDescriptions(root, "inputs"), ReadDescriptions(root, "outputs")));

    /// <summary>Reads Triton's form of a class, <c>score:index</c> or <c>score:index:label</c>.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>.</exception>
    public static PredictedLabel ReadLabel(string text)
    {
        string[] parts = text.Split(':', 3);
        if (parts.Length < 2
            || !double.TryParse(parts[0], System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double score) || !double.IsFinite(score)
            || !int.TryParse(parts[1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index))
            throw Malformed("a class is not score:index:label");
        return new PredictedLabel(score, index, parts.Length == 3 ? RestAnswer.Printable(parts[2]) : "");
    }

    /// <summary>Reads an error, <c>{"error": text, "number": number}</c>, the number where the server numbers its refusals; nothing if the body is something else.</summary>
    public static (string? Reason, int? Number) ReadError(ReadOnlyMemory<byte> body)
    {
        try
        {
            return Read<(string?, int?)>(body, root => (Text(root, "error"),
                root.TryGetProperty("number", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int value) ? value : null));
        }
        catch (ClientException)
        {
            // A body that is no error document leaves the HTTP status to speak.
            return (null, null);
        }
    }

    private static InferTensor ReadTensor(JsonElement output)
    {
        OnlyMembers(output, "name", "shape", "datatype", "parameters", "data");
        string name = Text(output, "name"), datatype = Text(output, "datatype");
        long[] shape = ReadShape(output, free: false);
        var values = new List<JsonElement>();
        Flatten(Member(output, "data", JsonValueKind.Array), values, 0);
        if (InferTensor.Count(shape) != values.Count)
            throw Malformed($"output '{RestAnswer.Printable(name)}' does not hold as many values as its shape says");
        return datatype switch
        {
            "FP16" or "FP32" or "FP64" => InferTensor.Read(name, datatype, shape, [.. values.Select(Number)], null, null),
            "BOOL" or "INT8" or "INT16" or "INT32" or "INT64" or "UINT8" or "UINT16" or "UINT32" => InferTensor.Read(name, datatype, shape, null, [.. values.Select(Integer)], null),
            "BYTES" => InferTensor.Read(name, datatype, shape, null, null, [.. values.Select(TextValue)]),
            _ => throw Malformed($"the data type '{RestAnswer.Printable(datatype)}' is unknown"),
        };
    }

    private static TensorDescription[] ReadDescriptions(JsonElement root, string member)
    {
        JsonElement array = Member(root, member, JsonValueKind.Array);
        if (array.GetArrayLength() > MaxOutputs)
            throw Malformed($"it has more than {MaxOutputs} {member}");
        return [.. array.EnumerateArray().Select(e => new TensorDescription(Text(e, "name"), Text(e, "datatype"), ReadShape(e, free: true)))];
    }

    private static long[] ReadShape(JsonElement tensor, bool free)
    {
        JsonElement shape = Member(tensor, "shape", JsonValueKind.Array);
        if (shape.GetArrayLength() > MaxDimensions)
            throw Malformed($"a shape has more than {MaxDimensions} dimensions");
        return [.. shape.EnumerateArray().Select(d => d.ValueKind == JsonValueKind.Number && d.TryGetInt64(out long value) && value >= (free ? -1 : 0)
            ? value : throw Malformed("a dimension is not a whole number"))];
    }

    private static void Flatten(JsonElement array, List<JsonElement> values, int depth)
    {
        if (depth >= MaxDimensions)
            throw Malformed("its data is nested too deeply");
        foreach (JsonElement element in array.EnumerateArray())
        {
            if (element.ValueKind == JsonValueKind.Array)
                Flatten(element, values, depth + 1);
            else
                values.Add(element);
        }
    }

    private static double Number(JsonElement e) => e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out double value) ? value : throw Malformed("a value is not a number");

    private static long Integer(JsonElement e) => e.ValueKind switch
    {
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        JsonValueKind.Number when e.TryGetInt64(out long value) => value,
        _ => throw Malformed("a value is not a whole number"),
    };

    private static string TextValue(JsonElement e) => e.ValueKind == JsonValueKind.String ? Text(e) : throw Malformed("a value is not text");

    private static string Text(JsonElement root, string member) => Text(Member(root, member, JsonValueKind.String));

    private static string OptionalText(JsonElement root, string member) => root.TryGetProperty(member, out _) ? Text(root, member) : "";

    private static string Text(JsonElement e) => e.GetString()!;

    private static JsonElement Member(JsonElement root, string member, JsonValueKind kind) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(member, out JsonElement value) && value.ValueKind == kind
            ? value : throw Malformed($"its member '{member}' is missing or of another type");

    private static void OnlyMembers(JsonElement root, params ReadOnlySpan<string> members)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw Malformed("it is not a JSON object");
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (!members.Contains(property.Name))
                throw Malformed($"its member '{RestAnswer.Printable(property.Name)}' is unknown");
        }
    }

    private static T Read<T>(ReadOnlyMemory<byte> body, Func<JsonElement, T> read)
    {
        if (!Utf8.IsValid(body.Span))
            throw Malformed("it is not UTF-8");
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new ClientException(ClientError.AnswerMalformed, $"The answer is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine}).", e);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, escaped: JSON's grammar allows it, and it is found when the text is taken out.
            throw Malformed("a text in it is not Unicode");
        }
    }

    private static ClientException Malformed(string why) => new(ClientError.AnswerMalformed, $"The answer is not the Open Inference Protocol's: {why}.");

    /// <summary>Fuzz target: any body is an answer, a description and an error, or a <see cref="ClientException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        byte[] body = bytes.ToArray();
        foreach (Action read in new Action[] { () => ReadAnswer(body), () => ReadDescription(body), () => ReadError(body), () => ReadLabel(System.Text.Encoding.Latin1.GetString(body)) })
        {
            try
            {
                read();
            }
            catch (ClientException e) when (e.Error == ClientError.AnswerMalformed)
            {
                // The documented refusal.
                continue;
            }
        }
    }
}

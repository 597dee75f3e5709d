using System.Buffers;
using Cloister.Serving.Engines;
using Cloister.Serving.ProtocolBuffers;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Messages;
using Google.Protobuf;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary><c>PredictRequest</c> and <c>PredictResponse</c> as bytes (tensorflow_serving/apis/predict.proto).</summary>
internal static class PredictMessage
{
    /// <summary>Which model a message of any request is for: its fields of this number, the <c>ModelSpec</c>; null if it has none.</summary>
    public static RequestedModel? ReadModel(in ReadOnlySequence<byte> message, int number = 1)
    {
        RequestedModel? model = null;
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != number)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            (model ??= new RequestedModel()).Merge(reader.Bytes());
        }
        return model;
    }

    /// <summary>The tensors of a request, one an input, and the outputs that it asks for.</summary>
    /// <param name="message">The request.</param>
    /// <param name="model">The model.</param>
    /// <param name="pool">Where memory comes from.</param>
    /// <param name="inputs">Takes the tensors, in the model's order; the caller disposes them, also after a refusal.</param>
    /// <returns>The outputs' indices, in the request's order; all if it names none.</returns>
    /// <exception cref="ServingException">It is not a request that the model can answer.</exception>
    public static int[] ReadTensors(in ReadOnlySequence<byte> message, ServedModel model, TensorPool pool, Tensor?[] inputs)
    {
        DemandNames(message, model);
        var outputs = new List<int>();
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is not (2 or 3))
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            if (field == 3)
            {
                outputs.Add(Output(reader.Text("an output's name"), model, outputs));
                continue;
            }
            ReadOnlySequence<byte> value = ReadEntry(reader.Bytes(), out string name);
            int index = model.IndexOfInput(name);
            inputs[index] = TensorProtoReader.Read(value, model.Engine.Inputs[index], model, pool);
        }
        return outputs.Count > 0 ? [.. outputs] : [.. Enumerable.Range(0, model.Engine.Outputs.Count)];
    }

    /// <summary>Writes a response.</summary>
    /// <param name="output">Takes it.</param>
    /// <param name="model">The model that answered.</param>
    /// <param name="signature">The signature that was asked for; empty if none was.</param>
    /// <param name="tensors">The model's outputs.</param>
    /// <param name="wanted">Which of them.</param>
    /// <param name="asContent">Whether values go in one piece.</param>
    public static void Write(IBufferWriter<byte> output, ServedModel model, string signature, Tensor[] tensors, int[] wanted, bool asContent)
    {
        foreach (int index in wanted)
        {
            string name = model.Engine.Outputs[index].Name;
            var tensor = new TensorProtoWriter(tensors[index], asContent);
            WireWriter.BytesHeader(output, 1, WireWriter.SizeOfText(1, name) + WireWriter.SizeOfBytes(2, tensor.Size));
            WireWriter.Text(output, 1, name);
            WireWriter.BytesHeader(output, 2, tensor.Size);
            tensor.Write(output);
        }
        ModelSpec answered = RequestedModel.Answer(model, signature);
        WireWriter.BytesHeader(output, 2, answered.CalculateSize());
        answered.WriteTo(output);
    }

    // TF Serving compares the names before it looks at a tensor.
    private static void DemandNames(in ReadOnlySequence<byte> message, ServedModel model)
    {
        var sent = new SortedSet<string>(StringComparer.Ordinal);
        var reader = new WireReader(message);
        while (reader.Next(out int field, out WireType type))
        {
            if (field != 2)
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            ReadEntry(reader.Bytes(), out string name);
            if (!sent.Add(name)) throw new ServingException(ServingError.InvalidRequest, $"Input '{name}' stands there twice.");
            if (sent.Count > 4096) throw new ServingException(ServingError.InvalidRequest, "The request has more than 4096 inputs.");
        }
        var declared = new SortedSet<string>(model.Engine.Inputs.Select(input => input.Name), StringComparer.Ordinal);
        if (sent.Count != declared.Count)
        {
            throw new ServingException(sent.Count < declared.Count ? ServingError.MissingInput : ServingError.UnknownInput,
                $"input size does not match signature: {sent.Count}!={declared.Count} len({{{Join(sent)}}}) != len({{{Join(declared)}}}). " +
                $"Sent extra: {{{Join(sent.Except(declared))}}}. Missing but required: {{{Join(declared.Except(sent))}}}.");
        }
        if (sent.FirstOrDefault(name => !declared.Contains(name)) is { } unknown)
            throw new ServingException(ServingError.UnknownInput, $"input tensor alias not found in signature: {unknown}. Inputs expected to be in the set {{{Join(declared)}}}.");
    }

    private static int Output(string name, ServedModel model, List<int> chosen)
    {
        if (model.Engine.Outputs.All(known => known.Name != name))
        {
            throw new ServingException(ServingError.UnknownOutput,
                $"output tensor alias not found in signature: {name} Outputs expected to be in the set {{{Join(model.Engine.Outputs.Select(known => known.Name).Order(StringComparer.Ordinal))}}}.");
        }
        int index = model.IndexOfOutput(name);
        return chosen.Contains(index) ? throw new ServingException(ServingError.InvalidRequest, $"duplicate output tensor alias: {name}") : index;
    }

    /// <summary>An entry of a map: its key, and the slice of its value.</summary>
    internal static ReadOnlySequence<byte> ReadEntry(in ReadOnlySequence<byte> entry, out string key)
    {
        key = "";
        ReadOnlySequence<byte> value = default;
        var reader = new WireReader(entry);
        while (reader.Next(out int field, out WireType type))
        {
            if (field is not (1 or 2))
            {
                reader.Skip(type);
                continue;
            }
            WireReader.Demand(field, type, WireType.Bytes);
            if (field == 1) key = reader.Text("a name in a map");
            else value = reader.Bytes();
        }
        return value;
    }

    private static string Join(IEnumerable<string> names) => string.Join(',', names);
}

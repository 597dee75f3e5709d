using System.Buffers;
using System.Globalization;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.ProtocolBuffers;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>
/// A <c>ModelInferResponse</c>. Tensors go as <c>raw_output_contents</c>, from the engine's memory into the answer; where the caller says
/// <c>binary_data</c> false of an output, and true of none, they go as <c>contents</c>.
/// </summary>
internal readonly struct ModelInferAnswer
{
    // parameters: { "triton_final_response": { bool_param: true } }
    private static readonly byte[] FinalEntry = [0x0A, 21, .. "triton_final_response"u8, 0x12, 2, 0x08, 1];

    private readonly InferRequest _request;
    private readonly Tensor[] _tensors;
    private readonly string _version;
    private readonly bool _typed;

    /// <summary>Plans the answer; the tensors of <paramref name="outputs"/> must live as long as this.</summary>
    /// <exception cref="ServingException">An output cannot be answered as it was asked for.</exception>
    public ModelInferAnswer(InferRequest request, Tensor[] outputs)
    {
        _request = request;
        _version = request.Model.Version.ToString(CultureInfo.InvariantCulture);
        _typed = request.Outputs.Exists(output => output.Binary == false) && !request.Outputs.Exists(output => output.Binary == true);
        _tensors = request.Outputs.Count == 0 ? outputs : new Tensor[request.Outputs.Count];
        for (int i = 0; i < request.Outputs.Count; i++)
        {
            RequestedOutput output = request.Outputs[i];
            Tensor tensor = outputs[output.Index];
            _tensors[i] = output.Classes > 0 ? Classification.Answer(tensor, NameOf(i), output.Classes, request.Model) : tensor;
            if (_typed && TypedContents.FieldOf(_tensors[i].Type) == 0)
                throw new ServingException(ServingError.WrongType, $"Output '{NameOf(i)}' is of {TensorTypes.OpenInference(tensor.Type)}, which goes as binary data only; ask for the outputs without 'binary_data'.");
        }
    }

    /// <summary>Writes the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        WireWriter.Text(output, ModelInferFields.ModelName, _request.Model.Name);
        WireWriter.Text(output, ModelInferFields.ModelVersion, _version);
        WireWriter.Text(output, ModelInferFields.Id, _request.Id ?? "");
        if (_request.TellsFinal) WireWriter.Bytes(output, ModelInferFields.Parameters, FinalEntry);
        for (int i = 0; i < _tensors.Length; i++)
        {
            Tensor tensor = _tensors[i];
            WireWriter.BytesHeader(output, ModelInferFields.ResponseOutputs, DescriptionSize(i));
            WireWriter.Text(output, ModelInferFields.TensorName, NameOf(i));
            WireWriter.Text(output, ModelInferFields.TensorDatatype, TensorTypes.OpenInference(tensor.Type));
            if (tensor.Shape.Length > 0)
            {
                WireWriter.BytesHeader(output, ModelInferFields.TensorShape, ShapeSize(tensor));
                foreach (long dimension in tensor.Shape) WireWriter.Varint(output, (ulong)dimension);
            }
            if (!_typed) continue;
            WireWriter.BytesHeader(output, ModelInferFields.TensorContents, TypedContents.Size(tensor));
            TypedContents.Write(output, tensor);
        }
        if (_typed) return;
        foreach (Tensor tensor in _tensors)
        {
            WireWriter.BytesHeader(output, ModelInferFields.RawOutputContents, RawSize(tensor));
            if (tensor.Type != TensorElementType.String) output.Write(tensor.Bytes);
            else foreach (string text in tensor.Texts) BytesElements.Write(output, text);
        }
    }

    /// <summary>The bytes of the message.</summary>
    public long Measure()
    {
        long size = WireWriter.SizeOfText(ModelInferFields.ModelName, _request.Model.Name)
            + WireWriter.SizeOfText(ModelInferFields.ModelVersion, _version)
            + WireWriter.SizeOfText(ModelInferFields.Id, _request.Id ?? "")
            + (_request.TellsFinal ? WireWriter.SizeOfBytes(ModelInferFields.Parameters, FinalEntry.Length) : 0);
        for (int i = 0; i < _tensors.Length; i++)
        {
            size += WireWriter.SizeOfBytes(ModelInferFields.ResponseOutputs, DescriptionSize(i));
            if (!_typed) size += WireWriter.SizeOfBytes(ModelInferFields.RawOutputContents, RawSize(_tensors[i]));
        }
        return size;
    }

    private long DescriptionSize(int index)
    {
        Tensor tensor = _tensors[index];
        return WireWriter.SizeOfText(ModelInferFields.TensorName, NameOf(index))
            + WireWriter.SizeOfText(ModelInferFields.TensorDatatype, TensorTypes.OpenInference(tensor.Type))
            + (tensor.Shape.Length > 0 ? WireWriter.SizeOfBytes(ModelInferFields.TensorShape, ShapeSize(tensor)) : 0)
            + (_typed ? WireWriter.SizeOfBytes(ModelInferFields.TensorContents, TypedContents.Size(tensor)) : 0);
    }

    private static long ShapeSize(Tensor tensor)
    {
        long size = 0;
        foreach (long dimension in tensor.Shape) size += WireWriter.SizeOfVarint((ulong)dimension);
        return size;
    }

    private static long RawSize(Tensor tensor) => tensor.Type == TensorElementType.String ? BytesElements.Length(tensor.Texts) : tensor.Bytes.Length;

    private string NameOf(int index) => _request.Model.Engine.Outputs[_request.Outputs.Count == 0 ? index : _request.Outputs[index].Index].Name;
}

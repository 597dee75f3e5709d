using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// An inference response (<c>$inference_response</c>): JSON, and after it, in the order of the outputs, the data of those that go
/// as binary data. Numbers are copied once, from the tensor that the engine filled into the connection's buffer.
/// </summary>
internal sealed class InferResponse : IDisposable
{
    private const int Flush = 64 << 10;

    private readonly JsonOutput _json = new();
    private readonly List<Tensor> _binary = [];
    private readonly bool _oneSize;
    private long _binaryLength;
    private bool _announced;

    /// <summary>Writes the JSON; the tensors of <paramref name="outputs"/> must live as long as this.</summary>
    /// <exception cref="ServingException">An output cannot be answered as it was asked for.</exception>
    public InferResponse(InferRequest request, Tensor[] outputs)
    {
        _oneSize = request.Model.Engine.AnswersInOneSize;
        _json.Raw("{\"model_name\":"u8).Text(request.Model.Name).Raw(",\"model_version\":\""u8).Number(request.Model.Version).Raw("\""u8);
        if (request.Id is not null) _json.Raw(",\"id\":"u8).Text(request.Id);
        _json.Raw(",\"outputs\":["u8);
        bool first = true;
        foreach (RequestedOutput output in request.AnsweredOutputs)
        {
            if (!first) _json.Raw(","u8);
            first = false;
            Write(request, outputs[output.Index], output);
        }
        _json.Raw("]}"u8);
    }

    /// <summary>The JSON.</summary>
    public ReadOnlyMemory<byte> Json => _json.Written;

    /// <summary>Sends it, compressed if the caller asks for that and its size may show.</summary>
    public async Task SendAsync(HttpContext http)
    {
        long length = _json.Written.Length + _binaryLength;
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = _announced ? "application/octet-stream" : "application/json";
        if (_announced) http.Response.Headers[InferBody.HeaderLength] = _json.Written.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (!_oneSize && length >= AnswerEncoding.SmallestCompressed && AnswerEncoding.Of(http) is { } coding)
        {
            http.Response.Headers.ContentEncoding = coding;
            http.Response.Headers.Vary = "Accept-Encoding";
            await using Stream compressed = AnswerEncoding.Compress(http.Response.Body, coding);
            var writer = PipeWriter.Create(compressed, new StreamPipeWriterOptions(leaveOpen: true));
            await WriteAsync(writer, http.RequestAborted);
            await writer.CompleteAsync();
            return;
        }
        http.Response.ContentLength = length;
        await WriteAsync(http.Response.BodyWriter, http.RequestAborted);
    }

    public void Dispose() => _json.Dispose();

    private void Write(InferRequest request, Tensor tensor, RequestedOutput output)
    {
        string name = request.Model.Engine.Outputs[output.Index].Name;
        if (output.Classes > 0) tensor = Classification.Answer(tensor, name, output.Classes, request.Model);
        _json.Raw("{\"name\":"u8).Text(name);
        _json.Raw(",\"datatype\":\""u8).Raw(Encoding.ASCII.GetBytes(TensorTypes.OpenInference(tensor.Type)));
        _json.Raw("\",\"shape\":"u8).List(tensor.Shape);
        if (output.Binary ?? request.BinaryOutputs)
        {
            long bytes = tensor.Type == TensorElementType.String ? BytesElements.Length(tensor.Texts) : tensor.Bytes.Length;
            _json.Raw(",\"parameters\":{\"binary_data_size\":"u8).Number(bytes).Raw("}}"u8);
            _binary.Add(tensor);
            _binaryLength += bytes;
            _announced = true;
            return;
        }
        _json.Raw(",\"data\":["u8);
        if (_oneSize) TensorJson.WriteInOneSize(_json, tensor, 0, checked((int)tensor.ElementCount), FloatStyle.Shortest, ","u8);
        else TensorJson.Write(_json, tensor, 0, checked((int)tensor.ElementCount), FloatStyle.Shortest, ","u8);
        _json.Raw("]}"u8);
    }

    private async Task WriteAsync(PipeWriter writer, CancellationToken cancellation)
    {
        writer.Write(_json.Written.Span);
        foreach (Tensor tensor in _binary)
        {
            int count = tensor.Type == TensorElementType.String ? tensor.Texts.Length : tensor.Bytes.Length;
            for (int at = 0; at < count;)
            {
                at = tensor.Type == TensorElementType.String ? WriteTexts(writer, tensor, at) : WriteNumbers(writer, tensor, at);
                if (at < count) await writer.FlushAsync(cancellation);
            }
        }
        await writer.FlushAsync(cancellation);
    }

    private static int WriteNumbers(PipeWriter writer, Tensor tensor, int at)
    {
        int length = Math.Min(Flush, tensor.Bytes.Length - at);
        writer.Write(tensor.Bytes.Slice(at, length));
        return at + length;
    }

    private static int WriteTexts(PipeWriter writer, Tensor tensor, int at)
    {
        for (long written = 0; at < tensor.Texts.Length && written < Flush; at++)
        {
            BytesElements.Write(writer, tensor.Texts[at]);
            written += sizeof(uint) + tensor.Texts[at].Length;
        }
        return at;
    }
}

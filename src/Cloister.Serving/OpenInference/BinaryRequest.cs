using System.Buffers;
using Cloister.Serving.Engines;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// Reads a body of the binary tensor data extension as it arrives: JSON of a length that is known, then the inputs' data. A JSON
/// that comes in one part is read where it lies.
/// </summary>
internal sealed class BinaryRequest : IDisposable
{
    private readonly ServedModel _model;
    private readonly TensorPool _pool;
    private readonly int _headerLength;
    private readonly long? _length;
    private byte[] _header = [];
    private int _read;
    private InferRequest? _request;
    private BinaryInputs? _inputs;

    /// <param name="model">The model that is asked.</param>
    /// <param name="pool">Where memory comes from.</param>
    /// <param name="headerLength">The length of the JSON, as the header Inference-Header-Content-Length says.</param>
    /// <param name="length">The length of the whole body; null if it is not known yet.</param>
    /// <exception cref="ServingException">The JSON would be longer than the body, or than the model takes.</exception>
    public BinaryRequest(ServedModel model, TensorPool pool, long headerLength, long? length)
    {
        if (headerLength > length)
            throw new ServingException(ServingError.BinaryDataRefused, $"Inference-Header-Content-Length is {headerLength}, but the body has {length} bytes.");
        if (headerLength > Math.Min(model.MaximumRequestBytes, Array.MaxLength))
            throw new ServingException(ServingError.TooLarge, $"The JSON is larger than the {model.MaximumRequestBytes} bytes that a request to this model may have.");
        (_model, _pool, _headerLength, _length) = (model, pool, (int)headerLength, length);
    }

    /// <summary>Takes the next part of the body.</summary>
    /// <exception cref="ServingException">The request is refused; nothing more needs to be read.</exception>
    public void Append(ReadOnlySpan<byte> part)
    {
        if (_inputs is null && !TryReadHeader(ref part)) return;
        _inputs!.Append(part);
    }

    /// <summary>The request, once the body has ended; the caller disposes it.</summary>
    /// <exception cref="ServingException">Something is missing.</exception>
    public InferRequest Complete()
    {
        if (_inputs is null)
            throw new ServingException(ServingError.BinaryDataRefused, $"The body ends after {_read} of the {_headerLength} bytes that Inference-Header-Content-Length announces.");
        _inputs.End();
        _request!.DemandInputs();
        InferRequest request = _request;
        _request = null;
        return request;
    }

    public void Dispose()
    {
        _inputs?.Dispose();
        _request?.Dispose();
        GiveHeader();
    }

    private bool TryReadHeader(ref ReadOnlySpan<byte> part)
    {
        int taken = Math.Min(part.Length, _headerLength - _read);
        if (taken == _headerLength)
        {
            Read(part[..taken]);
        }
        else
        {
            Keep(part[..taken]);
            if (_read < _headerLength) return false;
            Read(_header.AsSpan(0, _headerLength));
            GiveHeader();
        }
        part = part[taken..];
        return true;
    }

    private void Read(ReadOnlySpan<byte> header)
    {
        var binary = new List<BinaryInput>();
        _request = InferRequestReader.ReadHeader(header, _model, _pool, binary);
        long sum = BinaryInputs.Sum(binary, Math.Min(_model.MaximumRequestBytes, Array.MaxLength) - _headerLength);
        if (_length is { } length && length != _headerLength + sum)
            throw new ServingException(ServingError.BinaryDataRefused,
                $"The body has {length} bytes: {_headerLength} of JSON leave {length - _headerLength} for binary data, but the inputs announce {sum}.");
        _inputs = new BinaryInputs(_request, binary, _pool);
    }

    // Grows with what arrives, not with what is announced.
    private void Keep(ReadOnlySpan<byte> part)
    {
        int needed = _read + part.Length;
        if (needed > _header.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Min(_headerLength, Math.Max(needed, 2 * _header.Length)));
            _header.AsSpan(0, _read).CopyTo(larger);
            GiveHeader();
            _header = larger;
        }
        part.CopyTo(_header.AsSpan(_read));
        _read = needed;
    }

    private void GiveHeader()
    {
        if (_header.Length > 0) ArrayPool<byte>.Shared.Return(_header, clearArray: true);
        _header = [];
    }
}

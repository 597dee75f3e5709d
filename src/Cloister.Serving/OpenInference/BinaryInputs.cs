using System.Buffers;
using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;

namespace Cloister.Serving.OpenInference;

/// <summary>
/// Fills a request's inputs from the bytes that follow its JSON, in whatever parts they come: numbers go straight into the
/// memory that the engine computes on. Memory is taken when the first byte of an input is here.
/// </summary>
internal sealed class BinaryInputs : IDisposable
{
    private readonly InferRequest _request;
    private readonly IReadOnlyList<BinaryInput> _inputs;
    private readonly TensorPool _pool;
    private int _next;
    private long _filled;
    private TensorBuffer? _numbers;
    private byte[] _texts = [];

    /// <param name="request">Gets the tensors.</param>
    /// <param name="inputs">The inputs that are announced, in order.</param>
    /// <param name="pool">Where memory comes from.</param>
    public BinaryInputs(InferRequest request, IReadOnlyList<BinaryInput> inputs, TensorPool pool)
    {
        (_request, _inputs, _pool) = (request, inputs, pool);
        FinishEmpty();
    }

    /// <summary>The sum of what is announced.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.TooLarge"/>: more than <paramref name="most"/>.</exception>
    public static long Sum(IReadOnlyList<BinaryInput> inputs, long most)
    {
        long sum = 0;
        foreach (BinaryInput input in inputs)
        {
            if (input.Size > most - sum)
                throw new ServingException(ServingError.TooLarge, $"Input '{input.Input.Name}' announces {input.Size} bytes, more than the {most} that a request to this model may have.");
            sum += input.Size;
        }
        return sum;
    }

    /// <summary>Takes the next part.</summary>
    /// <exception cref="ServingException">It holds more than was announced, or what no input takes.</exception>
    public void Append(ReadOnlySpan<byte> part)
    {
        while (!part.IsEmpty)
        {
            if (_next == _inputs.Count) throw new ServingException(ServingError.BinaryDataRefused, "More bytes follow than the inputs announce with 'binary_data_size'.");
            part = part[(_inputs[_next].Input.Type == TensorElementType.String ? Texts(part) : Numbers(part))..];
            FinishEmpty();
        }
    }

    /// <summary>Checks that everything came.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.BinaryDataRefused"/>.</exception>
    public void End()
    {
        if (_next == _inputs.Count) return;
        BinaryInput input = _inputs[_next];
        throw new ServingException(ServingError.BinaryDataRefused, $"The body ends after {_filled} of the {input.Size} bytes that input '{input.Input.Name}' announces.");
    }

    public void Dispose()
    {
        _numbers?.Dispose();
        _numbers = null;
        GiveTexts();
    }

    private int Numbers(ReadOnlySpan<byte> part)
    {
        (AnnouncedInput input, long size) = _inputs[_next];
        _numbers ??= _pool.Rent(size);
        int taken = (int)Math.Min(part.Length, size - _filled);
        // Not the whole span at once: pages that nothing arrived for are not touched, not even to zero them afterwards.
        part[..taken].CopyTo(_numbers.Span((int)_filled + taken)[(int)_filled..]);
        _filled += taken;
        if (_filled < size) return taken;
        var tensor = new Tensor(input.Type, input.Shape, _numbers);
        _numbers = null;
        input.Demand(tensor);
        Finish(tensor);
        return taken;
    }

    // The lengths that stand between texts are only followed when all of them are here.
    private int Texts(ReadOnlySpan<byte> part)
    {
        (AnnouncedInput input, long size) = _inputs[_next];
        int taken = (int)Math.Min(part.Length, size - _filled);
        if (taken == size)
        {
            Finish(BytesElements.Read(part[..taken], input, _pool));
            return taken;
        }
        Grow(_filled + taken, size);
        part[..taken].CopyTo(_texts.AsSpan((int)_filled));
        _filled += taken;
        if (_filled < size) return taken;
        Finish(BytesElements.Read(_texts.AsSpan(0, (int)size), input, _pool));
        GiveTexts();
        return taken;
    }

    private void Finish(Tensor tensor)
    {
        _request.Inputs[_inputs[_next].Input.Index] = tensor;
        _next++;
        _filled = 0;
    }

    private void FinishEmpty()
    {
        while (_next < _inputs.Count && _inputs[_next].Size == 0)
        {
            AnnouncedInput input = _inputs[_next].Input;
            Finish(input.Type == TensorElementType.String ? BytesElements.Read([], input, _pool) : input.Rent(_pool));
        }
    }

    private void Grow(long needed, long size)
    {
        if (needed <= _texts.Length) return;
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(size, Math.Max(needed, 2L * _texts.Length)));
        _texts.AsSpan(0, (int)_filled).CopyTo(larger);
        GiveTexts();
        _texts = larger;
    }

    private void GiveTexts()
    {
        if (_texts.Length > 0) ArrayPool<byte>.Shared.Return(_texts, clearArray: true);
        _texts = [];
    }
}

using Cloister.Onnx.Runtime;
using Cloister.Sealing;

namespace Cloister.Serving.Repository;

/// <summary>A model's key for as long as the model may have to be opened: in memory that is locked and out of core dumps, zeroed at the end.</summary>
internal sealed class ModelKey : IDisposable
{
    private readonly PinnedBuffer _buffer;
    private readonly int _length;
    private bool _gone;

    /// <summary>Takes the key over: the given one is zeroed.</summary>
    public ModelKey(SecretBytes key, IMemoryGuard memory)
    {
        _length = key.Length;
        _buffer = PinnedBuffer.Allocate(_length, memory);
        key.Span.CopyTo(_buffer.Span(0, _length));
        key.Dispose();
    }

    /// <summary>The key; null once it was zeroed.</summary>
    public ReadOnlyMemory<byte>? Bytes => _gone ? null : _buffer.Memory(0, _length);

    public void Dispose()
    {
        _gone = true;
        _buffer.Dispose();
    }
}

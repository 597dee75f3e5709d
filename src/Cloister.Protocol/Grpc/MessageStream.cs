using System.Buffers;

namespace Cloister.Protocol.Grpc;

/// <summary>A message as the stream that the framework's compression wants: one that is read, or one that is written.</summary>
internal sealed class MessageStream : Stream
{
    private readonly MessageBuffer? _output;
    private ReadOnlySequence<byte> _input;

    public MessageStream(ReadOnlySequence<byte> input) => _input = input;

    public MessageStream(MessageBuffer output) => _output = output;

    public override bool CanRead => _output is null;
    public override bool CanSeek => false;
    public override bool CanWrite => _output is not null;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        ReadOnlySequence<byte> part = _input.Slice(0, Math.Min(buffer.Length, _input.Length));
        part.CopyTo(buffer);
        _input = _input.Slice(part.End);
        return (int)part.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => (_output ?? throw new NotSupportedException()).Write(buffer);

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
}

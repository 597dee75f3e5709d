using System.Security.Cryptography;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>The bytes of docs/formats/accelerator-wire.md.</summary>
public sealed class WireTests
{
    private static readonly TensorHead[] Heads = [new(TensorElementType.Float, [2, 3]), new(TensorElementType.UInt8, [5])];

    [Fact]
    public void Layout_is_frozen()
    {
        Frozen("08c36964c7bfb430871fc59de641cf565c5d7cf9a51aebfadb630aa1d5c7f930", FromWorkload());
        Frozen("5d46a38133b3604c13fc8357359ad38d839bf7918ead53442672fa55c19bba3a", FromAccelerator());

        static void Frozen(string wanted, byte[] frames)
        {
            string digest = Convert.ToHexStringLower(SHA256.HashData(frames));
            Assert.True(digest == wanted, $"The layout changed: {digest}. Say so in docs/formats/accelerator-wire.md, and count its version up.");
        }
    }

    [Fact]
    public void Every_kind_is_read_from_its_sender_and_from_no_other()
    {
        Assert.Equal([FrameKind.Hello, FrameKind.Offer, FrameKind.Chunk, FrameKind.Memory, FrameKind.Run, FrameKind.Run, FrameKind.Ping], FrameStream.Walk(FromWorkload(), fromWorkload: true));
        Assert.Equal([FrameKind.Welcome, FrameKind.Have, FrameKind.Send, FrameKind.Ready, FrameKind.Mapped, FrameKind.Answer, FrameKind.Refusal, FrameKind.Pong], FrameStream.Walk(FromAccelerator(), fromWorkload: false));
        Assert.Equal(AcceleratorFault.BadFrame, Assert.Throws<WireException>(() => { FrameStream.Walk(FromWorkload(), fromWorkload: false); }).Fault);
        Assert.Equal(AcceleratorFault.BadFrame, Assert.Throws<WireException>(() => { FrameStream.Walk(FromAccelerator(), fromWorkload: true); }).Fault);
    }

    [Fact]
    public void Whatever_comes_is_read_or_refused()
    {
        var random = new Random(8);
        foreach (byte[] valid in new[] { FromWorkload(), FromAccelerator() })
        {
            for (int round = 0; round < 20_000; round++)
            {
                byte[] bytes = valid[..(round % 4 == 0 ? random.Next(valid.Length + 1) : valid.Length)];
                for (int change = random.Next(1, 5); change > 0 && bytes.Length > 0; change--)
                    bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
                FrameStream.FuzzFromWorkload(bytes);
                FrameStream.FuzzFromAccelerator(bytes);
            }
        }
    }

    [Fact]
    public void A_cut_stream_is_torn_wherever_it_is_cut_within_a_frame()
    {
        byte[] frame = Frame(FrameKind.Ready, 0, Face().Write());
        for (int length = 1; length < frame.Length; length++)
            Assert.Equal(AcceleratorFault.TornFrame, Assert.Throws<WireException>(() => { FrameStream.Walk(frame.AsSpan(0, length), fromWorkload: false); }).Fault);
    }

    [Fact]
    public void A_digest_is_of_the_bytes_however_they_come()
    {
        var random = new Random(3);
        byte[] bytes = new byte[1000];
        random.NextBytes(bytes);
        byte[] whole = Digest(bytes);
        for (int round = 0; round < 50; round++)
        {
            int first = random.Next(1001), second = random.Next(first, 1001);
            Assert.Equal(whole, Digest(bytes[..first], bytes[first..second], bytes[second..]));
        }
    }

    [Fact]
    public void A_digest_tells_each_changed_bit_each_missing_byte_and_each_swapped_pair_of_words()
    {
        var random = new Random(4);
        byte[] bytes = new byte[203];
        random.NextBytes(bytes);
        var seen = new HashSet<string> { Convert.ToHexString(Digest(bytes)) };
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] other = [.. bytes];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(seen.Add(Convert.ToHexString(Digest(other))));
        }
        for (int length = 0; length < bytes.Length; length++)
            Assert.True(seen.Add(Convert.ToHexString(Digest(bytes[..length]))));
        Assert.True(seen.Add(Convert.ToHexString(Digest([.. bytes, 0]))));
        for (int word = 8; word < 200; word += 8)
        {
            byte[] other = [.. bytes[word..(word + 8)], .. bytes[8..word], .. bytes[..8], .. bytes[(word + 8)..]];
            Assert.True(seen.Add(Convert.ToHexString(Digest(other))));
        }
    }

    [Fact]
    public void A_refusal_prints_whatever_its_sender_wrote()
    {
        RefusalNote note = RefusalNote.Read(new RefusalNote((RefusalCode)999, "a\u001b[31m\u202e\r\nb\u00e4" + new string('x', 2000)).Write());
        Assert.Equal((RefusalCode)999, note.Code);
        Assert.StartsWith("a?[31m???b\u00e4xxx", note.Text, StringComparison.Ordinal);
        Assert.InRange(note.Text.Length, 400, 512);
    }

    [Theory]
    [InlineData("unix:/run/a.sock", AcceleratorTransport.Unix, "/run/a.sock", 0)]
    [InlineData("shm:/run/a.sock", AcceleratorTransport.SharedMemory, "/run/a.sock", 0)]
    [InlineData("tcp:gpu-7.example:9100", AcceleratorTransport.Tcp, "gpu-7.example", 9100)]
    [InlineData("tcp:10.0.0.7:0", AcceleratorTransport.Tcp, "10.0.0.7", 0)]
    [InlineData("tcp:[::1]:80", AcceleratorTransport.Tcp, "::1", 80)]
    [InlineData("tls:gpu-7.example:7700", AcceleratorTransport.Tls, "gpu-7.example", 7700)]
    [InlineData("tls:[::1]:7700#sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", AcceleratorTransport.Tls, "::1", 7700)]
    public void An_address_is_read_and_written_back(string text, AcceleratorTransport transport, string place, int port)
    {
        AcceleratorAddress address = AcceleratorAddress.Parse(text);
        Assert.Equal((transport, place, port, text), (address.Transport, address.Place, address.Port, address.ToString()));
        Assert.Equal(text.Contains('#', StringComparison.Ordinal) ? text.Split("sha256:")[1] : null, address.Pin);
    }

    [Theory]
    [InlineData("")]
    [InlineData("unix")]
    [InlineData("unix:")]
    [InlineData("unix:relative")]
    [InlineData("unix:/")]
    [InlineData("unix:/a\0b")]
    [InlineData("UNIX:/a")]
    [InlineData("shm:relative")]
    [InlineData("tcp:")]
    [InlineData("tcp:host")]
    [InlineData("tcp:host:")]
    [InlineData("tcp::80")]
    [InlineData("tcp:host:65536")]
    [InlineData("tcp:host:-1")]
    [InlineData("tcp:host:+1")]
    [InlineData("tcp:a b:1")]
    [InlineData("tcp:::1:80")]
    [InlineData("tcp:[1.2.3.4]:80")]
    [InlineData("http://host")]
    [InlineData("tls:host")]
    [InlineData("tls:host:1#")]
    [InlineData("tls:host:1#sha256:")]
    [InlineData("tls:host:1#00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    [InlineData("tls:host:1#sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddee")]
    [InlineData("tls:host:1#sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeegg")]
    [InlineData("tls:host:1#sha512:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    [InlineData("tls:host:1#sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff#")]
    [InlineData("tcp:host:1#sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    public void What_is_no_address_is_refused(string text) =>
        Assert.Equal(PartitioningError.AddressRefused, Assert.Throws<PartitioningException>(() => AcceleratorAddress.Parse(text)).Error);

    [Fact]
    public void A_path_longer_than_a_socket_can_have_is_no_address()
    {
        Assert.True(AcceleratorAddress.TryParse("unix:/" + new string('a', 106), out _));
        Assert.False(AcceleratorAddress.TryParse("unix:/" + new string('a', 107), out _));
        Assert.False(AcceleratorAddress.TryParse("unix:/" + new string('\u00e4', 54), out _));
    }

    private static byte[] FromWorkload()
    {
        byte[] heads = new byte[TensorHeads.Size(Heads)];
        TensorHeads.Write(Heads, heads);
        return
        [
            .. Frame(FrameKind.Hello, 0, Greeting.Hello()),
            .. Frame(FrameKind.Offer, 0, new ModelOffer([.. Enumerable.Range(0, 32).Select(i => (byte)i)], 123456).Write()),
            .. Frame(FrameKind.Chunk, 0, [1, 2, 3]),
            .. Frame(FrameKind.Memory, 0, new MemoryOffer(3, 8192, 4096, "0123456789abcdef0123456789abcdef").Write()),
            .. Frame(FrameKind.Run, 0x0102030405060708, [255, 255, 255, 255, .. heads, .. Enumerable.Range(0, 29).Select(i => (byte)i)]),
            .. Frame(FrameKind.Run, 0x0102030405060709, [2, 0, 0, 0, .. heads]),
            .. Frame(FrameKind.Ping, 7, []),
        ];
    }

    private static byte[] FromAccelerator()
    {
        byte[] heads = new byte[TensorHeads.Size(Heads)];
        TensorHeads.Write(Heads, heads);
        return
        [
            .. Frame(FrameKind.Welcome, 0, new Greeting(8, 1L << 31, 1L << 28).Welcome()),
            .. Frame(FrameKind.Have, 0, []),
            .. Frame(FrameKind.Send, 0, []),
            .. Frame(FrameKind.Ready, 0, Face().Write()),
            .. Frame(FrameKind.Mapped, 0, []),
            .. Frame(FrameKind.Answer, 0x0102030405060708, [.. Digest([.. heads, 1, 2, 3, 4, 5, 6, 7, 8]), .. heads, .. new byte[29]]),
            .. Frame(FrameKind.Refusal, 9, new RefusalNote(RefusalCode.RunFailed, "no").Write()),
            .. Frame(FrameKind.Pong, 7, []),
        ];
    }

    private static ModelFace Face() => new([new("x", TensorElementType.Float, [-1, 3]), new("\u00e4", TensorElementType.Int64, [])], [new("y", TensorElementType.Bool, [1, 2])]);

    private static byte[] Frame(FrameKind kind, ulong id, byte[] payload)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(kind, id, payload.Length).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }

    private static byte[] Digest(params byte[][] parts)
    {
        var digest = new InputDigest();
        foreach (byte[] part in parts) digest.Append(part);
        byte[] bytes = new byte[InputDigest.Size];
        digest.Finish(bytes);
        return bytes;
    }
}

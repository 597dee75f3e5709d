using System.Security.Cryptography;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Tests;

public sealed class ChannelRefusalTests
{
    private static readonly string[] FromHost =
    [
        "1 0 {}", // a kind of the machine
        "13 0 ", "0 0 ", "255 0 ", // unknown kinds
        "6 1 x", "5 1 {\"entry\":\"a\"}", "9 1 x", // before the settings
        "2 0 {}|2 0 {}",
        "2 0 {\"unknown\":1}", "2 0 null", "2 0 {\"arguments\":[null]}", "2 0 {\"environment\":{\"a=b\":\"c\"}}", "2 0 {\"coordinator\":\"\"}", "2 0 {\"uuid\":\"no\"}", "2 0 [",
        "2 0 {}|5 0 {\"entry\":\"a\"}",
        "2 0 {}|5 1 {}", "2 0 {}|5 1 {\"entry\":\"a\",\"command\":[\"/bin/sh\"]}", "2 0 {}|5 1 {\"entry\":\"a\",\"entry\":\"b\"}",
        "2 0 {}|5 1 {\"entry\":\"a\"}|5 1 {\"entry\":\"a\"}",
        "2 0 {}|6 1 x", // a stream that was never opened
        "2 0 {}|5 1 {\"entry\":\"a\"}|9 1 ", "2 0 {}|5 1 {\"entry\":\"a\"}|9 1 \u007f",
        "2 0 {}|5 1 {\"entry\":\"a\"}|12 1 1234", "2 0 {}|5 1 {\"entry\":\"a\"}|12 1 1",
        "10 0 {\"seconds\":-1}", "10 0 {\"seconds\":1e9}",
    ];

    private static readonly string[] FromMachine =
    [
        "2 0 {}", "5 1 {}", "10 0 {}", // kinds of the host
        "1 0 {\"version\":2,\"image\":\"a\",\"entries\":[],\"debug\":false}", // another version
        "1 0 {\"version\":1}",
        "8 1 {\"code\":0}", "7 1 \u0001x", "12 1 1234", // before it is ready
        "R|R", "R|8 1 {\"code\":0}", "R|7 1 \u0001x", "R|12 9 1234",
        "3 0 {\"name\":\"Bad Name\",\"message\":\"\",\"fields\":{}}", "3 0 {\"name\":\"a\",\"fields\":{}}",
        "4 0 \u0003x", "4 0 \u0001", "4 0 ",
        "11 0 {\"code\":256}", "11 0 {}|3 0 {\"name\":\"a\",\"message\":\"\",\"fields\":{}}",
    ];

    public static TheoryData<string> HostSays => [.. FromHost];

    public static TheoryData<string> MachineSays => [.. FromMachine];

    [Theory]
    [MemberData(nameof(HostSays))]
    public async Task A_machine_refuses_a_host_that_does_not_follow_the_protocol(string frames)
    {
        var channel = new GuestChannel(new MemoryStream(Bytes(frames)));
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => channel.RunAsync(CancellationToken.None));
        Assert.Equal(ImageError.ChannelInvalid, refused.Error);
    }

    [Theory]
    [MemberData(nameof(MachineSays))]
    public async Task A_host_refuses_a_machine_that_does_not_follow_the_protocol(string frames)
    {
        var channel = new HostChannel(new MemoryStream(Bytes(frames)), new Ignoring());
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => channel.RunAsync(CancellationToken.None));
        Assert.Equal(ImageError.ChannelInvalid, refused.Error);
    }

    [Theory]
    [InlineData("ffffff7f0300000000")] // two gigabytes announced
    [InlineData("ffffffff0300000000")]
    [InlineData("0100010006000000000102")] // one byte more input than a chunk has
    [InlineData("0500000003")] // cut off in the header
    [InlineData("050000000300000000aabb")] // cut off in the payload
    public async Task Frames_that_are_none_are_refused_before_memory_is_taken(string hexadecimal)
    {
        var channel = new GuestChannel(new MemoryStream(Convert.FromHexString(hexadecimal)));
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => channel.RunAsync(CancellationToken.None));
        Assert.Equal(ImageError.ChannelInvalid, refused.Error);
    }

    [Fact]
    public async Task More_input_than_the_window_is_refused_also_in_single_bytes()
    {
        foreach (int size in new[] { 1, Frame.ChunkLimit })
        {
            var stream = new MemoryStream();
            stream.Write(Bytes("2 0 {}|5 1 {\"entry\":\"a\",\"input\":true}"));
            for (int sent = 0; sent <= StreamWindow.Size; sent += size + StreamWindow.ChunkCost)
                stream.Write(new Frame(FrameKind.Input, 1, new byte[size]).ToArray());
            stream.Position = 0;
            ImageException refused = await Assert.ThrowsAsync<ImageException>(() => new GuestChannel(stream).RunAsync(CancellationToken.None));
            Assert.Equal(ImageError.ChannelInvalid, refused.Error);
        }
    }

    [Fact]
    public void Any_bytes_are_understood_or_refused()
    {
        var random = new Random(7);
        byte[][] seeds = [.. FromHost.Concat(FromMachine).Select(Bytes)];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. seeds[random.Next(seeds.Length)], .. seeds[random.Next(seeds.Length)]];
            for (int change = random.Next(4); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            GuestChannel.Fuzz(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
            HostChannel.Fuzz(bytes);
        }
    }

    [Fact]
    public void Layout_is_frozen()
    {
        byte[] all = [.. Bytes("2 0 {}"), .. new Frame(FrameKind.Output, 0x01020304, "\u0001hello"u8.ToArray()).ToArray(), .. new Frame(FrameKind.Window, 7, new byte[] { 0, 0, 1, 0 }).ToArray()];
        Assert.Equal("a78642998140bc1a623b1b332c61c01b19474573a54e9e30449da76d751c15cd", Convert.ToHexStringLower(SHA256.HashData(all)));
    }

    // "kind stream payload", joined by |; R is a machine that is ready.
    private static byte[] Bytes(string frames) =>
        [.. frames.Replace("R", "1 0 {\"version\":1,\"image\":\"a\",\"entries\":[],\"debug\":false}", StringComparison.Ordinal).Split('|').SelectMany(One)];

    private static byte[] One(string frame)
    {
        string[] parts = frame.Split(' ', 3);
        byte[] payload = System.Text.Encoding.UTF8.GetBytes(parts[2]);
        byte[] bytes = [.. BitConverter.GetBytes(payload.Length), byte.Parse(parts[0], null), .. BitConverter.GetBytes(uint.Parse(parts[1], null)), .. payload];
        return bytes;
    }

    private sealed class Ignoring : IMachineListener
    {
        public void Happened(GuestEvent happened)
        {
        }

        public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes)
        {
        }
    }
}

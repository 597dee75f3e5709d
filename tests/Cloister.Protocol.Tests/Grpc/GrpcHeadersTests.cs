using Cloister.Protocol.Grpc;

namespace Cloister.Protocol.Tests.Grpc;

public sealed class GrpcHeadersTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("4m", 40_000)]
    [InlineData("5u", 50)]
    [InlineData("600n", 6)]
    public void EveryUnitIsRead(string text, long ticks)
    {
        Assert.True(GrpcHeaders.TryReadTimeout(text, out TimeSpan timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Fact]
    public void ATimeoutSurvivesItsWayRoundedUp()
    {
        var random = new Random(7);
        for (int i = 0; i < 1000; i++)
        {
            var timeout = TimeSpan.FromTicks((long)Math.Exp(random.NextDouble() * 40));
            string text = GrpcHeaders.WriteTimeout(timeout);
            Assert.True(text.Length <= 9);
            Assert.True(GrpcHeaders.TryReadTimeout(text, out TimeSpan read));
            Assert.True(read >= timeout || read >= TimeSpan.FromDays(24), $"{timeout} became {text}");
        }
        Assert.Equal("0u", GrpcHeaders.WriteTimeout(TimeSpan.FromSeconds(-1)));
    }

    [Theory]
    [InlineData("a b~", "a b~")]
    [InlineData("50%", "50%25")]
    [InlineData("\n\u007Fü", "%0A%7F%C3%BC")]
    public void AMessageIsPercentEncoded(string plain, string encoded)
    {
        Assert.Equal(encoded, GrpcHeaders.EncodeMessage(plain));
        Assert.Equal(plain, GrpcHeaders.DecodeMessage(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("%41%", "A%")]
    public void AWrongEscapeStays(string encoded, string plain) => Assert.Equal(plain, GrpcHeaders.DecodeMessage(encoded));

    [Fact]
    public void FramesAndHeadersWithstandMutations()
    {
        byte[] message = [2, .. RawCall.Frame(new byte[40])];
        byte[] packed = [2, 1, 0, 0, 0, 26, .. Convert.FromHexString("1F8B08000000000000034B4C4A06000000FFFF0300C241243503000000")[..26]];
        Mutations.Drive(data => GrpcFrame.Fuzz(data), 3000, message, packed);
        Mutations.Drive(data => GrpcHeaders.Fuzz(data), 3000, "100m"u8.ToArray(), "%41%zz größer"u8.ToArray(), "application/grpc+proto;q=1"u8.ToArray());
    }
}

using System.Text;
using Cloister.Client.Pkcs11;

namespace Cloister.Tests;

/// <summary>The document that names a token, and the names of objects in it.</summary>
public sealed class Pkcs11ConfigurationTests
{
    private static Pkcs11Configuration Read(string json) => Pkcs11Configuration.Read(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Members_of_MarbleRuns_document_are_read_in_any_case_and_others_ignored()
    {
        using Pkcs11Configuration read = Read("""{ "path": "/lib/module.so", "TokenLabel": "t", "PIN": "s3cret", "MaxSessions": 4, "UserType": 1, "GCMIVLength": { "a": [1] } }""");
        Assert.Equal("/lib/module.so", read.Path);
        Assert.Equal("t", read.TokenLabel);
        Assert.Equal("s3cret", Encoding.UTF8.GetString(read.Pin!.Span));
        using Pkcs11Configuration slot = Read("""{ "Path": "m", "SlotNumber": 7, "LoginNotSupported": true }""");
        Assert.Equal(7UL, slot.SlotNumber);
        Assert.True(slot.LoginNotSupported);
        Assert.Null(slot.Pin);
    }

    [Fact]
    public void A_PIN_from_elsewhere_fills_in_and_never_replaces()
    {
        byte[] without = Encoding.UTF8.GetBytes("""{ "Path": "m", "TokenLabel": "t" }"""), with = Encoding.UTF8.GetBytes("""{ "Path": "m", "TokenLabel": "t", "Pin": "a" }""");
        using Pkcs11Configuration filled = Pkcs11Configuration.Read(without, "b"u8), kept = Pkcs11Configuration.Read(with, "b"u8);
        Assert.Equal("b", Encoding.UTF8.GetString(filled.Pin!.Span));
        Assert.Equal("a", Encoding.UTF8.GetString(kept.Pin!.Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{ "TokenLabel": "t" }""")]
    [InlineData("""{ "Path": "m" }""")]
    [InlineData("""{ "Path": "m", "TokenLabel": "t", "SlotNumber": 1 }""")]
    [InlineData("""{ "Path": 1, "TokenLabel": "t" }""")]
    [InlineData("""{ "Path": "m", "SlotNumber": -1 }""")]
    [InlineData("""{ "Path": "m", "TokenLabel": "t", "Pin": 4711 }""")]
    public void What_is_no_configuration_is_refused_without_repeating_it(string json)
    {
        Pkcs11Exception refused = Assert.Throws<Pkcs11Exception>(() => Read(json));
        Assert.Equal(Pkcs11Error.ConfigurationMalformed, refused.Error);
        Assert.DoesNotContain("4711", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_PIN_longer_than_any_tokens_is_refused() =>
        Assert.Throws<Pkcs11Exception>(() => Read($$"""{ "Path": "m", "TokenLabel": "t", "Pin": "{{new string('1', 300)}}" }"""));

    [Fact]
    public void Mutations_are_a_configuration_or_refused()
    {
        byte[] valid = Encoding.UTF8.GetBytes("""{ "Path": "/lib/module.so", "TokenLabel": "t\u0041", "Pin": "s3\ncret", "SlotNumber": null, "MaxSessions": 4 }""");
        Pkcs11Configuration.Fuzz(valid);
        var random = new Random(11);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] changed = [.. valid];
            for (int k = random.Next(1, 4); k > 0; k--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            Pkcs11Configuration.Fuzz(changed.AsSpan(0, random.Next(changed.Length + 1)));
        }
    }

    [Fact]
    public void An_id_is_text_or_hexadecimal_digits()
    {
        Assert.Equal("ab"u8.ToArray(), Pkcs11Name.Of("ab", null).Id!.Value.ToArray());
        Assert.Equal([0xAB, 0x01], Pkcs11Name.Of("hex:aB01", null).Id!.Value.ToArray());
        Assert.Throws<Pkcs11Exception>(() => Pkcs11Name.Of("hex:a", null));
        Assert.Throws<Pkcs11Exception>(() => Pkcs11Name.Of("hex:zz", null));
        Assert.Throws<Pkcs11Exception>(() => Pkcs11Name.Of("", null));
    }
}

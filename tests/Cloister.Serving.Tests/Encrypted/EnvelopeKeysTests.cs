using System.Security.Cryptography;
using Cloister.Homomorphic.Wire;
using Cloister.Sealing;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Tests.Execution;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>Keys that nobody remembers: they follow from a master, the day, and whom and what they are for.</summary>
public sealed class EnvelopeKeysTests
{
    private static readonly byte[] s_digest = [.. Enumerable.Repeat((byte)0xa1, 32)], s_owner = [.. Enumerable.Repeat((byte)0xc3, 32)];
    private static readonly KeyId s_keyId = new([.. Enumerable.Repeat((byte)0xb2, 16)]);

    [Fact]
    public void The_derivation_is_frozen()
    {
        using SecretBytes master = Master();
        using var keys = new EnvelopeKeys(master, new ManualTime());
        (EnvelopeKey key, DateTimeOffset expires) = keys.Register(s_digest, s_keyId, s_owner);
        using (key) Assert.Equal("799e2925fcbec6f793fdd0e9cb0e95f51622d8bc3d2670ce1cef8b28b4e43ceb", Convert.ToHexStringLower(key.Span));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddDays(2), expires);
    }

    [Fact]
    public void A_key_opens_its_day_and_the_next()
    {
        var time = new ManualTime();
        using SecretBytes master = Master();
        using var keys = new EnvelopeKeys(master, time);
        (EnvelopeKey key, DateTimeOffset expires) = keys.Register(s_digest, s_keyId, s_owner);
        (byte[] envelope, EnvelopeHeader header) = Seal(key);
        Assert.Equal("body"u8, Open(keys, envelope, header));
        // What another server with the same master opens, too.
        using var replica = new EnvelopeKeys(master, time);
        Assert.Equal("body"u8, Open(replica, envelope, header));
        time.Advance(expires - time.GetUtcNow() - TimeSpan.FromTicks(1));
        Assert.Equal("body"u8, Open(keys, envelope, header));
        time.Advance(TimeSpan.FromTicks(1));
        Refused(keys, envelope, header);
    }

    [Fact]
    public void Nothing_else_opens_and_every_refusal_is_the_same()
    {
        var time = new ManualTime();
        using SecretBytes master = Master();
        using var keys = new EnvelopeKeys(master, time);
        using var fresh = new EnvelopeKeys(null, time);
        (EnvelopeKey key, _) = keys.Register(s_digest, s_keyId, s_owner);
        (byte[] envelope, EnvelopeHeader header) = Seal(key);
        var texts = new HashSet<string> { Refused(fresh, envelope, header) };
        // Each byte but those that the header's own checks are about: they never get here.
        foreach (int at in Enumerable.Range(16, envelope.Length - 16))
        {
            byte[] changed = [.. envelope];
            changed[at] ^= 1;
            texts.Add(Refused(keys, changed, Envelope.ReadHeader(changed)));
        }
        Assert.Single(texts);
        Assert.Contains("Register the key again", texts.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_master_has_32_bytes()
    {
        using SecretBytes small = SecretBytes.Random(16);
        Assert.Equal(ServingError.EnvelopeMasterRefused, Assert.Throws<ServingException>(() => new EnvelopeKeys(small, TimeProvider.System)).Error);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", false)]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e", true)]
    [InlineData("zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", true)]
    [InlineData("", true)]
    public void A_manifest_gives_it_as_a_variable(string? given, bool refused)
    {
        Dictionary<string, SecretBytes> environment = [];
        if (given is not null) environment.Add(EnvelopeMaster.Variable, SecretBytes.Copy(System.Text.Encoding.ASCII.GetBytes(given)));
        var parameters = new WorkloadParameters(new Dictionary<string, SecretBytes>(), environment, []);
        if (refused)
        {
            ServingException refusal = Assert.Throws<ServingException>(() => EnvelopeMaster.Of(parameters));
            Assert.Equal(ServingError.EnvelopeMasterRefused, refusal.Error);
            Assert.Contains("{{ hex .Secrets.NAME }}", refusal.Message, StringComparison.Ordinal);
            return;
        }
        using SecretBytes? master = EnvelopeMaster.Of(parameters);
        Assert.Equal(given, master is null ? null : Convert.ToHexStringLower(master.Span));
    }

    private static SecretBytes Master() => SecretBytes.Copy([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    private static (byte[] Envelope, EnvelopeHeader Header) Seal(EnvelopeKey key)
    {
        using (key)
        {
            var header = new EnvelopeHeader(EnvelopeKind.Query, s_digest, s_keyId, s_owner, RandomNumberGenerator.GetBytes(16));
            return (Envelope.Seal(header, "body"u8, key), header);
        }
    }

    private static byte[] Open(EnvelopeKeys keys, byte[] envelope, EnvelopeHeader header)
    {
        byte[] body = keys.Open(envelope, header, out EnvelopeKey key);
        key.Dispose();
        return body;
    }

    private static string Refused(EnvelopeKeys keys, byte[] envelope, EnvelopeHeader header)
    {
        var refusal = Assert.Throws<ServingException>(() => keys.Open(envelope, header, out _));
        Assert.Equal(ServingError.EnvelopeRefused, refusal.Error);
        return refusal.Message;
    }
}

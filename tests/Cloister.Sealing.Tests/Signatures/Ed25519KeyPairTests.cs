namespace Cloister.Sealing.Tests.Signatures;

public sealed class Ed25519KeyPairTests
{
    // RFC 8410, 10.3: a private key and its public key.
    private const string Pkcs8 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
    private const string Spki = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    [Fact]
    public void The_published_key_is_read_and_written()
    {
        using Ed25519KeyPair pair = Ed25519KeyPair.ImportPkcs8(Convert.FromBase64String(Pkcs8));
        Assert.Equal(Spki, Convert.ToBase64String(pair.ExportSubjectPublicKeyInfo()));
        using SecretBytes written = pair.ExportPkcs8();
        Assert.Equal(Pkcs8, Convert.ToBase64String(written.Span));
        Assert.True(Ed25519KeyPair.IsSubjectPublicKeyInfo(Convert.FromBase64String(Spki)));
    }

    [Fact]
    public void New_keys_differ()
    {
        Assert.True(Ed25519KeyPair.IsSupported);
        using Ed25519KeyPair one = Ed25519KeyPair.Generate(), other = Ed25519KeyPair.Generate();
        Assert.NotEqual(one.ExportSubjectPublicKeyInfo(), other.ExportSubjectPublicKeyInfo());
    }

    [Fact]
    public void What_is_no_key_is_refused() =>
        Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => Ed25519KeyPair.ImportPkcs8(Convert.FromBase64String(Spki))).Error);
}

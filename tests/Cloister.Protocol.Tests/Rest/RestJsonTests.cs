using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Cloister.Protocol.Rest;

namespace Cloister.Protocol.Tests.Rest;

public sealed class RestJsonTests
{
    private static string Written<T>(T document, JsonTypeInfo<T> type) => Encoding.UTF8.GetString(RestJson.Write(document, type));

    private static T Read<T>(string json, JsonTypeInfo<T> type) => RestJson.Read(Encoding.UTF8.GetBytes(json), type);

    private static ProtocolException Refused<T>(string json, JsonTypeInfo<T> type) => Assert.Throws<ProtocolException>(() => Read(json, type));

    [Fact]
    public void TheWrittenFormsAreFrozen()
    {
        RestJson v3 = RestJson.Strict, v2 = RestJson.Lenient;
        Assert.Equal("""{"status":"success","data":{"code":3,"message":"ok","simulated":true,"version":"1"}}""", Written(JSend.Of(new StatusV3(3, "ok", true, "1")), v3.JSendStatusV3));
        Assert.Equal("""{"status":"success","data":{"evidence":"AQ==","certificateChain":"c","marbleRoot":"m","simulated":true}}""", Written(JSend.Of(new EvidenceV3([1], "c", "m", true)), v3.JSendEvidenceV3));
        Assert.Equal("""{"status":"success","data":{"manifest":"AQ==","fingerprint":"f","ownerSignatures":[{"publicKey":"Ag==","signature":"Aw=="}]}}""", Written(JSend.Of(new ManifestV3([1], "f", [new([2], [3])])), v3.JSendManifestV3));
        Assert.Equal("""{"manifest":"AQ==","ownerSignatures":[]}""", Written(new SetManifestV3([1], []), v3.SetManifestV3));
        Assert.Equal("""{"status":"success","data":{"fingerprint":"f","recoverySecrets":{"k":"AQ=="}}}""", Written(JSend.Of(new SetManifestResultV3("f", ImmutableDictionary<string, byte[]>.Empty.Add("k", [1]))), v3.JSendSetManifestResultV3));
        Assert.Equal("""{"manifestFingerprint":"f","secrets":{"k":{"Key":"AQ=="}}}""", Written(new UploadSecretsV3("f", ImmutableDictionary<string, SecretValue>.Empty.Add("k", new(Key: [1]))), v3.UploadSecretsV3));
        Assert.Equal("""{"status":"success","data":{"secrets":{"k":{"Type":"plain","Size":0,"Shared":false,"UserDefined":true,"Cert":null,"ValidFor":0,"Private":null,"Public":null}}}}""",
            Written(JSend.Of(new SecretsV3(ImmutableDictionary<string, SecretReading>.Empty.Add("k", new("plain", 0, false, true, null, 0, null, null)))), v3.JSendSecretsV3));
        Assert.Equal("""{"status":"success","data":{"evidence":"AQ==","certificateChain":"c","simulated":false}}""", Written(JSend.Of(new WorkloadEvidenceV3([1], "c", false)), v3.JSendWorkloadEvidenceV3));
        Assert.Equal("""{"status":"error","data":null,"message":"no","code":"1706"}""", Written(JSend.ErrorOf("no", "1706"), v3.JSendObject));
        Assert.Equal("""{"status":"success","data":{"code":2,"message":"Coordinator is ready to accept a manifest."}}""", Written(JSend.Of(new StatusV2(2, "Coordinator is ready to accept a manifest.")), v2.JSendStatusV2));
        Assert.Equal("""{"status":"success","data":{"cert":"c","quote":null}}""", Written(JSend.Of(new QuoteV2("c", null)), v2.JSendQuoteV2));
        Assert.Equal("""{"status":"success","data":{"manifestSignatureRootECDSA":"AQ==","manifestFingerprint":"f","manifest":"Ag=="}}""", Written(JSend.Of(new ManifestV2([1], "f", [2])), v2.JSendManifestV2));
        Assert.Equal("""{"status":"success","data":{"RecoverySecrets":null}}""", Written(JSend.Of(new SetManifestResultV2(null)), v2.JSendSetManifestResultV2));
        Assert.Equal("""{"status":"success","data":null}""", Written(JSend.Of<object>(null!), v2.JSendObject));
        Assert.Equal("""{"status":"error","data":null,"message":"a+b 'c' ü"}""", Written(JSend.ErrorOf("a+b 'c' ü"), v2.JSendObject));
    }

    [Fact]
    public void BodiesAreReadAsTheyAreWritten()
    {
        UploadSecretsV3 upload = Read("""{"manifestFingerprint":"f","secrets":{"a":{"Key":"AQ=="},"b":{"Cert":"Ag==","Private":"Aw=="}}}""", RestJson.Strict.UploadSecretsV3);
        Assert.Equal([1], upload.Secrets["a"].Key);
        Assert.Equal([3], upload.Secrets["b"].Private);
        EvidenceV3 evidence = Read("""{"status":"success","data":{"evidence":"AQ==","certificateChain":"c","marbleRoot":"m","simulated":true}}""", RestJson.Strict.JSendEvidenceV3).Data!;
        Assert.Equal([1], evidence.Evidence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"manifest":"AQ=="}""")]
    [InlineData("""{"manifest":"AQ==","ownerSignatures":[],"more":1}""")]
    [InlineData("""{"manifest":"AQ==","manifest":"AQ==","ownerSignatures":[]}""")]
    [InlineData("""{"manifest":null,"ownerSignatures":[]}""")]
    [InlineData("""{"manifest":"not base64","ownerSignatures":[]}""")]
    [InlineData("""{"manifest":"AQ==","ownerSignatures":null}""")]
    [InlineData("""{"manifest":"AQ==","ownerSignatures":[{"publicKey":"AQ=="}]}""")]
    [InlineData("""{"manifest":"AQ==","ownerSignatures":[]} x""")]
    [InlineData("""{"manifest":"AQ==","ownerSignatures":[],}""")]
    [InlineData("""{"Manifest":"AQ==","ownerSignatures":[]}""")]
    public void AnotherBodyIsRefused(string json) => Assert.Equal(ProtocolError.NotTheDocument, Refused(json, RestJson.Strict.SetManifestV3).Error);

    [Fact]
    public void V2IgnoresWhatItDoesNotKnow() =>
        Assert.Equal([1], Read("""{"manifest":"AQ==","more":[1]}""", RestJson.Lenient.SetManifestV2).Manifest);

    [Fact]
    public void ARefusalNeverRepeatsTheBody()
    {
        ProtocolException refused = Refused("""{"manifestFingerprint":"f","secrets":{"a":{"Key":"my secret!"}}}""", RestJson.Strict.UploadSecretsV3);
        Assert.DoesNotContain("my secret", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("secrets", refused.Field, StringComparison.Ordinal);
        Assert.DoesNotContain("AQ", new SecretValue(Key: [1]).ToString(), StringComparison.Ordinal);
        Assert.Equal("SecretReading(plain)", new SecretReading("plain", 0, false, true, null, 0, [1], [1]).ToString());
    }

    [Fact]
    public void ALargeBodyIsRefusedUnread() =>
        Assert.Equal(ProtocolError.TooLarge, Assert.Throws<ProtocolException>(() => RestJson.Read(new byte[101], RestJson.Strict.SetManifestV3, maxBytes: 100)).Error);

    [Fact]
    public void MutationsGiveADocumentOrARefusal() => Mutations.Drive(
        data => RestJson.Fuzz(data), 3000,
        """{"manifest":"AQ==","ownerSignatures":[{"publicKey":"Ag==","signature":"Aw=="}]}"""u8.ToArray(),
        """{"manifestFingerprint":"f","secrets":{"a":{"Key":"AQ=="},"b":{"Cert":"Ag==","Private":"Aw=="}}}"""u8.ToArray(),
        """{"status":"success","data":{"evidence":"AQ==","certificateChain":"c","marbleRoot":"m","simulated":true}}"""u8.ToArray());

    [Fact]
    public void NoncesAreBase64UrlWithOrWithoutPadding()
    {
        byte[] nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)(255 - i))];
        string text = NonceText.Encode(nonce);
        Assert.DoesNotContain('=', text);
        Assert.True(NonceText.TryDecode(text, out byte[]? read));
        Assert.Equal(nonce, read);
        Assert.True(NonceText.TryDecode(text + "=", out read));
        Assert.Equal(nonce, read);
        for (int length = 0; length < 80; length++)
            Assert.Equal(length is >= 16 and <= 64, NonceText.TryDecode(NonceText.Encode(new byte[length]), out _));
        foreach (string? bad in new[] { null, "", "AAAA", text.Replace('_', '/'), text + "==", text + "AA", " " + text, text[..10] + "\n" + text[10..] })
            Assert.False(NonceText.TryDecode(bad, out _), bad);
    }
}

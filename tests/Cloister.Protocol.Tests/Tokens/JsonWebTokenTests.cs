using System.Buffers.Text;
using System.Text;
using Cloister.Protocol.Tokens;

namespace Cloister.Protocol.Tests.Tokens;

public sealed class JsonWebTokenTests
{
    private const string Header = """{"alg":"ES256","kid":"k1","typ":"JWT"}""";
    private const string Claims = """{"iss":"https://login.example","aud":["models","other"],"sub":"shop","exp":1900000000.5,"nbf":1,"iat":2,"scope":"read  write","groups":["ml","ops"],"level":3,"mixed":["a",1]}""";

    [Fact]
    public void A_token_is_taken_apart()
    {
        string text = Text(Header, Claims);
        Assert.True(JsonWebToken.TryRead(text, out JsonWebToken? token, out _));
        Assert.Equal(("ES256", "k1", "https://login.example"), (token.Algorithm, token.KeyId, token.Issuer));
        Assert.Equal(["models", "other"], token.Audiences.ToArray());
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_500), token.Expires);
        Assert.Equal((DateTimeOffset.FromUnixTimeSeconds(1), DateTimeOffset.FromUnixTimeSeconds(2)), (token.NotBefore, token.IssuedAt));
        Assert.Equal(["read", "write"], token.Claims["scope"].ToArray());
        Assert.Equal(["ml", "ops"], token.Claims["groups"].ToArray());
        Assert.False(token.Claims.ContainsKey("level") || token.Claims.ContainsKey("mixed"));
        Assert.Equal(text[..text.LastIndexOf('.')], Encoding.ASCII.GetString(token.SignedBytes.Span));
        Assert.Equal([1, 2, 3], token.Signature.ToArray());
    }

    [Theory]
    [InlineData("""{"alg":"none"}""", "algorithm")]
    [InlineData("""{"alg":"None"}""", "algorithm")]
    [InlineData("""{"alg":""}""", "algorithm")]
    [InlineData("""{"alg":"HS256"}""", "algorithm")]
    [InlineData("""{"alg":"HS512","kid":"k1"}""", "algorithm")]
    [InlineData("""{"alg":"es256"}""", "algorithm")]
    [InlineData("""{"alg":["ES256"]}""", "algorithm")]
    [InlineData("""{"typ":"JWT"}""", "algorithm")]
    [InlineData("""{"alg":"RSA-OAEP","enc":"A128GCM"}""", "'enc'")]
    [InlineData("""{"alg":"ES256","alg":"none"}""", "once")]
    [InlineData("""{"alg":"ES256","crit":["exp"]}""", "'crit'")]
    [InlineData("""{"alg":"ES256","b64":false}""", "'b64'")]
    [InlineData("""{"alg":"ES256","jwk":{"kty":"EC"}}""", "'jwk'")]
    [InlineData("""{"alg":"ES256","jku":"https://evil.example"}""", "'jku'")]
    [InlineData("""{"alg":"ES256","x5u":"https://evil.example"}""", "'x5u'")]
    [InlineData("""{"alg":"ES256","x5c":["MII"]}""", "'x5c'")]
    [InlineData("""{"alg":"ES256","zip":"DEF"}""", "'zip'")]
    [InlineData("""{"alg":"ES256","cty":"JWT"}""", "'cty'")]
    [InlineData("""{"alg":"ES256","typ":"logout+jwt"}""", "another kind")]
    [InlineData("""{"alg":"ES256","typ":1}""", "another kind")]
    [InlineData("""{"alg":"ES256","kid":7}""", "key id")]
    [InlineData("""["ES256"]""", "header")]
    [InlineData("""{"alg":"ES256"} x""", "header")]
    [InlineData("not json", "header")]
    public void A_header_that_is_not_taken_is_refused(string header, string why) => Refused(Text(header, Claims), why);

    [Fact]
    public void A_long_key_id_is_refused() => Refused(Text($$"""{"alg":"ES256","kid":"{{new string('k', 257)}}"}""", Claims), "key id");

    [Theory]
    [InlineData("""{"aud":"a","exp":1}""", "who issued")]
    [InlineData("""{"iss":1,"aud":"a","exp":1}""", "who issued")]
    [InlineData("""{"iss":"i","exp":1}""", "whom")]
    [InlineData("""{"iss":"i","aud":[],"exp":1}""", "whom")]
    [InlineData("""{"iss":"i","aud":["a",1],"exp":1}""", "whom")]
    [InlineData("""{"iss":"i","aud":"a"}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":"1"}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":null}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":-1}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":1e300}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":253402300800}""", "when it ends")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"nbf":"soon"}""", "times")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"iat":true}""", "times")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"sub":["s"]}""", "subject")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"exp":2}""", "once")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"\u0065xp":2}""", "once")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"deep":{"x":[{"a":1,"a":2}]}}""", "once")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,"x":"\ud800"}""", "claims")]
    [InlineData("""{"iss":"i","aud":"a","exp":1,}""", "claims")]
    [InlineData("""{"iss":"i","aud":"a","exp":01}""", "claims")]
    public void Claims_that_are_not_taken_are_refused(string claims, string why) => Refused(Text(Header, claims), why);

    [Fact]
    public void The_text_is_strict()
    {
        string good = Text(Header, Claims);
        string[] parts = good.Split('.');
        foreach (string text in new[]
        {
            "", ".", "..", "...", "a.b", $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.", $".{parts[1]}.{parts[2]}", $"{parts[0]}..{parts[2]}",
            good + ".", good + ".AAAA", good + "=", good + " ", " " + good, good + "\n", $"{parts[0]}=.{parts[1]}.{parts[2]}", $"{parts[0]}\r\n.{parts[1]}.{parts[2]}",
            good.Replace('-', '+').Insert(3, "+"), $"{parts[0]}.{parts[1]}.A", good.Replace(parts[2], "ÄÖÜß", StringComparison.Ordinal),
            // Bits that stand for nothing: AQID is [1,2,3]; AQJ is not how [1,2] is written.
            $"{parts[0]}.{parts[1]}.AQJ", $"{parts[0]}.{parts[1]}.AR",
        })
            Refused(text, "base64url");
        Assert.True(JsonWebToken.TryRead($"{parts[0]}.{parts[1]}.AQI", out _, out _));
        Refused(good + new string('A', JsonWebToken.MaxLength), "longer");
        Refused(Text(Header, "{\"iss\":\"i\",\"aud\":[" + string.Join(',', Enumerable.Repeat("\"a\"", 600)) + "],\"exp\":1}"), "values");
        Refused(Text(Header, new string('[', 2000)), "claims");
    }

    [Fact]
    public void Refusals_never_repeat_what_the_token_says()
    {
        foreach (string text in new[] { Text("""{"alg":"sesame-secret"}""", Claims), Text(Header, """{"iss":"sesame-secret"}"""), Text(Header, """{"sesame-secret":1,"sesame-secret":2}"""), "sesame-secret.a.b" })
        {
            Assert.False(JsonWebToken.TryRead(text, out _, out string reason));
            Assert.DoesNotContain("sesame", reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Mutations_are_tokens_or_refused()
    {
        Mutations.Drive(data => JsonWebToken.Fuzz(data), 4000, Encoding.ASCII.GetBytes(Text(Header, Claims)));
        Mutations.Drive(data => JsonWebToken.Fuzz(Encoding.ASCII.GetBytes($"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Header))}.{Base64Url.EncodeToString(data)}.AQID")), 4000, Encoding.UTF8.GetBytes(Claims));
        Mutations.Drive(data => JsonWebToken.Fuzz(Encoding.ASCII.GetBytes($"{Base64Url.EncodeToString(data)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Claims))}.AQID")), 4000, Encoding.UTF8.GetBytes(Header));
    }

    private static string Text(string header, string claims) =>
        $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.AQID";

    private static void Refused(string text, string why)
    {
        Assert.False(JsonWebToken.TryRead(text, out JsonWebToken? token, out string reason), text);
        Assert.Null(token);
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}

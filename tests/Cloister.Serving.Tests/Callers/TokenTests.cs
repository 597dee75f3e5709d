using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Tokens;
using Cloister.Serving.Callers.Tokens;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Tokens that are signed for real, and every way in which one is not what it should be.</summary>
public sealed class TokenTests
{
    private const string Refused = nameof(ServingError.CredentialRefused);

    public static TheoryData<string> Algorithms() => [.. TokenAlgorithms.All];

    [Theory, MemberData(nameof(Algorithms))]
    public async Task A_token_of_every_algorithm_is_taken_and_nothing_that_was_changed(string algorithm)
    {
        using var signer = new TokenSigner(algorithm);
        using var stranger = new TokenSigner(algorithm);
        await using CallerScene scene = Scene(TokenSigner.Set(signer));
        string token = signer.Sign(TokenSigner.Claims(scene.Now));
        Assert.Equal("alice", scene.Ask(token));
        Assert.Equal("alice", scene.Ask(token));
        Assert.Equal(nameof(ServingError.Forbidden), scene.Ask(token, "letters"));
        Assert.Contains("not signed by its issuer", scene.Reason(stranger.Sign(TokenSigner.Claims(scene.Now))), StringComparison.Ordinal);
        string[] parts = token.Split('.');
        byte[] signature = Base64Url.DecodeFromChars(parts[2]);
        foreach (byte[] other in Changes(signature))
            Assert.Equal(Refused, scene.Ask($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(other)}"));
        JsonObject claims = TokenSigner.Claims(scene.Now);
        claims["sub"] = "mallory";
        Assert.Equal(Refused, scene.Ask($"{parts[0]}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}.{parts[2]}"));
    }

    [Fact]
    public async Task An_algorithm_is_the_keys_and_never_the_tokens_choice()
    {
        using TokenSigner rsa = new("RS256"), curve = new("ES256", "k2");
        await using CallerScene scene = Scene(TokenSigner.Set(rsa, curve));
        JsonObject claims = TokenSigner.Claims(scene.Now);
        // The public key as an HMAC key, in each of its forms.
        foreach (string algorithm in new[] { "HS256", "HS384", "HS512" })
            foreach (byte[] secret in new[] { rsa.SubjectPublicKeyInfo, Encoding.ASCII.GetBytes(PemEncoding.WriteString("PUBLIC KEY", rsa.SubjectPublicKeyInfo)), TokenSigner.Set(rsa) })
                Assert.Equal(Refused, scene.Ask(Hmac(algorithm, secret, claims)));
        foreach (string none in new[] { "none", "None", "NONE", "nOnE" })
        {
            string unsigned = rsa.Sign(claims, header => header["alg"] = none);
            Assert.Equal(Refused, scene.Ask(unsigned));
            Assert.Equal(Refused, scene.Ask(unsigned[..(unsigned.LastIndexOf('.') + 1)]));
        }
        // A right signature under another algorithm of the same key, and of another key.
        Assert.Equal(Refused, scene.Ask(rsa.Sign(claims, header => header["alg"] = "PS256")));
        Assert.Equal(Refused, scene.Ask(rsa.Sign(claims, header => header["alg"] = "RS512")));
        Assert.Equal(Refused, scene.Ask(rsa.Sign(claims, header => header["kid"] = "k2")));
        Assert.Equal(Refused, scene.Ask(curve.Sign(claims, header => { header["alg"] = "ES384"; })));
        Assert.Equal("alice", scene.Ask(curve.Sign(claims)));
    }

    [Fact]
    public async Task The_manifest_may_name_the_algorithms_and_a_key_its_only_one()
    {
        using TokenSigner rsa = new("RS256"), pss = new("PS384", "k2");
        JsonObject only = pss.Jwk();
        only["alg"] = "PS384";
        byte[] keys = Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray(rsa.Jwk(), only) }.ToJsonString());
        await using CallerScene scene = new(new CallerRights([Alice()], []) { TokenIssuers = [CallerScene.Issuer(keys) with { Algorithms = ["PS256", "PS384"] }] });
        JsonObject claims = TokenSigner.Claims(scene.Now);
        Assert.Contains("algorithm that its issuer does not use", scene.Reason(rsa.Sign(claims)), StringComparison.Ordinal);
        Assert.Equal("alice", scene.Ask(pss.Sign(claims)));
        using var other = new TokenSigner("PS256", "k2");
        Assert.Contains("a key that its issuer does not have", scene.Reason(other.Sign(claims)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_cannot_bring_or_choose_a_key()
    {
        using TokenSigner signer = new("ES256"), attacker = new("ES256");
        await using CallerScene scene = Scene(TokenSigner.Set(signer));
        JsonObject claims = TokenSigner.Claims(scene.Now);
        foreach ((string name, JsonNode value) in new (string, JsonNode)[] { ("jwk", attacker.Jwk()), ("jku", "https://evil.example/jwks"), ("x5u", "https://evil.example/c.pem"), ("x5c", new JsonArray("MIIB")), ("crit", new JsonArray("exp")) })
        {
            Assert.Equal(Refused, scene.Ask(attacker.Sign(claims, header => header[name] = value.DeepClone())));
            // Even under the right key: what would be ignored today may be obeyed tomorrow.
            Assert.Equal(Refused, scene.Ask(signer.Sign(claims, header => header[name] = value.DeepClone())));
        }
        foreach (string id in new[] { "../../../../dev/null", "k1' OR '1'='1", "https://evil.example/jwks", "K1", "k1\0", "k1 " })
            Assert.Equal(Refused, scene.Ask(attacker.Sign(claims, header => header["kid"] = id)));
        Assert.Equal("alice", scene.Ask(signer.Sign(claims, header => header.Remove("kid"))));
        Assert.Equal("alice", scene.Ask(signer.Sign(claims, header => header["x5t"] = "a hint, as some issuers send it")));
    }

    [Fact]
    public async Task Times_are_kept_with_the_issuers_clock_skew()
    {
        using var signer = new TokenSigner("ES256");
        await using CallerScene scene = Scene(TokenSigner.Set(signer));
        scene.Time.Advance(TimeSpan.FromDays(1000));
        string Token(int? issued, int? notBefore, int expires)
        {
            JsonObject claims = TokenSigner.Claims(scene.Now);
            claims.Remove("iat");
            if (issued is { } iat) claims["iat"] = scene.Now.AddSeconds(iat).ToUnixTimeSeconds();
            if (notBefore is { } nbf) claims["nbf"] = scene.Now.AddSeconds(nbf).ToUnixTimeSeconds();
            claims["exp"] = scene.Now.AddSeconds(expires).ToUnixTimeSeconds();
            return signer.Sign(claims);
        }

        Assert.Equal("alice", scene.Ask(Token(0, 0, 600)));
        Assert.Equal("alice", scene.Ask(Token(-600, null, -59)));
        Assert.Contains("has expired", scene.Reason(Token(-600, null, -60)), StringComparison.Ordinal);
        Assert.Equal("alice", scene.Ask(Token(null, 60, 600)));
        Assert.Contains("not valid yet", scene.Reason(Token(null, 61, 600)), StringComparison.Ordinal);
        Assert.Equal("alice", scene.Ask(Token(60, null, 600)));
        Assert.Contains("in the future", scene.Reason(Token(61, null, 600)), StringComparison.Ordinal);
        Assert.Equal("alice", scene.Ask(Token(-3600, null, 86_400 - 3600)));
        Assert.Contains("lives longer", scene.Reason(Token(-3600, null, 86_401 - 3600)), StringComparison.Ordinal);
        Assert.Contains("lives longer", scene.Reason(Token(null, null, 86_461)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_remembered_token_ends_when_it_ends()
    {
        using var signer = new TokenSigner("ES256");
        await using CallerScene scene = Scene(TokenSigner.Set(signer));
        string token = signer.Sign(TokenSigner.Claims(scene.Now));
        Assert.Equal("alice", scene.Ask(token));
        scene.Time.Advance(TimeSpan.FromMinutes(11) - TimeSpan.FromSeconds(1));
        Assert.Equal("alice", scene.Ask(token));
        scene.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("has expired", scene.Reason(token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Issuer_audience_and_claims_decide_whose_it_is()
    {
        using var signer = new TokenSigner("ES256");
        var rights = new CallerRights(
        [
            CallerScene.TokenCaller("ops", "login", ("groups", ["ops"])) with { Models = ["letters"] },
            CallerScene.TokenCaller("science", "login", ("groups", ["ml", "vision"]), ("scope", ["predict"])),
            CallerScene.TokenCaller("zoe", "login", ("sub", ["zoe"])) with { Models = ["letters"], Administers = ["models"] },
        ], ["open"]) { TokenIssuers = [CallerScene.Issuer(TokenSigner.Set(signer))] };
        await using CallerScene scene = new(rights);
        string Token(Action<JsonObject> change)
        {
            JsonObject claims = TokenSigner.Claims(scene.Now);
            change(claims);
            return signer.Sign(claims);
        }

        string science = Token(claims => { claims["groups"] = new JsonArray("x", "vision"); claims["scope"] = "read predict"; });
        Assert.Equal("science", scene.Ask(science));
        Assert.Equal("science", scene.Ask(science, "open"));
        string both = Token(claims => { claims["groups"] = new JsonArray("ops", "ml"); claims["scope"] = "predict"; });
        Assert.Equal(("science", "ops"), (scene.Ask(both), scene.Ask(both, "letters")));
        Assert.Equal(nameof(ServingError.Forbidden), scene.Ask(Token(claims => claims["groups"] = "ops")));
        foreach (string wrong in new[]
        {
            Token(claims => { claims["groups"] = "mlx"; claims["scope"] = "predict"; }),
            Token(claims => { claims["groups"] = "ml"; claims["scope"] = "predictions"; }),
            Token(claims => { claims["groups"] = "ML"; claims["scope"] = "predict"; }),
            Token(claims => { claims["groups"] = "ml predict"; claims["scope"] = "predict"; }),
            Token(claims => claims["groups"] = "ml"),
            Token(claims => { claims["groups"] = new JsonObject { ["ml"] = "ml" }; claims["scope"] = "predict"; }),
        })
            Assert.Contains("no caller of the manifest has its claims", scene.Reason(wrong), StringComparison.Ordinal);
        Assert.Contains("for somebody else", scene.Reason(Token(claims => { claims["groups"] = "ops"; claims["aud"] = "model"; })), StringComparison.Ordinal);
        Assert.Equal(nameof(ServingError.Forbidden), scene.Ask(Token(claims => { claims["groups"] = "ops"; claims["aud"] = new JsonArray("x", "models"); })));
        Assert.Contains("issuer that the manifest does not name", scene.Reason(Token(claims => { claims["groups"] = "ops"; claims["iss"] = "https://login.example/"; })), StringComparison.Ordinal);
        Assert.Equal("zoe", scene.Registry.RequireAdministrator(CallerScene.Bearer(Token(claims => claims["sub"] = "zoe"))).Name);
        Assert.Equal(ServingError.NotAdministrator, Assert.Throws<ServingException>(() => scene.Registry.RequireAdministrator(CallerScene.Bearer(science))).Error);
    }

    [Fact]
    public async Task Tokens_of_the_manifest_and_of_issuers_live_side_by_side()
    {
        using var signer = new TokenSigner("EdDSA");
        var plain = new CallerGrant("plain", default, SHA256.HashData("a.plain.token"u8), ["digits"]);
        await using CallerScene scene = new(new CallerRights([plain, Alice()], []) { TokenIssuers = [CallerScene.Issuer(TokenSigner.Set(signer))] });
        Assert.Equal("plain", scene.Ask("a.plain.token"));
        Assert.Equal("alice", scene.Ask(signer.Sign(TokenSigner.Claims(scene.Now))));
        Assert.Equal(Refused, scene.Ask("a.plain.tokem"));
        Assert.Equal(Refused, scene.Ask(new string('a', 9000)));
        Assert.Equal(2, scene.Registry.Refused);
    }

    // RFC 7515, appendices A.2 and A.3; RFC 8037, appendix A.4.
    [Theory]
    [InlineData("RS256", """{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}""",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")]
    [InlineData("ES256", """{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}""",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")]
    [InlineData("EdDSA", """{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""",
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")]
    public void The_rfcs_own_signatures_hold(string algorithm, string jwk, string token)
    {
        Assert.True(JsonWebKeySet.TryRead(Encoding.UTF8.GetBytes($"{{\"keys\":[{jwk}]}}"), out JsonWebKeySet? set, out string reason), reason);
        Assert.True(VerificationKey.TryCreate(set.Keys[0], out VerificationKey? key));
        int dot = token.LastIndexOf('.');
        byte[] message = Encoding.ASCII.GetBytes(token[..dot]), signature = Base64Url.DecodeFromChars(token.AsSpan(dot + 1));
        Assert.True(key.Verify(algorithm, message, signature));
        foreach (byte[] other in Changes(signature)) Assert.False(key.Verify(algorithm, message, other));
        message[^1] ^= 1;
        Assert.False(key.Verify(algorithm, message, signature));
    }

    [Fact]
    public void A_point_off_its_curve_is_no_key()
    {
        using var signer = new TokenSigner("ES256");
        JsonObject jwk = signer.Jwk();
        jwk["y"] = jwk["x"]!.DeepClone();
        Assert.True(JsonWebKeySet.TryRead(Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString()), out JsonWebKeySet? set, out _));
        Assert.False(VerificationKey.TryCreate(set.Keys[0], out _));
        Assert.Empty(KeyRing.Usable(set));
    }

    private static CallerGrant Alice() => CallerScene.TokenCaller("alice", "login", ("sub", ["alice"]));

    private static CallerScene Scene(byte[] keys) => new(new CallerRights([Alice()], []) { TokenIssuers = [CallerScene.Issuer(keys)] });

    // Flipped bits, too short, too long, empty, all zero; for ECDSA also in DER.
    private static IEnumerable<byte[]> Changes(byte[] signature)
    {
        foreach (int at in new[] { 0, signature.Length / 2, signature.Length - 1 })
        {
            byte[] flipped = [.. signature];
            flipped[at] ^= 1;
            yield return flipped;
        }
        yield return signature[..^1];
        yield return [.. signature, 0];
        yield return [0, .. signature];
        yield return [0];
        yield return new byte[signature.Length];
        yield return [0x30, (byte)signature.Length, .. signature];
    }

    private static string Hmac(string algorithm, byte[] key, JsonObject claims)
    {
        string signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"{{algorithm}}","kid":"k1"}"""))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        byte[] message = Encoding.ASCII.GetBytes(signed);
        byte[] tag = algorithm switch { "HS256" => HMACSHA256.HashData(key, message), "HS384" => HMACSHA384.HashData(key, message), _ => HMACSHA512.HashData(key, message) };
        return $"{signed}.{Base64Url.EncodeToString(tag)}";
    }
}

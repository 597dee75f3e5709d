using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Protocol.Tokens;

namespace Cloister.Protocol.Tests.Tokens;

public sealed class JsonWebKeySetTests
{
    // RFC 7517, appendix A.1.
    private const string FromTheRfc = """
        {"keys":
          [
            {"kty":"EC",
             "crv":"P-256",
             "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
             "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
             "use":"enc",
             "kid":"1"},

            {"kty":"RSA",
             "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
             "e":"AQAB",
             "alg":"RS256",
             "kid":"2011-04-29"}
          ]
        }
        """;

    [Fact]
    public void The_rfcs_set_is_read_and_a_key_for_encryption_passed_over()
    {
        Assert.True(JsonWebKeySet.TryRead(Encoding.UTF8.GetBytes(FromTheRfc), out JsonWebKeySet? set, out _));
        JsonWebKey key = Assert.Single(set.Keys);
        Assert.Equal((JsonWebKeyKind.Rsa, "2011-04-29", "RS256", 256), (key.Kind, key.KeyId, key.Algorithm, key.First.Length));
        Assert.Equal([1, 0, 1], key.Second.ToArray());
    }

    [Fact]
    public void Every_type_is_read()
    {
        JsonWebKeySet set = Read(Rsa(2048), Curve(ECCurve.NamedCurves.nistP256, "P-256"), Curve(ECCurve.NamedCurves.nistP384, "P-384"), Curve(ECCurve.NamedCurves.nistP521, "P-521"), Edwards());
        Assert.Equal([JsonWebKeyKind.Rsa, JsonWebKeyKind.P256, JsonWebKeyKind.P384, JsonWebKeyKind.P521, JsonWebKeyKind.Ed25519], set.Keys.Select(key => key.Kind));
    }

    [Fact]
    public void Keys_for_something_else_are_passed_over()
    {
        foreach (Action<JsonObject> change in new Action<JsonObject>[]
        {
            key => key["use"] = "enc", key => key["alg"] = "RSA-OAEP", key => key["kty"] = "AKP", key => key["crv"] = "secp256k1", key => key["crv"] = "X25519",
            key => key["key_ops"] = new JsonArray("sign"), key => key["key_ops"] = "verify",
        })
        {
            JsonObject other = Edwards();
            change(other);
            JsonWebKeySet set = Read(Curve(ECCurve.NamedCurves.nistP256, "P-256"), other);
            Assert.Equal(JsonWebKeyKind.P256, Assert.Single(set.Keys).Kind);
        }
    }

    [Fact]
    public void Sets_that_are_not_taken_are_refused()
    {
        Refused("is not JSON", "{");
        Refused("is not a JSON object", "[]");
        Refused("no list 'keys'", "{}");
        Refused("no list 'keys'", """{"keys":{}}""");
        Refused("no key", """{"keys":[]}""");
        Refused("twice", """{"keys":[],"keys":[]}""");
        Refused("twice", """{"keys":[{"kty":"EC","kty":"RSA"}]}""");
        Refused("is not an object", """{"keys":[1]}""");
        Refused("no type", """{"keys":[{}]}""");
        Refused("limit", "{\"keys\":[" + string.Join(',', Enumerable.Repeat("{\"kty\":\"X\"}", 65)) + "]}");
        Refused("bytes; the limit", new string(' ', JsonWebKeySet.MaxBytes + 1));
        Refused("symmetric", """{"keys":[{"kty":"oct"}]}""");
        Refused("'k', a secret", """{"keys":[{"kty":"oct","k":"AAAA"}]}""");
        foreach (string secret in new[] { "d", "p", "q", "dp", "dq", "qi" }) Changed("a secret", Edwards(), key => key[secret] = "AAAA");
        Changed("name and type", Edwards(), _ => { }, Edwards());
        Changed("'kid'", Edwards(), key => key["kid"] = 1);
        Changed("'kid'", Edwards(), key => key["kid"] = new string('k', 257));
        Changed("'alg' or 'use'", Edwards(), key => key["alg"] = 1);
        Changed("algorithm 'RS256'", Edwards(), key => key["alg"] = "RS256");
        Changed("algorithm 'ES384'", Curve(ECCurve.NamedCurves.nistP256, "P-256"), key => key["alg"] = "ES384");
        Changed("coordinates", Edwards(), key => key["x"] = "AAAA");
        Changed("coordinates", Edwards(), key => key["x"] = key["x"]!.GetValue<string>() + "=");
        Changed("coordinates", Curve(ECCurve.NamedCurves.nistP256, "P-256"), key => key.Remove("y"));
        Changed("coordinates", Curve(ECCurve.NamedCurves.nistP384, "P-384"), key => key["crv"] = "P-256");
        Changed("2048", Rsa(1024), _ => { });
        Changed("2048", Rsa(2048), key => key["e"] = "AQ");
        Changed("2048", Rsa(2048), key => key["e"] = "Ag");
        Changed("2048", Rsa(2048), key => key["e"] = "AQAAAAE");
        Changed("2048", Rsa(2048), key => key["n"] = "A" + key["n"]);
    }

    [Fact]
    public void Mutations_are_sets_or_refused() => Mutations.Drive(
        data => JsonWebKeySet.Fuzz(data), 4000, Encoding.UTF8.GetBytes(FromTheRfc), Encoding.UTF8.GetBytes(Set(Edwards(), Curve(ECCurve.NamedCurves.nistP521, "P-521"))));

    private static void Refused(string why, string json)
    {
        Assert.False(JsonWebKeySet.TryRead(Encoding.UTF8.GetBytes(json), out _, out string reason), json);
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }

    private static void Changed(string why, JsonObject key, Action<JsonObject> change, params JsonObject[] more)
    {
        change(key);
        Refused(why, Set([key, .. more]));
    }

    private static JsonWebKeySet Read(params JsonObject[] keys)
    {
        Assert.True(JsonWebKeySet.TryRead(Encoding.UTF8.GetBytes(Set(keys)), out JsonWebKeySet? set, out string reason), reason);
        return set;
    }

    private static string Set(params JsonObject[] keys) => new JsonObject { ["keys"] = new JsonArray([.. keys]) }.ToJsonString();

    private static JsonObject Rsa(int bits)
    {
        using RSA key = RSA.Create(bits);
        RSAParameters parameters = key.ExportParameters(false);
        return new JsonObject { ["kty"] = "RSA", ["n"] = Base64Url.EncodeToString(parameters.Modulus), ["e"] = Base64Url.EncodeToString(parameters.Exponent) };
    }

    private static JsonObject Curve(ECCurve curve, string name)
    {
        using ECDsa key = ECDsa.Create(curve);
        ECParameters parameters = key.ExportParameters(false);
        return new JsonObject { ["kty"] = "EC", ["crv"] = name, ["x"] = Base64Url.EncodeToString(parameters.Q.X), ["y"] = Base64Url.EncodeToString(parameters.Q.Y), ["use"] = "sig", ["kid"] = name };
    }

    private static JsonObject Edwards() => new() { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", ["kid"] = "ed" };
}

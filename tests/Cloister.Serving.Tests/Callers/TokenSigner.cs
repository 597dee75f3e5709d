using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Sealing;

namespace Cloister.Serving.Tests.Callers;

/// <summary>A token issuer: a key, its JWK, and tokens that it signs for real.</summary>
internal sealed class TokenSigner : IDisposable
{
    private readonly AsymmetricAlgorithm? _key;
    private readonly MakerKey? _edwards;

    public TokenSigner(string algorithm, string? keyId = "k1")
    {
        (Algorithm, KeyId) = (algorithm, keyId);
        switch (algorithm)
        {
            case "EdDSA": _edwards = MakerKey.Generate(SignatureAlgorithm.Ed25519); break;
            case "ES256": _key = ECDsa.Create(ECCurve.NamedCurves.nistP256); break;
            case "ES384": _key = ECDsa.Create(ECCurve.NamedCurves.nistP384); break;
            case "ES512": _key = ECDsa.Create(ECCurve.NamedCurves.nistP521); break;
            default: _key = RSA.Create(2048); break;
        }
    }

    public string Algorithm { get; }

    public string? KeyId { get; }

    public byte[] SubjectPublicKeyInfo => _edwards?.Public.SubjectPublicKeyInfo.ToArray()
        ?? (_key is RSA rsa ? rsa.ExportSubjectPublicKeyInfo() : ((ECDsa)_key!).ExportSubjectPublicKeyInfo());

    public JsonObject Jwk()
    {
        JsonObject jwk;
        if (_edwards is not null) jwk = new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = Text(_edwards.Public.SubjectPublicKeyInfo.Span[^32..]) };
        else if (_key is RSA rsa)
        {
            RSAParameters key = rsa.ExportParameters(false);
            jwk = new JsonObject { ["kty"] = "RSA", ["n"] = Text(key.Modulus), ["e"] = Text(key.Exponent) };
        }
        else
        {
            ECPoint point = ((ECDsa)_key!).ExportParameters(false).Q;
            jwk = new JsonObject { ["kty"] = "EC", ["crv"] = Algorithm switch { "ES256" => "P-256", "ES384" => "P-384", _ => "P-521" }, ["x"] = Text(point.X), ["y"] = Text(point.Y) };
        }
        if (KeyId is not null) jwk["kid"] = KeyId;
        return jwk;
    }

    public static byte[] Set(params TokenSigner[] signers) => Encoding.UTF8.GetBytes(new JsonObject { ["keys"] = new JsonArray([.. signers.Select(signer => signer.Jwk())]) }.ToJsonString());

    /// <summary>A token with these claims under this signer's header.</summary>
    public string Sign(JsonObject claims, Action<JsonObject>? header = null)
    {
        var head = new JsonObject { ["alg"] = Algorithm, ["typ"] = "JWT" };
        if (KeyId is not null) head["kid"] = KeyId;
        header?.Invoke(head);
        string signed = $"{Text(Encoding.UTF8.GetBytes(head.ToJsonString()))}.{Text(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Text(Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static JsonObject Claims(DateTimeOffset now, string issuer = "https://login.example", string audience = "models", string subject = "alice") => new()
    {
        ["iss"] = issuer,
        ["aud"] = audience,
        ["sub"] = subject,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.AddMinutes(10).ToUnixTimeSeconds(),
    };

    public byte[] Sign(byte[] message)
    {
        HashAlgorithmName hash = Algorithm[^3..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };
        if (_edwards is not null) return _edwards.Sign(message);
        return _key is RSA rsa
            ? rsa.SignData(message, hash, Algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1)
            : ((ECDsa)_key!).SignData(message, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public void Dispose()
    {
        _key?.Dispose();
        _edwards?.Dispose();
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cloister.Attestation;

/// <summary>Signs an EAT attestation result as a JWT (RFC 7519, ES256 of RFC 7518), for relying parties that did not appraise themselves.</summary>
public static class EarToken
{
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Signs a result.</summary>
    /// <param name="result">The result, accepted or refused.</param>
    /// <param name="context">Who issues it, and when.</param>
    /// <param name="key">The verifier's private key, on P-256; the caller keeps it.</param>
    /// <param name="keyId">Says which key it is, in the header; null for none.</param>
    /// <returns>Header, claims and signature, each base64url, joined by dots.</returns>
    /// <exception cref="ArgumentException">The key is on another curve, or the nonce has a length that no nonce has.</exception>
    public static string Sign(AttestationResult result, EarContext context, ECDsa key, string? keyId = null)
    {
        if (key.KeySize != 256 || key.ExportParameters(false).Curve.Oid?.Value != P256) throw new ArgumentException("ES256 takes a key on P-256.", nameof(key));
        using var header = new MemoryStream();
        using (var writer = new Utf8JsonWriter(header, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("alg", "ES256");
            writer.WriteString("typ", "eat+jwt");
            if (keyId is not null) writer.WriteString("kid", keyId);
            writer.WriteEndObject();
        }
        string signed = $"{Base64Url.EncodeToString(header.ToArray())}.{Base64Url.EncodeToString(result.ToEar(context))}";
        byte[] signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}

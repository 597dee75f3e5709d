using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tokens;

/// <summary>
/// The keys of a JWK set (RFC 7517) that verify tokens. Keys for other uses, types or algorithms are passed over, as the RFC asks; a secret
/// or a private key, a malformed key, and two keys of one name and type refuse the set. No certificate or address in a key is looked at.
/// </summary>
public sealed class JsonWebKeySet
{
    /// <summary>Largest set, and most keys of one.</summary>
    public const int MaxBytes = 256 << 10, MaxKeys = 64;

    private const int MaxKeyId = 256;
    private static readonly string[] s_secret = ["k", "d", "p", "q", "dp", "dq", "qi", "oth"];

    private JsonWebKeySet(ImmutableArray<JsonWebKey> keys) => Keys = keys;

    /// <summary>The keys, in the set's order; at least one.</summary>
    public ImmutableArray<JsonWebKey> Keys { get; }

    /// <summary>Reads a set.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="set">The set.</param>
    /// <param name="reason">Why it is refused: the end of a sentence that begins with its name.</param>
    public static bool TryRead(ReadOnlySpan<byte> json, [NotNullWhen(true)] out JsonWebKeySet? set, out string reason)
    {
        set = null;
        if (json.Length > MaxBytes)
        {
            reason = $"has {json.Length} bytes; the limit is {MaxBytes}";
            return false;
        }
        if (!StrictJson.TryReadObject(json, out GoValue? root, out reason)) return false;
        if (root.Find("keys") is not { Kind: GoKind.Array } list)
        {
            reason = "has no list 'keys': it is not a JWK set";
            return false;
        }
        if (list.Items.Count > MaxKeys)
        {
            reason = $"has {list.Items.Count} keys; the limit is {MaxKeys}";
            return false;
        }
        var keys = ImmutableArray.CreateBuilder<JsonWebKey>();
        var names = new HashSet<(JsonWebKeyKind, string)>();
        for (int i = 0; i < list.Items.Count; i++)
        {
            if (!TryKey(list.Items[i], out JsonWebKey? key, out string wrong) || (key?.KeyId is { } id && !names.Add((key.Kind, id))))
            {
                reason = $"has a key, number {i}, that {(wrong.Length > 0 ? wrong : "has the name and type of another")}";
                return false;
            }
            if (key is not null) keys.Add(key);
        }
        if (keys.Count == 0)
        {
            reason = "has no key that verifies signatures: RSA, P-256, P-384, P-521 or Ed25519";
            return false;
        }
        set = new JsonWebKeySet(keys.ToImmutable());
        return true;
    }

    // A null key without a reason is one that is passed over.
    private static bool TryKey(GoValue value, out JsonWebKey? key, out string wrong)
    {
        key = null;
        wrong = "";
        if (value.Kind != GoKind.Object) wrong = "is not an object";
        else if (value.Members.FirstOrDefault(member => s_secret.Contains(member.Key)).Key is { } secret) wrong = $"holds '{secret}', a secret: a set of public keys is published";
        else if (!value.TryText("kty", out string? type) || type is null) wrong = "has no type 'kty'";
        else if (!value.TryText("kid", out string? id) || id?.Length > MaxKeyId) wrong = $"has a 'kid' that is not a text of at most {MaxKeyId} characters";
        else if (!value.TryText("alg", out string? algorithm) || !value.TryText("use", out string? use)) wrong = "has an 'alg' or 'use' that is not a text";
        else if (type == "oct") wrong = "is a symmetric key: it cannot be public";
        else if (use is null or "sig" && MayVerify(value) && (algorithm is null || TokenAlgorithms.All.Contains(algorithm))) key = Material(value, type, id, algorithm, out wrong);
        return wrong.Length == 0;
    }

    private static bool MayVerify(GoValue key) =>
        key.Find("key_ops") is not { } operations || (operations.Kind == GoKind.Array && operations.Items.Any(item => item is { Kind: GoKind.String, Text: "verify" }));

    private static JsonWebKey? Material(GoValue value, string type, string? id, string? algorithm, out string wrong)
    {
        wrong = "";
        (JsonWebKeyKind Kind, int Size)? curve = (type, Text(value, "crv")) switch
        {
            ("EC", "P-256") => (JsonWebKeyKind.P256, 32),
            ("EC", "P-384") => (JsonWebKeyKind.P384, 48),
            ("EC", "P-521") => (JsonWebKeyKind.P521, 66),
            ("OKP", "Ed25519") => (JsonWebKeyKind.Ed25519, 32),
            _ => null,
        };
        JsonWebKey? key = null;
        if (type == "RSA")
        {
            byte[] modulus = Bytes(value, "n"), exponent = Bytes(value, "e");
            if (!IsModulus(modulus) || !IsExponent(exponent)) wrong = "is no RSA key of 2048 to 8192 bits with an odd exponent of at most 4 bytes";
            else key = new JsonWebKey(JsonWebKeyKind.Rsa, id, algorithm, modulus, exponent);
        }
        else if (curve is var (kind, size))
        {
            byte[] x = Bytes(value, "x"), y = kind == JsonWebKeyKind.Ed25519 ? [] : Bytes(value, "y");
            if (x.Length != size || (kind != JsonWebKeyKind.Ed25519 && y.Length != size)) wrong = $"has coordinates that are not {size} bytes";
            else key = new JsonWebKey(kind, id, algorithm, x, y);
        }
        if (key?.Algorithm is { } only && !TokenAlgorithms.Fits(key.Kind, only))
        {
            wrong = $"is not of the type that its algorithm '{only}' takes";
            return null;
        }
        return key;
    }

    private static bool IsModulus(byte[] modulus) => modulus.Length is >= 256 and <= 1024 && modulus[0] >= (modulus.Length == 256 ? 0x80 : 1) && (modulus[^1] & 1) == 1;

    private static bool IsExponent(byte[] exponent) => exponent.Length is >= 1 and <= 4 && exponent[0] != 0 && (exponent[^1] & 1) == 1 && !(exponent.Length == 1 && exponent[0] == 1);

    private static string? Text(GoValue value, string name) => value.TryText(name, out string? text) ? text : null;

    private static byte[] Bytes(GoValue value, string name) => Text(value, name) is { } text && Base64UrlText.TryDecode(text, out byte[]? bytes) ? bytes : [];

    /// <summary>Fuzz target: any bytes are a set with keys, or refused with a reason.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (TryRead(data, out JsonWebKeySet? set, out string reason) ? set.Keys.IsEmpty : reason.Length == 0)
            throw new InvalidOperationException("A key set was read without keys, or refused without a reason.");
    }
}

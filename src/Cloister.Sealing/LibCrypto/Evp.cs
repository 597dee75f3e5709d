using System.Runtime.InteropServices;

namespace Cloister.Sealing;

/// <summary>Imports from openssl/evp.h, err.h and crypto.h, under their C names. Nothing here is variadic: such functions have another calling convention on some processors.</summary>
internal static partial class Evp
{
    public const string Library = "libcrypto";

    public static ulong OpenSSL_version_num() => VersionNumber().Value;

    public static ulong ERR_peek_last_error() => LastError().Value;

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial EvpKeyHandle EVP_PKEY_new_raw_private_key_ex(nint context, string algorithm, string? properties, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial EvpKeyHandle EVP_PKEY_new_raw_public_key_ex(nint context, string algorithm, string? properties, ReadOnlySpan<byte> key, nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_private_key(EvpKeyHandle key, Span<byte> raw, ref nuint length);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_get_raw_public_key(EvpKeyHandle key, Span<byte> raw, ref nuint length);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    public static partial EvpKeyContextHandle EVP_PKEY_CTX_new_from_pkey(nint context, EvpKeyHandle key, nint properties);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_init(EvpKeyContextHandle context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive_set_peer(EvpKeyContextHandle context, EvpKeyHandle peer);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_derive(EvpKeyContextHandle context, Span<byte> secret, ref nuint length);

    [LibraryImport(Library)]
    public static partial EvpDigestHandle EVP_MD_CTX_new();

    [LibraryImport(Library)]
    public static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_DigestSignInit(EvpDigestHandle context, nint keyContext, nint digest, nint engine, EvpKeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestSign(EvpDigestHandle context, Span<byte> signature, ref nuint signatureLength, ReadOnlySpan<byte> message, nuint messageLength);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerifyInit(EvpDigestHandle context, nint keyContext, nint digest, nint engine, EvpKeyHandle key);

    [LibraryImport(Library)]
    public static partial int EVP_DigestVerify(EvpDigestHandle context, ReadOnlySpan<byte> signature, nuint signatureLength, ReadOnlySpan<byte> message, nuint messageLength);

    [LibraryImport(Library, EntryPoint = "OpenSSL_version_num")]
    private static partial CULong VersionNumber();

    [LibraryImport(Library, EntryPoint = "ERR_peek_last_error")]
    private static partial CULong LastError();
}

using System.Runtime.InteropServices;

namespace Cloister.Client.Pkcs11;

/// <summary>Imports from openssl/rsa.h, ec.h, bn.h and evp.h of OpenSSL 3, under their C names; .NET on Linux does TLS with the same library.</summary>
internal static unsafe partial class OpenSsl
{
    public const string Library = "libcrypto.so.3";

    public const int RSA_PKCS1_PADDING = 1, RSA_NO_PADDING = 3;

    /// <summary>The private half is elsewhere, and cannot be compared with the public one.</summary>
    public const int RSA_METHOD_FLAG_NO_CHECK = 1, RSA_FLAG_EXT_PKEY = 0x20;

    [LibraryImport(Library)] public static partial nint RSA_PKCS1_OpenSSL();
    [LibraryImport(Library)] public static partial nint RSA_meth_dup(nint method);
    [LibraryImport(Library)] public static partial int RSA_meth_set_flags(nint method, int flags);
    [LibraryImport(Library)] public static partial int RSA_meth_set_priv_enc(nint method, delegate* unmanaged[Cdecl]<int, byte*, byte*, nint, int, int> function);
    [LibraryImport(Library)] public static partial int RSA_meth_set_priv_dec(nint method, delegate* unmanaged[Cdecl]<int, byte*, byte*, nint, int, int> function);
    [LibraryImport(Library)] public static partial nint RSA_meth_get_finish(nint method);
    [LibraryImport(Library)] public static partial int RSA_meth_set_finish(nint method, delegate* unmanaged[Cdecl]<nint, int> function);
    [LibraryImport(Library)] public static partial nint RSA_new();
    [LibraryImport(Library)] public static partial void RSA_free(nint rsa);
    [LibraryImport(Library)] public static partial int RSA_set0_key(nint rsa, nint modulus, nint exponent, nint secret);
    [LibraryImport(Library)] public static partial int RSA_set_method(nint rsa, nint method);
    [LibraryImport(Library)] public static partial int RSA_set_ex_data(nint rsa, int index, nint data);
    [LibraryImport(Library)] public static partial nint RSA_get_ex_data(nint rsa, int index);

    [LibraryImport(Library)] public static partial nint EC_KEY_OpenSSL();
    [LibraryImport(Library)] public static partial nint EC_KEY_METHOD_new(nint method);
    [LibraryImport(Library)] public static partial void EC_KEY_METHOD_get_sign(nint method, out nint sign, out nint setup, out nint signParts);
    [LibraryImport(Library)] public static partial void EC_KEY_METHOD_set_sign(nint method, nint sign, nint setup, delegate* unmanaged[Cdecl]<byte*, int, nint, nint, nint, nint> signParts);
    [LibraryImport(Library)] public static partial void EC_KEY_METHOD_get_init(nint method, out nint init, out nint finish, out nint copy, out nint group, out nint secret, out nint point);
    [LibraryImport(Library)] public static partial void EC_KEY_METHOD_set_init(nint method, nint init, delegate* unmanaged[Cdecl]<nint, void> finish, nint copy, nint group, nint secret, nint point);
    [LibraryImport(Library)] public static partial nint EC_KEY_new_by_curve_name(int curve);
    [LibraryImport(Library)] public static partial void EC_KEY_free(nint key);
    [LibraryImport(Library)] public static partial int EC_KEY_oct2key(nint key, ReadOnlySpan<byte> point, nuint length, nint context);
    [LibraryImport(Library)] public static partial int EC_KEY_set_method(nint key, nint method);
    [LibraryImport(Library)] public static partial int EC_KEY_set_ex_data(nint key, int index, nint data);
    [LibraryImport(Library)] public static partial nint EC_KEY_get_ex_data(nint key, int index);
    [LibraryImport(Library)] public static partial nint ECDSA_SIG_new();
    [LibraryImport(Library)] public static partial int ECDSA_SIG_set0(nint signature, nint r, nint s);
    [LibraryImport(Library)] public static partial nint BN_bin2bn(ReadOnlySpan<byte> bytes, int length, nint into);

    [LibraryImport(Library)] public static partial nint EVP_PKEY_new();
    [LibraryImport(Library)] public static partial void EVP_PKEY_free(nint key);
    [LibraryImport(Library)] public static partial int EVP_PKEY_set1_RSA(nint key, nint rsa);
    [LibraryImport(Library)] public static partial int EVP_PKEY_set1_EC_KEY(nint key, nint ec);

    [LibraryImport(Library, EntryPoint = "OpenSSL_version_num")]
    private static partial CULong VersionNumber();

    public static ulong Version => VersionNumber().Value;
}

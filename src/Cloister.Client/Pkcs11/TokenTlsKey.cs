using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// Hands a token's key to OpenSSL, and so to TLS: an OpenSSL key with the public half, whose private operation calls back into
/// the token. It needs neither an OpenSSL engine nor a provider to be installed. Where .NET does TLS without OpenSSL, there is no such way.
/// </summary>
[SupportedOSPlatform("linux")]
internal static unsafe class TokenTlsKey
{
    /// <summary>The first place for application data, which OpenSSL keeps free in every object.</summary>
    private const int ApplicationData = 0;

    private const int NistP256 = 415, NistP384 = 715, NistP521 = 716;

    // Made once and never changed: OpenSSL's keys point to them as long as they live.
    private static readonly Lazy<nint> RsaMethod = new(MakeRsaMethod), EcMethod = new(MakeEcMethod);

    /// <summary>An OpenSSL key that uses <paramref name="key"/>, which must outlive it.</summary>
    /// <exception cref="Pkcs11Exception"><see cref="Pkcs11Error.TlsNotSupported"/>.</exception>
    public static SafeEvpPKeyHandle Open(AsymmetricAlgorithm key)
    {
        EnsureSupported();
        return key switch
        {
            Pkcs11Ecdsa ecdsa => OpenEc(ecdsa),
            Pkcs11Rsa rsa when !rsa.Token.Offers(Cryptoki.CKM_RSA_X_509) => throw new Pkcs11Exception(Pkcs11Error.TlsNotSupported,
                "The token does not sign what is already padded (CKM_RSA_X_509), which TLS 1.3 needs of its RSA keys. Use an elliptic curve key."),
            Pkcs11Rsa rsa => OpenRsa(rsa),
            _ => throw new ArgumentException("This is no token's key.", nameof(key)),
        };
    }

    private static void EnsureSupported()
    {
        string? why = null;
        if (!NativeLibrary.TryLoad(OpenSsl.Library, out _))
            why = $"TLS with a token's key needs OpenSSL 3 ({OpenSsl.Library}), which was not found.";
        else if ((ulong)SafeEvpPKeyHandle.OpenSslVersion != OpenSsl.Version)
            why = $".NET uses OpenSSL 0x{SafeEvpPKeyHandle.OpenSslVersion:x}, and {OpenSsl.Library} is 0x{OpenSsl.Version:x}: they must be the same. Unset CLR_OPENSSL_VERSION_OVERRIDE.";
        if (why is not null)
            throw new Pkcs11Exception(Pkcs11Error.TlsNotSupported, why + " Signing and decrypting with the token work here; use --cert and --key for TLS.");
    }

    private static SafeEvpPKeyHandle OpenRsa(Pkcs11Rsa key)
    {
        RSAParameters half = key.ExportParameters(false);
        nint rsa = Made(OpenSsl.RSA_new());
        try
        {
            Done(OpenSsl.RSA_set0_key(rsa, Number(half.Modulus), Number(half.Exponent), 0));
            Done(OpenSsl.RSA_set_method(rsa, RsaMethod.Value));
            Done(OpenSsl.RSA_set_ex_data(rsa, ApplicationData, GCHandle.ToIntPtr(GCHandle.Alloc(key))));
            return Wrap(pkey => OpenSsl.EVP_PKEY_set1_RSA(pkey, rsa));
        }
        finally
        {
            OpenSsl.RSA_free(rsa);
        }
    }

    private static SafeEvpPKeyHandle OpenEc(Pkcs11Ecdsa key)
    {
        ECParameters half = key.ExportParameters(false);
        nint ec = Made(OpenSsl.EC_KEY_new_by_curve_name(key.KeySize switch
        {
            256 => NistP256,
            384 => NistP384,
            521 => NistP521,
            _ => throw new Pkcs11Exception(Pkcs11Error.TlsNotSupported, "TLS takes keys of the curves P-256, P-384 and P-521."),
        }));
        try
        {
            byte[] point = [4, .. half.Q.X!, .. half.Q.Y!];
            Done(OpenSsl.EC_KEY_oct2key(ec, point, (nuint)point.Length, 0));
            Done(OpenSsl.EC_KEY_set_method(ec, EcMethod.Value));
            Done(OpenSsl.EC_KEY_set_ex_data(ec, ApplicationData, GCHandle.ToIntPtr(GCHandle.Alloc(key))));
            return Wrap(pkey => OpenSsl.EVP_PKEY_set1_EC_KEY(pkey, ec));
        }
        finally
        {
            OpenSsl.EC_KEY_free(ec);
        }
    }

    private static SafeEvpPKeyHandle Wrap(Func<nint, int> fill)
    {
        nint pkey = Made(OpenSsl.EVP_PKEY_new());
        if (fill(pkey) == 1)
            return new SafeEvpPKeyHandle(pkey, ownsHandle: true);
        OpenSsl.EVP_PKEY_free(pkey);
        throw Refused();
    }

    private static nint MakeRsaMethod()
    {
        nint method = Made(OpenSsl.RSA_meth_dup(OpenSsl.RSA_PKCS1_OpenSSL()));
        Done(OpenSsl.RSA_meth_set_flags(method, OpenSsl.RSA_METHOD_FLAG_NO_CHECK | OpenSsl.RSA_FLAG_EXT_PKEY));
        Done(OpenSsl.RSA_meth_set_priv_enc(method, &SignRsa));
        Done(OpenSsl.RSA_meth_set_priv_dec(method, &RefuseRsa));
        Done(OpenSsl.RSA_meth_set_finish(method, &FinishRsa));
        return method;
    }

    private static nint MakeEcMethod()
    {
        nint method = Made(OpenSsl.EC_KEY_METHOD_new(OpenSsl.EC_KEY_OpenSSL()));
        // OpenSSL's own "sign" wraps what signParts gives in DER.
        OpenSsl.EC_KEY_METHOD_get_sign(method, out nint sign, out nint setup, out _);
        OpenSsl.EC_KEY_METHOD_set_sign(method, sign, setup, &SignEc);
        OpenSsl.EC_KEY_METHOD_get_init(method, out nint init, out _, out nint copy, out nint group, out nint secret, out nint point);
        OpenSsl.EC_KEY_METHOD_set_init(method, init, &FinishEc, copy, group, secret, point);
        return method;
    }

    // What is thrown must not pass OpenSSL's frames: it is said there as a failure, and TLS ends with its alert.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SignRsa(int length, byte* from, byte* to, nint rsa, int padding)
    {
        try
        {
            if (GCHandle.FromIntPtr(OpenSsl.RSA_get_ex_data(rsa, ApplicationData)).Target is not Pkcs11Rsa key)
                return -1;
            ulong mechanism = padding == OpenSsl.RSA_PKCS1_PADDING ? Cryptoki.CKM_RSA_PKCS : Cryptoki.CKM_RSA_X_509;
            if (padding is not (OpenSsl.RSA_PKCS1_PADDING or OpenSsl.RSA_NO_PADDING))
                return -1;
            byte[] signature = key.PrivateOperation(mechanism, new ReadOnlySpan<byte>(from, length));
            signature.CopyTo(new Span<byte>(to, (key.KeySize + 7) / 8));
            return signature.Length;
        }
        catch (Exception error) when (error is Pkcs11Exception or ObjectDisposedException or ArgumentException)
        {
            return -1;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RefuseRsa(int length, byte* from, byte* to, nint rsa, int padding) => -1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FinishRsa(nint rsa)
    {
        Release(OpenSsl.RSA_get_ex_data(rsa, ApplicationData));
        // OpenSSL's own end frees what its public operations keep with the key.
        var own = (delegate* unmanaged[Cdecl]<nint, int>)OpenSsl.RSA_meth_get_finish(OpenSsl.RSA_PKCS1_OpenSSL());
        return own is null ? 1 : own(rsa);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint SignEc(byte* digest, int length, nint inverse, nint r, nint ec)
    {
        try
        {
            if (GCHandle.FromIntPtr(OpenSsl.EC_KEY_get_ex_data(ec, ApplicationData)).Target is not Pkcs11Ecdsa key)
                return 0;
            ReadOnlySpan<byte> parts = key.SignHash(new ReadOnlySpan<byte>(digest, length).ToArray());
            nint signature = OpenSsl.ECDSA_SIG_new();
            int half = parts.Length / 2;
            return signature != 0 && OpenSsl.ECDSA_SIG_set0(signature, OpenSsl.BN_bin2bn(parts[..half], half, 0), OpenSsl.BN_bin2bn(parts[half..], half, 0)) == 1 ? signature : 0;
        }
        catch (Exception error) when (error is Pkcs11Exception or ObjectDisposedException or ArgumentException)
        {
            return 0;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void FinishEc(nint ec) => Release(OpenSsl.EC_KEY_get_ex_data(ec, ApplicationData));

    private static void Release(nint data)
    {
        if (data != 0)
            GCHandle.FromIntPtr(data).Free();
    }

    private static nint Number(byte[]? bytes) => Made(OpenSsl.BN_bin2bn(bytes, bytes!.Length, 0));

    private static nint Made(nint pointer) => pointer != 0 ? pointer : throw Refused();

    private static void Done(int status)
    {
        if (status != 1)
            throw Refused();
    }

    private static Pkcs11Exception Refused() => new(Pkcs11Error.TlsNotSupported, "OpenSSL does not take the token's key. Does a FIPS policy forbid its kind?");
}

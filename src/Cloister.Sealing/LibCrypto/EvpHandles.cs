using Microsoft.Win32.SafeHandles;

namespace Cloister.Sealing;

/// <summary>An EVP_PKEY; libcrypto wipes a private key when it frees it.</summary>
internal sealed class EvpKeyHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        Evp.EVP_PKEY_free(handle);
        return true;
    }
}

/// <summary>An EVP_PKEY_CTX: one operation with a key.</summary>
internal sealed class EvpKeyContextHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        Evp.EVP_PKEY_CTX_free(handle);
        return true;
    }
}

/// <summary>An EVP_MD_CTX: one signing or verifying operation.</summary>
internal sealed class EvpDigestHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle()
    {
        Evp.EVP_MD_CTX_free(handle);
        return true;
    }
}

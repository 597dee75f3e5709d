namespace Cloister.Client.Pkcs11;

/// <summary>Numbers of PKCS#11 v2.40 that are used here, under the specification's names.</summary>
internal static class Cryptoki
{
    public const ulong CKR_OK = 0, CKR_PIN_INCORRECT = 0xA0, CKR_PIN_INVALID = 0xA1, CKR_PIN_LEN_RANGE = 0xA2, CKR_PIN_LOCKED = 0xA4,
        CKR_USER_ALREADY_LOGGED_IN = 0x100, CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191;

    public const ulong CKF_OS_LOCKING_OK = 2, CKF_SERIAL_SESSION = 4, CKF_LOGIN_REQUIRED = 4, CKF_PROTECTED_AUTHENTICATION_PATH = 0x100;

    public const ulong CKU_USER = 1;

    public const ulong CKO_CERTIFICATE = 1, CKO_PUBLIC_KEY = 2, CKO_PRIVATE_KEY = 3;

    public const ulong CKK_RSA = 0, CKK_EC = 3;

    public const ulong CKA_CLASS = 0, CKA_LABEL = 3, CKA_VALUE = 0x11, CKA_KEY_TYPE = 0x100, CKA_ID = 0x102, CKA_MODULUS = 0x120, CKA_PUBLIC_EXPONENT = 0x122,
        CKA_EC_PARAMS = 0x180, CKA_EC_POINT = 0x181;

    public const ulong CKM_RSA_PKCS = 1, CKM_RSA_X_509 = 3, CKM_RSA_PKCS_OAEP = 9, CKM_RSA_PKCS_PSS = 0xD, CKM_ECDSA = 0x1041;

    public const ulong CKZ_DATA_SPECIFIED = 1;

    /// <summary>Places in CK_FUNCTION_LIST, in the order of the specification (section 5.3 of its header).</summary>
    public const int C_Initialize = 0, C_GetSlotList = 4, C_GetTokenInfo = 6, C_GetMechanismList = 7, C_OpenSession = 12, C_CloseSession = 13, C_Login = 18,
        C_GetAttributeValue = 24, C_FindObjectsInit = 26, C_FindObjects = 27, C_FindObjectsFinal = 28, C_DecryptInit = 33, C_Decrypt = 34, C_SignInit = 42, C_Sign = 43;

    /// <summary>What a return value says, for those that a user meets.</summary>
    public static string Meaning(ulong value) => value switch
    {
        0x05 => "CKR_GENERAL_ERROR",
        0x06 => "CKR_FUNCTION_FAILED",
        0x12 => "CKR_ATTRIBUTE_TYPE_INVALID",
        0x20 => "CKR_DATA_INVALID",
        0x21 => "CKR_DATA_LEN_RANGE",
        0x30 => "CKR_DEVICE_ERROR",
        0x32 => "CKR_DEVICE_REMOVED",
        0x40 => "CKR_ENCRYPTED_DATA_INVALID",
        0x41 => "CKR_ENCRYPTED_DATA_LEN_RANGE",
        0x63 => "CKR_KEY_TYPE_INCONSISTENT",
        0x68 => "CKR_KEY_FUNCTION_NOT_PERMITTED",
        0x70 => "CKR_MECHANISM_INVALID",
        0x71 => "CKR_MECHANISM_PARAM_INVALID",
        CKR_PIN_INCORRECT => "CKR_PIN_INCORRECT",
        CKR_PIN_INVALID => "CKR_PIN_INVALID",
        CKR_PIN_LEN_RANGE => "CKR_PIN_LEN_RANGE",
        CKR_PIN_LOCKED => "CKR_PIN_LOCKED",
        0xE0 => "CKR_TOKEN_NOT_PRESENT",
        0xE1 => "CKR_TOKEN_NOT_RECOGNIZED",
        0x101 => "CKR_USER_NOT_LOGGED_IN",
        _ => $"CKR_0x{value:X}",
    };
}

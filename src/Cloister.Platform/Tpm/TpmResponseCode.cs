using System.Globalization;

namespace Cloister.Platform.Tpm;

/// <summary>What a TPM says when it refuses (TPM_RC, TPM 2.0 Library part 2, 6.6), in words.</summary>
internal static class TpmResponseCode
{
    public const uint Success = 0, Initialize = 0x100, Failure = 0x101, ContextGap = 0x901, ObjectMemory = 0x902, SessionMemory = 0x903, Memory = 0x904, SessionHandles = 0x905, ObjectHandles = 0x906,
        Yielded = 0x908, Testing = 0x90A, Lockout = 0x921, Retry = 0x922, NvRate = 0x920;

    /// <summary>Errors of format one without the place they speak of.</summary>
    public const uint Value = 0x084, Handle = 0x08B, AuthFail = 0x08E, Size = 0x095, PolicyFail = 0x09D, Integrity = 0x09F, BadAuth = 0x0A2, EccPoint = 0x0A7;

    /// <summary>TPM2_ActivateCredential's refusal of a credential that was made for another name or another endorsement key.</summary>
    public const uint CredentialIntegrity = Integrity | Parameter1;

    private const uint Parameter1 = 0x140, FormatOne = 0x080, ParameterBit = 0x040, SessionBit = 0x800, Warning = 0x900;

    /// <summary>Whether the TPM asks for the same command once more.</summary>
    public static bool AsksAgain(uint code) => code is Retry or Yielded or Testing or NvRate;

    /// <summary>Whether the TPM has no room for one more object or session.</summary>
    public static bool IsFull(uint code) => code is ObjectMemory or SessionMemory or Memory or SessionHandles or ObjectHandles or ContextGap;

    /// <summary>The error of format one without its place; any other code as it is.</summary>
    public static uint Bare(uint code) => (code & FormatOne) != 0 && code < 0x1000 ? code & 0x0BF : code;

    /// <summary>The kind of failure that a code is.</summary>
    public static PlatformError ErrorOf(uint code) => code switch
    {
        Lockout => PlatformError.TpmLockedOut,
        Initialize => PlatformError.TpmNotStarted,
        _ when AsksAgain(code) => PlatformError.TpmBusy,
        _ when IsFull(code) => PlatformError.TpmFull,
        _ when Bare(code) == PolicyFail => PlatformError.TpmPolicyRefused,
        _ => PlatformError.TpmRefused,
    };

    /// <summary>A code in words, such as <c>0x99d, TPM_RC_POLICY_FAIL (session 1): ...</c>.</summary>
    public static string Describe(uint code)
    {
        (string name, string meaning) = Known(Bare(code));
        return string.Create(CultureInfo.InvariantCulture, $"0x{code:x3}, {name}{PlaceOf(code)}: {meaning}");
    }

    private static string PlaceOf(uint code)
    {
        if ((code & FormatOne) == 0 || code >= 0x1000) return "";
        uint number = code >> 8 & 0xF;
        return (code & ParameterBit) != 0 ? $" (parameter {number})" : (code & SessionBit) != 0 ? $" (session {number & 7})" : number != 0 ? $" (handle {number})" : "";
    }

    private static (string Name, string Meaning) Known(uint code) => code switch
    {
        0x081 => ("TPM_RC_ASYMMETRIC", "it does not have this asymmetric algorithm"),
        0x082 => ("TPM_RC_ATTRIBUTES", "the object's attributes do not allow it"),
        0x083 => ("TPM_RC_HASH", "it does not have this hash"),
        Value => ("TPM_RC_VALUE", "a value is out of range or not for this use"),
        0x085 => ("TPM_RC_HIERARCHY", "the hierarchy is disabled or not the right one"),
        0x087 => ("TPM_RC_KEY_SIZE", "it does not have keys of this size"),
        0x08A => ("TPM_RC_TYPE", "the object is of another type"),
        Handle => ("TPM_RC_HANDLE", "nothing has this handle"),
        AuthFail => ("TPM_RC_AUTH_FAIL", "the authorisation value is wrong, and the TPM counts such failures"),
        0x08F => ("TPM_RC_NONCE", "a nonce has the wrong size"),
        0x092 => ("TPM_RC_SCHEME", "it does not have this scheme"),
        Size => ("TPM_RC_SIZE", "a structure has the wrong size"),
        0x096 => ("TPM_RC_SYMMETRIC", "it does not have this symmetric algorithm"),
        0x09A => ("TPM_RC_INSUFFICIENT", "the command ends before its parameters do"),
        0x09B => ("TPM_RC_SIGNATURE", "the signature is wrong"),
        0x09C => ("TPM_RC_KEY", "the key is not for this use"),
        PolicyFail => ("TPM_RC_POLICY_FAIL", "the policy is not fulfilled: a PCR has another value than the object was sealed to"),
        Integrity => ("TPM_RC_INTEGRITY", "the integrity check failed: it was changed, or made for another key"),
        0x0A1 => ("TPM_RC_RESERVED_BITS", "a reserved bit is set"),
        BadAuth => ("TPM_RC_BAD_AUTH", "the authorisation value is wrong"),
        0x0A6 => ("TPM_RC_CURVE", "it does not have this curve"),
        EccPoint => ("TPM_RC_ECC_POINT", "the point is not on the curve"),
        Initialize => ("TPM_RC_INITIALIZE", "it was not started: firmware or whoever runs it sends TPM2_Startup first"),
        Failure => ("TPM_RC_FAILURE", "it failed; one in failure mode answers nothing until it is reset"),
        0x120 => ("TPM_RC_DISABLED", "the command is disabled"),
        0x124 => ("TPM_RC_AUTH_TYPE", "the object takes another kind of authorisation"),
        0x125 => ("TPM_RC_AUTH_MISSING", "an authorisation is missing"),
        0x126 => ("TPM_RC_POLICY", "a policy was in the wrong state"),
        0x127 => ("TPM_RC_PCR", "the PCR cannot be changed from here"),
        0x128 => ("TPM_RC_PCR_CHANGED", "a PCR changed after the policy was checked"),
        0x12E => ("TPM_RC_AUTH_UNAVAILABLE", "the object cannot be authorised in this way"),
        0x12F => ("TPM_RC_REBOOT", "it needs a reset first"),
        0x142 => ("TPM_RC_COMMAND_SIZE", "the command's size is wrong"),
        0x143 => ("TPM_RC_COMMAND_CODE", "it does not have this command"),
        0x144 => ("TPM_RC_AUTHSIZE", "the authorisation's size is wrong"),
        0x146 => ("TPM_RC_NV_RANGE", "more than the NV index holds"),
        0x147 => ("TPM_RC_NV_SIZE", "the NV index has another size"),
        0x148 => ("TPM_RC_NV_LOCKED", "the NV index is locked"),
        0x149 => ("TPM_RC_NV_AUTHORIZATION", "the NV index is not open to this authorisation"),
        0x14A => ("TPM_RC_NV_UNINITIALIZED", "the NV index was never written"),
        0x14B => ("TPM_RC_NV_SPACE", "there is no room in NV memory"),
        0x14C => ("TPM_RC_NV_DEFINED", "the NV index or persistent handle is taken"),
        ContextGap => ("TPM_RC_CONTEXT_GAP", "an old session was saved and never loaded again"),
        ObjectMemory => ("TPM_RC_OBJECT_MEMORY", "no room for one more object"),
        SessionMemory => ("TPM_RC_SESSION_MEMORY", "no room for one more session"),
        Memory => ("TPM_RC_MEMORY", "out of memory"),
        SessionHandles => ("TPM_RC_SESSION_HANDLES", "no handle for one more session"),
        ObjectHandles => ("TPM_RC_OBJECT_HANDLES", "no handle for one more object"),
        Yielded => ("TPM_RC_YIELDED", "it stopped half-way and asks for the command once more"),
        0x909 => ("TPM_RC_CANCELED", "the command was cancelled"),
        Testing => ("TPM_RC_TESTING", "it is testing itself"),
        >= 0x910 and <= 0x916 => ("TPM_RC_REFERENCE_H0+" + (code - 0x910).ToString(CultureInfo.InvariantCulture), "a handle is not loaded"),
        >= 0x918 and <= 0x91E => ("TPM_RC_REFERENCE_S0+" + (code - 0x918).ToString(CultureInfo.InvariantCulture), "a session is not loaded"),
        NvRate => ("TPM_RC_NV_RATE", "it limits how often NV memory is written"),
        Lockout => ("TPM_RC_LOCKOUT", "too many wrong authorisations: it is locked against guessing. Wait until the lockout ends, or reset it with the lockout authorisation"),
        Retry => ("TPM_RC_RETRY", "it is not ready and asks for the command once more"),
        0x923 => ("TPM_RC_NV_UNAVAILABLE", "NV memory cannot be written now"),
        >= 0x1000 => ("not the TPM's own code", "a layer in front of the TPM refused"),
        >= Warning => ("warning", "a warning of TPM 2.0 Library part 2, 6.6.3"),
        _ => ("error", "see TPM 2.0 Library part 2, 6.6.3"),
    };
}

namespace Cloister.Client.Pkcs11;

/// <summary>Why a token did not serve. Numbers are stable and append-only.</summary>
public enum Pkcs11Error
{
    /// <summary>The configuration is not one.</summary>
    ConfigurationMalformed = 400,

    /// <summary>The module is not there, or is no PKCS#11 library.</summary>
    ModuleMissing = 401,

    /// <summary>No token is as the configuration says, or several are.</summary>
    TokenNotFound = 402,

    /// <summary>The token does not take the PIN, or wants one.</summary>
    LoginRefused = 403,

    /// <summary>No key or certificate is as it was named, or several are.</summary>
    ObjectNotFound = 404,

    /// <summary>The key or certificate is of a kind that cannot be used for this.</summary>
    ObjectNotSuitable = 405,

    /// <summary>The token refused an operation.</summary>
    OperationRefused = 406,

    /// <summary>This system cannot use a token's key for TLS.</summary>
    TlsNotSupported = 407,
}

/// <summary>A token that did not serve.</summary>
public sealed class Pkcs11Exception : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="error">The stable number.</param>
    /// <param name="message">What happened and what to do; never a secret.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public Pkcs11Exception(Pkcs11Error error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable number of the cause.</summary>
    public Pkcs11Error Error { get; }

    /// <summary>What the token returned (CKR_...), where it did.</summary>
    public ulong? ReturnValue { get; init; }
}

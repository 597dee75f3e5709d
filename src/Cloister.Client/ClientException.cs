namespace Cloister.Client;

/// <summary>Why a call did not succeed. Numbers are stable and append-only; 1xx connection, 2xx answer, 3xx refused by the server, 4xx what is to be asked.</summary>
public enum ClientError
{
    /// <summary>No connection, or it broke.</summary>
    Unreachable = 100,

    /// <summary>No answer in time.</summary>
    Timeout = 101,

    /// <summary>The peer's TLS key is not the one that was verified.</summary>
    PeerKeyChanged = 102,

    /// <summary>The answer is larger than its bound.</summary>
    AnswerTooLarge = 200,

    /// <summary>The answer is not the document that was asked for.</summary>
    AnswerMalformed = 201,

    /// <summary>An encrypted answer is not bound to what was asked: changed on its way, or somebody else's.</summary>
    AnswerNotBound = 202,

    /// <summary>An encrypted model is not the pinned one, or its description asks a client for what it must not do.</summary>
    ModelRefused = 203,

    /// <summary>The model is not in the mode that is wanted, or in parts where nobody said that this is; nothing was sent.</summary>
    ModeRefused = 204,

    /// <summary>The server refused the request; the message is the server's.</summary>
    RefusedByServer = 300,

    /// <summary>A row cannot be asked: a feature is absent, not finite, or out of range where that is not allowed.</summary>
    RowRefused = 400,
}

/// <summary>A call that did not succeed for a reason other than attestation (that is <see cref="PeerRefusedException"/>).</summary>
public sealed class ClientException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="error">The stable number.</param>
    /// <param name="message">What happened, why, and what to do next; never a secret.</param>
    /// <param name="inner">The cause, if another exception is.</param>
    public ClientException(ClientError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable number of the cause.</summary>
    public ClientError Error { get; }

    /// <summary>With <see cref="ClientError.RefusedByServer"/>: the HTTP status.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>With <see cref="ClientError.RefusedByServer"/>: the server's own code, where it sent one.</summary>
    public string? ServerCode { get; init; }
}

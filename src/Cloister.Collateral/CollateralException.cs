namespace Cloister.Collateral;

/// <summary>Why collateral is not to be had. Numbers are stable and append-only: 1xx asking, 2xx the way, 3xx the answer, 4xx keeping.</summary>
public enum CollateralError
{
    /// <summary>This source does not have this kind of collateral.</summary>
    NotServed = 100,

    /// <summary>The source has nothing by this name.</summary>
    NotFound = 101,

    /// <summary>No connection, or it broke.</summary>
    Unreachable = 200,

    /// <summary>The answer took longer than allowed.</summary>
    TimedOut = 201,

    /// <summary>The service asks for more patience than allowed, or too many requests wait already.</summary>
    RateLimited = 202,

    /// <summary>The service failed, or answered with a status that was not expected; a redirection is one of them.</summary>
    ServiceFailed = 203,

    /// <summary>The answer is larger than anything of its kind.</summary>
    TooLarge = 300,

    /// <summary>The answer is not what was asked for, or cannot be read.</summary>
    Malformed = 301,

    /// <summary>What is there is out of date.</summary>
    OutOfDate = 302,

    /// <summary>A file in the folder cannot be read or written.</summary>
    Storage = 400,
}

/// <summary>Collateral is not to be had. The text says what happened and what to do next.</summary>
public sealed class CollateralException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="error">The stable reason.</param>
    /// <param name="message">What happened and what to do next.</param>
    /// <param name="inner">The platform's own exception, if one was the cause.</param>
    public CollateralException(CollateralError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>The stable reason.</summary>
    public CollateralError Error { get; }
}

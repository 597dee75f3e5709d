namespace Cloister.Protocol;

/// <summary>Why a document or message of the protocol was refused. Numbers are stable and never reused.</summary>
public enum ProtocolError
{
    /// <summary>Larger than its bound.</summary>
    TooLarge = 100,
    /// <summary>Not JSON, or JSON that does not have the document's members: unknown, missing, repeated or of another type.</summary>
    NotTheDocument = 101,
    /// <summary>A member's value is out of range or badly encoded.</summary>
    BadValue = 102,

    /// <summary>A template's syntax is wrong.</summary>
    TemplateSyntax = 200,
    /// <summary>A template uses a construct or function that is not known.</summary>
    TemplateUnknown = 201,
    /// <summary>A template names data that does not exist.</summary>
    TemplateMissingData = 202,
    /// <summary>A function was given data it cannot write.</summary>
    TemplateWrongType = 203,
    /// <summary>A template, or what it writes, is over its bound.</summary>
    TemplateTooLarge = 204,
    /// <summary>A template needs a secret whose value is not set yet.</summary>
    TemplateSecretUnset = 205,
    /// <summary>A template nests, or calls templates, deeper than its bound.</summary>
    TemplateTooDeep = 206,
    /// <summary>A template takes more steps than its bound.</summary>
    TemplateTooLong = 207,

    /// <summary>A certificate template asks for what cannot be made.</summary>
    CertificateTemplateWrong = 300,
}

/// <summary>A document or message from outside was refused. The text says what was wrong and where; it never holds a secret.</summary>
public sealed class ProtocolException : Exception
{
    /// <summary>Makes a refusal.</summary>
    /// <param name="error">Its number.</param>
    /// <param name="field">The member or place, for example <c>secrets.key.Key</c>; may be empty.</param>
    /// <param name="reason">What is wrong, for a person.</param>
    /// <param name="inner">What caused it.</param>
    public ProtocolException(ProtocolError error, string field, string reason, Exception? inner = null)
        : base(field.Length == 0 ? reason : $"{field}: {reason}", inner)
    {
        Error = error;
        Field = field;
        Reason = reason;
    }

    /// <summary>Its number.</summary>
    public ProtocolError Error { get; }

    /// <summary>The member or place.</summary>
    public string Field { get; }

    /// <summary>What is wrong, for a person.</summary>
    public string Reason { get; }
}

using System.Collections.Immutable;

namespace Cloister.Protocol.Templates;

/// <summary>Where a template stands; it decides which functions there are.</summary>
public enum TemplateKind
{
    /// <summary>A file: <c>pem hex raw base64</c>.</summary>
    File = 1,
    /// <summary>An environment variable: <c>pem hex base64 string</c>.</summary>
    Env = 2,
}

/// <summary>A parsed template.</summary>
public sealed class Template
{
    private Template() { }

    /// <summary>Parses a template.</summary>
    /// <exception cref="ProtocolException">Its syntax is wrong or unknown.</exception>
    public static Template Parse(ReadOnlySpan<byte> text, TemplateKind kind) => throw new NotImplementedException();

    /// <summary>Names of the secrets it uses, each once, in order of appearance.</summary>
    public ImmutableArray<string> Secrets { get; } = [];

    /// <summary>Renders it. The caller owns the bytes, which may be secret.</summary>
    /// <exception cref="ProtocolException">It names data that is not there or that a function cannot write.</exception>
    public byte[] Render(TemplateData data) => throw new NotImplementedException();
}

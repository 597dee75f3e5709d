using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Cloister.Protocol.Templates;

/// <summary>Where a template stands; it decides which functions there are.</summary>
public enum TemplateKind
{
    /// <summary>A file: <c>pem hex raw base64</c>.</summary>
    File = 1,
    /// <summary>An environment variable: <c>pem hex base64 string</c>.</summary>
    Env = 2,
}

/// <summary>
/// A parsed template: text with actions <c>{{ function .MarbleRun.X.Y }}</c> and <c>{{ function .Secrets.name }}</c>, a subset of
/// Go's text/template (docs/formats/manifest.md, "Templates"). Anything else is refused when it is parsed.
/// </summary>
public sealed class Template
{
    /// <summary>Largest template in bytes.</summary>
    public const int MaxBytes = 1 << 20;
    /// <summary>Most actions in one template.</summary>
    public const int MaxActions = 1000;
    /// <summary>Largest rendered content in bytes.</summary>
    public const int MaxRenderedBytes = 8 << 20;

    private readonly ImmutableArray<TemplatePart> _parts;

    private Template(ImmutableArray<TemplatePart> parts)
    {
        _parts = parts;
        SecretsNamed = new([.. parts.Where(part => part.Action?.Secret is not null).Select(part => part.Action!.Secret!).Distinct(StringComparer.Ordinal)], All: false);
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="ProtocolException">Its syntax is wrong, or it uses what this subset does not know; the text says which and on which line.</exception>
    public static Template Parse(ReadOnlySpan<byte> text, TemplateKind kind)
    {
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind));
        return new Template(new TemplateParser(text, kind).Parse());
    }

    /// <summary>The secrets whose values it can read.</summary>
    public TemplateSecretNames SecretsNamed { get; }

    /// <summary>The secrets of before the last rotation whose values it can read.</summary>
    public TemplateSecretNames PreviousSecretsNamed { get; } = TemplateSecretNames.None;

    /// <summary>Whether it writes the marble's own private key, which in Cloister's mode only the workload has.</summary>
    public bool UsesMarbleKey => _parts.Any(part => part.Action is { Root: TemplateRoot.MarbleCertificate, Member: TemplateMember.Private });

    /// <summary>Renders it. The caller owns the bytes, which may be secret, and clears them.</summary>
    /// <exception cref="ProtocolException">It names data that is not there or not set yet, or that its function cannot write.</exception>
    public byte[] Render(TemplateData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var pieces = new List<(ReadOnlyMemory<byte> Text, byte[]? Secret)>(_parts.Length);
        try
        {
            long size = 0;
            foreach (TemplatePart part in _parts)
            {
                byte[]? written = part.Action is { } action ? TemplateFunctions.Apply(action, data) : null;
                pieces.Add((part.Text, written));
                size += written?.Length ?? part.Text.Length;
                if (size > MaxRenderedBytes) throw new ProtocolException(ProtocolError.TemplateTooLarge, "template", $"writes more than {MaxRenderedBytes} bytes.");
            }
            byte[] rendered = new byte[size];
            int at = 0;
            foreach ((ReadOnlyMemory<byte> text, byte[]? secret) in pieces)
            {
                ReadOnlySpan<byte> piece = secret ?? text.Span;
                piece.CopyTo(rendered.AsSpan(at));
                at += piece.Length;
            }
            return rendered;
        }
        finally
        {
            foreach ((_, byte[]? secret) in pieces) CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Fuzz target: the first byte picks the kind, the rest is a template.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        try
        {
            Template template = Parse(data[1..], (data[0] & 1) == 0 ? TemplateKind.File : TemplateKind.Env);
            byte[] key = [1, 2, 3];
            template.Render(new TemplateData
            {
                MarbleRoot = key,
                CoordinatorRoot = key,
                CoordinatorIntermediate = key,
                MarbleCertificate = new TemplateSecret("cert-ecdsa", key, key, key),
                Secrets = new TemplateSecrets(template.SecretsNamed.Names.Select(name => KeyValuePair.Create(name, TemplateSecret.OfKey("plain", key)))),
            });
        }
        catch (ProtocolException)
        {
            // The documented refusal.
        }
    }
}

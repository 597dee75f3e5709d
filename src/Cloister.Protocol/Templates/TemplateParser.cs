using System.Collections.Immutable;
using System.Text;

namespace Cloister.Protocol.Templates;

/// <summary>Cuts a template into text and actions. Delimiters, white space and trim markers follow Go's text/template.</summary>
internal ref struct TemplateParser(ReadOnlySpan<byte> text, TemplateKind kind)
{
    private static readonly string[] s_fileFunctions = ["pem", "hex", "raw", "base64"];
    private static readonly string[] s_envFunctions = ["pem", "hex", "base64", "string"];

    private readonly ReadOnlySpan<byte> _text = text;
    private readonly string[] _functions = kind == TemplateKind.File ? s_fileFunctions : s_envFunctions;

    public readonly ImmutableArray<TemplatePart> Parse()
    {
        if (_text.Length > Template.MaxBytes)
            throw new ProtocolException(ProtocolError.TemplateTooLarge, "template", $"has {_text.Length} bytes; the limit is {Template.MaxBytes}.");
        ImmutableArray<TemplatePart>.Builder parts = ImmutableArray.CreateBuilder<TemplatePart>();
        int at = 0, line = 1, actions = 0;
        bool trimNext = false;
        while (true)
        {
            int open = _text[at..].IndexOf("{{"u8);
            ReadOnlySpan<byte> before = open < 0 ? _text[at..] : _text.Slice(at, open);
            line += before.Count((byte)'\n');
            if (trimNext) before = before.TrimStart(" \t\r\n"u8);
            if (open < 0)
            {
                AddText(parts, before);
                return parts.ToImmutable();
            }
            at += open + 2;
            if (++actions > Template.MaxActions) throw Error(line, ProtocolError.TemplateTooLarge, $"more than {Template.MaxActions} actions");
            int close = _text[at..].IndexOf("}}"u8);
            if (close < 0) throw Error(line, ProtocolError.TemplateSyntax, "unclosed action");
            ReadOnlySpan<byte> inside = _text.Slice(at, close);
            at += close + 2;

            // A trim marker is a minus with white space between it and the action's content.
            if (inside.Length >= 2 && inside[0] == '-' && IsSpace(inside[1]))
            {
                before = before.TrimEnd(" \t\r\n"u8);
                inside = inside[1..];
            }
            trimNext = inside.Length >= 2 && inside[^1] == '-' && IsSpace(inside[^2]);
            AddText(parts, before);
            parts.Add(new TemplatePart(default, Action(trimNext ? inside[..^1] : inside, line)));
            line += inside.Count((byte)'\n');
        }
    }

    private static void AddText(ImmutableArray<TemplatePart>.Builder parts, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty) parts.Add(new TemplatePart(text.ToArray(), null));
    }

    private readonly TemplateAction Action(ReadOnlySpan<byte> inside, int line)
    {
        string[] words = Encoding.UTF8.GetString(inside).Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) throw Error(line, ProtocolError.TemplateSyntax, "missing value for command");
        string function = words[0];
        if (!_functions.Contains(function))
        {
            string offered = string.Join(", ", _functions);
            throw IsIdentifier(function) && function is not ("if" or "else" or "end" or "range" or "with" or "define" or "block" or "template" or "break" or "continue")
                ? Error(line, ProtocolError.TemplateUnknown, $"function \"{Shown(function)}\" not defined; there are {offered}")
                : Error(line, ProtocolError.TemplateUnknown, $"'{Shown(function)}' is not supported: an action is one of {offered} and the data it writes");
        }
        if (words.Length != 2) throw Error(line, ProtocolError.TemplateSyntax, $"wrong number of args for {function}: want 1 got {words.Length - 1}");
        return Resolve(function, words[1], line);
    }

    private static TemplateAction Resolve(string function, string source, int line)
    {
        string[] path = source.Split('.');
        if (path.Length < 2 || path[0].Length != 0 || path[1..].Any(name => !IsIdentifier(name)))
            throw Error(line, ProtocolError.TemplateSyntax, $"'{Shown(source)}' is not supported as data: write .Secrets.name or .MarbleRun.RootCA.Cert");
        return path[1] switch
        {
            "Secrets" when path.Length is 3 => new(function, TemplateRoot.Secret, path[2], TemplateMember.Whole, line, source),
            "Secrets" when path.Length is 4 && MemberOf(path[3]) is { } member => new(function, TemplateRoot.Secret, path[2], member, line, source),
            "MarbleRun" when path.Length is 4 && RootOf(path[2]) is { } root && MemberOf(path[3]) is { } member
                && (root == TemplateRoot.MarbleCertificate || member == TemplateMember.Certificate) => new(function, root, null, member, line, source),
            _ => throw Error(line, ProtocolError.TemplateUnknown, $"can't evaluate {Shown(source)}: the data is .Secrets.name[.Cert|.Public|.Private], .MarbleRun.MarbleCert.(Cert|Public|Private) and .MarbleRun.(RootCA|CoordinatorRoot|CoordinatorIntermediate).Cert"),
        };
    }

    private static TemplateRoot? RootOf(string name) => name switch
    {
        "RootCA" => TemplateRoot.MarbleRoot,
        "MarbleCert" => TemplateRoot.MarbleCertificate,
        "CoordinatorRoot" => TemplateRoot.CoordinatorRoot,
        "CoordinatorIntermediate" => TemplateRoot.CoordinatorIntermediate,
        _ => null,
    };

    private static TemplateMember? MemberOf(string name) => name switch
    {
        "Cert" => TemplateMember.Certificate,
        "Public" => TemplateMember.Public,
        "Private" => TemplateMember.Private,
        _ => null,
    };

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && !char.IsDigit(name[0]) && name.All(c => char.IsLetterOrDigit(c) || c == '_');

    private static bool IsSpace(byte c) => c is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    private static string Shown(string word) => word.Length <= 60 ? word : word[..60] + "...";

    private static ProtocolException Error(int line, ProtocolError error, string reason) => new(error, $"template: data:{line}", reason);
}

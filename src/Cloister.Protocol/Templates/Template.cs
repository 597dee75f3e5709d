using Cloister.Protocol.Templates.Analysis;
using Cloister.Protocol.Templates.Execution;
using Cloister.Protocol.Templates.Syntax;
using Cloister.Protocol.Templates.Values;

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
/// A parsed template in the language of Go's text/template over MarbleRun's data (docs/formats/manifest.md, "Templates").
/// It may be hostile: parsing and rendering are bounded in size, depth, steps and memory.
/// </summary>
public sealed class Template
{
    /// <summary>Largest template in bytes.</summary>
    public const int MaxBytes = 1 << 20;
    /// <summary>How deep parentheses, branches and blocks may stand in each other.</summary>
    public const int MaxNesting = 200;
    /// <summary>How deep pipelines, branches and template calls may be in each other while it is rendered.</summary>
    public const int MaxDepth = 1000;
    /// <summary>Most steps of one rendering: evaluated nodes, iterations, written elements.</summary>
    public const int MaxSteps = 2_000_000;
    /// <summary>Largest rendered content, and largest text that a function may write, in bytes.</summary>
    public const int MaxRenderedBytes = 8 << 20;
    /// <summary>Most bytes that one rendering may use for texts, in all.</summary>
    public const int MaxWorkBytes = 128 << 20;

    private readonly ParsedTemplate _parsed;
    private readonly FunctionTable _functions;

    private Template(ParsedTemplate parsed, FunctionTable functions)
    {
        (_parsed, _functions) = (parsed, functions);
        SecretUse use = SecretUseAnalysis.Of(parsed);
        (SecretsNamed, PreviousSecretsNamed, UsesMarbleKey) = (use.Current, use.Previous, use.MarbleKey);
    }

    /// <summary>Parses a template.</summary>
    /// <exception cref="ProtocolException">Its syntax is wrong, it names a function that is not there, or it is over a bound; the text is Go's, with the line.</exception>
    public static Template Parse(ReadOnlySpan<byte> text, TemplateKind kind)
    {
        if (!Enum.IsDefined(kind)) throw new ArgumentOutOfRangeException(nameof(kind));
        if (text.Length > MaxBytes)
            throw new ProtocolException(ProtocolError.TemplateTooLarge, "template", $"has {text.Length} bytes; the limit is {MaxBytes}.");
        FunctionTable functions = FunctionTable.Of(kind);
        return new Template(TemplateParser.Parse(text.ToArray(), functions.Names), functions);
    }

    /// <summary>The secrets whose values it can read.</summary>
    public TemplateSecretNames SecretsNamed { get; }

    /// <summary>The secrets of before the last rotation whose values it can read.</summary>
    public TemplateSecretNames PreviousSecretsNamed { get; }

    /// <summary>Whether it can read the marble's own private key, which in Cloister's mode only the workload has.</summary>
    public bool UsesMarbleKey { get; }

    /// <summary>Renders it. The caller owns the bytes, which may be secret, and clears them.</summary>
    /// <exception cref="ProtocolException">It names data that is not there or not set yet, gives a function what it cannot take, or is over a bound.</exception>
    public byte[] Render(TemplateData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        using var budget = new WorkBudget();
        return Render(data, budget);
    }

    internal byte[] Render(TemplateData data, WorkBudget budget) => TemplateEvaluator.Run(_parsed, _functions, SecretValues.Root(data), budget);

    /// <summary>Fuzz target: the first byte picks the kind, the rest is a template. What it renders it must render again.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        try
        {
            Template template = Parse(data[1..], (data[0] & 1) == 0 ? TemplateKind.File : TemplateKind.Env);
            byte[] key = [1, 2, 3];
            var asked = new HashSet<string>(StringComparer.Ordinal);
            var secrets = new TemplateSecrets(((string[])["key", "plain", "cert"]).Select(name => KeyValuePair.Create(name, new TemplateSecret(name == "key" ? "symmetric-key" : "plain", () =>
            {
                asked.Add(name);
                return new TemplateSecretValue(default, key, key);
            }))));
            byte[] rendered = template.Render(new TemplateData
            {
                MarbleRoot = key,
                CoordinatorRoot = key,
                CoordinatorIntermediate = key,
                MarbleCertificate = new TemplateSecret("", key, key, key),
                Secrets = secrets,
            });
            if (rendered.Length > MaxRenderedBytes || (!template.SecretsNamed.All && asked.Except(template.SecretsNamed.Names).Any()))
                throw new InvalidOperationException("A template wrote too much, or read a secret that its text was not seen to name.");
        }
        catch (ProtocolException)
        {
            // The documented refusal.
        }
    }
}

using System.Security.Cryptography;
using Cloister.Protocol.Templates;
using Cloister.Protocol.Templates.Execution;

namespace Cloister.Protocol.Manifest;

/// <summary>MarbleRun's dry run: every template is rendered once with placeholders of the right types.</summary>
internal static class TemplateChecks
{
    /// <summary>How many templates at their bounds a manifest may have: whoever sets it makes the coordinator run them all.</summary>
    internal const int MaxCostlyTemplates = 8;

    private const int MaxPlaceholder = 1 << 20;

    // Neither empty nor with a NUL: no function refuses it for its content.
    private static readonly byte[] s_placeholder = [0x41];

    public static void Check(ManifestDocument manifest, ManifestProblems problems, IReadOnlyDictionary<string, TemplateSecretValue>? known = null)
    {
        TemplateData data = Placeholders(manifest, known);
        long steps = (long)MaxCostlyTemplates * Template.MaxSteps, bytes = (long)MaxCostlyTemplates * Template.MaxWorkBytes;
        foreach ((string name, ManifestMarble marble) in manifest.Marbles)
        {
            foreach ((string path, ManifestContent content) in marble.Parameters.Files)
                CheckOne(content, TemplateKind.File, $"Marbles.{name}.Parameters.Files.{path}", $"in Marble {name}: file {path}: ", data, problems, ref steps, ref bytes);
            foreach ((string variable, ManifestContent content) in marble.Parameters.Env)
            {
                string at = $"Marbles.{name}.Parameters.Env.{variable}", place = $"in Marble {name}: env variable {variable}: ";
                if (content.Data.Span.Contains((byte)0))
                    problems.Add(ManifestProblemCode.TemplateWrong, at, $"running manifest template dry run: {place}content contains null bytes");
                else
                    CheckOne(content, TemplateKind.Env, at, place, data, problems, ref steps, ref bytes);
            }
        }
    }

    private static void CheckOne(ManifestContent content, TemplateKind kind, string field, string place, TemplateData data, ManifestProblems problems, ref long steps, ref long bytes)
    {
        if (content.NoTemplates) return;
        using var budget = new WorkBudget(Math.Min(steps, Template.MaxSteps), Math.Min(bytes, Template.MaxWorkBytes));
        try
        {
            Template template = Template.Parse(content.Data.Span, kind);
            if (problems.IsCloister && template.UsesMarbleKey)
            {
                problems.Add(ManifestProblemCode.TemplateWrong, field, $"{place}the workload's private key never leaves it, so the coordinator cannot write it; use the variable MARBLE_PREDEFINED_PRIVATE_KEY, which the workload sets");
                return;
            }
            CryptographicOperations.ZeroMemory(template.Render(data, budget));
        }
        catch (ProtocolException error)
        {
            ManifestProblemCode code = error.Error == ProtocolError.TemplateMissingData && problems.IsCloister
                ? ManifestProblemCode.TemplateSecretMissing
                : ManifestProblemCode.TemplateWrong;
            problems.Add(code, field, $"running manifest template dry run: {place}{error.Message}");
        }
        finally
        {
            steps -= Math.Min(steps, Template.MaxSteps) - Math.Max(0, budget.Steps);
            bytes -= Math.Min(bytes, Template.MaxWorkBytes) - Math.Max(0, budget.Bytes);
        }
    }

    private static TemplateData Placeholders(ManifestDocument manifest, IReadOnlyDictionary<string, TemplateSecretValue>? known)
    {
        var secrets = new TemplateSecrets(manifest.Secrets.Select(entry => KeyValuePair.Create(entry.Key, Placeholder(entry.Value, known?.GetValueOrDefault(entry.Key)))));
        return new TemplateData
        {
            MarbleRoot = s_placeholder,
            CoordinatorRoot = s_placeholder,
            CoordinatorIntermediate = s_placeholder,
            MarbleCertificate = new TemplateSecret("", s_placeholder, s_placeholder, s_placeholder),
            Secrets = secrets,
            PreviousSecrets = secrets,
        };
    }

    // MarbleRun has one byte for what a user uploads, and makes what is generated: its size is what a template may rely on.
    private static TemplateSecret Placeholder(ManifestSecret secret, TemplateSecretValue? known) => new(secret.Type, () => known ?? Value(secret))
    {
        Size = secret.Size,
        Shared = secret.Shared,
        UserDefined = secret.UserDefined,
        ValidFor = secret.ValidFor,
    };

    private static TemplateSecretValue Value(ManifestSecret secret)
    {
        if (secret.UserDefined || secret.Type == ManifestSecretTypes.Plain) return new(s_placeholder, s_placeholder, s_placeholder);
        if (secret.Type != ManifestSecretTypes.SymmetricKey) return PlaceholderCertificate.Make();
        byte[] key = new byte[Math.Min(secret.Size / 8, MaxPlaceholder)];
        key.AsSpan().Fill(s_placeholder[0]);
        return new(default, key, key);
    }
}

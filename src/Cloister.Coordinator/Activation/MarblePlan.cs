using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Protocol;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// What a marble type receives, prepared once per manifest: templates are parsed, and the secrets they use are known,
/// so that an activation makes no key that nothing asks for.
/// </summary>
internal sealed class MarblePlan
{
    private MarblePlan(string type, ManifestMarble marble, ManifestDocument manifest)
    {
        (Type, Marble) = (type, marble);
        Files = [.. marble.Parameters.Files.Select(file => PlannedContent.Of(file.Key, file.Value, TemplateKind.File))];
        Env = [.. marble.Parameters.Env.Select(variable => PlannedContent.Of(variable.Key, variable.Value, TemplateKind.Env))];
        Models = [.. marble.Models.Select(name => new GrantedModel(name, manifest.Models[name]))];
        Callers = [.. manifest.Callers
            .Select(caller => new GrantedCaller(caller.Key, caller.Value, [.. caller.Value.Models.Where(model => marble.Models.Contains(model))]))
            .Where(caller => !caller.Models.IsEmpty || (!caller.Caller.Administers.IsEmpty && !marble.Models.IsEmpty))];
        AnonymousModels = [.. manifest.AnonymousModels.Where(model => marble.Models.Contains(model))];
        AnonymousQuota = manifest.AnonymousQuota;
        TokenIssuers = [.. manifest.TokenIssuers.Where(issuer => Callers.Any(caller => caller.Caller.Token?.Issuer == issuer.Key))];
        Secrets = [.. Files.Concat(Env).SelectMany(content => content.Template?.SecretsNamed.Names ?? []).Concat(Models.Select(model => model.Model.Secret))
            .Concat(marble.Tls.SelectMany(tag => manifest.Tls[tag].Incoming).Select(connection => connection.Cert))
            .Where(manifest.Secrets.ContainsKey).Distinct(StringComparer.Ordinal)];
    }

    public string Type { get; }

    public ManifestMarble Marble { get; }

    public ImmutableArray<PlannedContent> Files { get; }

    public ImmutableArray<PlannedContent> Env { get; }

    public ImmutableArray<GrantedModel> Models { get; }

    /// <summary>Callers of these models, each with those of them that it may call.</summary>
    public ImmutableArray<GrantedCaller> Callers { get; }

    public ImmutableArray<string> AnonymousModels { get; }

    public ManifestQuota? AnonymousQuota { get; }

    /// <summary>Those that its callers name.</summary>
    public ImmutableArray<KeyValuePair<string, ManifestTokenIssuer>> TokenIssuers { get; }

    /// <summary>Every secret that has to have a value before this marble can be activated.</summary>
    public ImmutableArray<string> Secrets { get; }

    /// <summary>Plans all marbles of a manifest.</summary>
    /// <exception cref="ProtocolException">A template cannot be read.</exception>
    public static FrozenDictionary<string, MarblePlan> PlanAll(ManifestDocument manifest) =>
        manifest.Marbles.ToFrozenDictionary(marble => marble.Key, marble => new MarblePlan(marble.Key, marble.Value, manifest), StringComparer.Ordinal);
}

/// <summary>A file or variable: literal bytes, or a template.</summary>
internal sealed record PlannedContent(string Name, ReadOnlyMemory<byte> Literal, Template? Template)
{
    public static PlannedContent Of(string name, ManifestContent content, TemplateKind kind)
    {
        if (content.NoTemplates)
            return new(name, content.Data, null);
        try
        {
            return new(name, content.Data, Template.Parse(content.Data.Span, kind));
        }
        catch (ProtocolException error)
        {
            throw new ProtocolException(error.Error, $"{kind} '{name}'", error.Message, error);
        }
    }
}

/// <summary>A model that the marble may open.</summary>
internal sealed record GrantedModel(string Name, ManifestModel Model);

/// <summary>A caller and those of the marble's models that it may call.</summary>
internal sealed record GrantedCaller(string Name, ManifestCaller Caller, ImmutableArray<string> Models);

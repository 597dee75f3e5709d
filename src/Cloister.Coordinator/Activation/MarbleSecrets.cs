using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Activation;

/// <summary>
/// The secrets of one marble in one activation. A value is looked up or made when a template first reads it, kept until the activation
/// is answered, and what was made for it is zeroed then.
/// </summary>
internal sealed class MarbleSecrets(CoordinatorSnapshot snapshot, MarblePlan plan, Guid uuid, bool previous, DateTimeOffset now) : ITemplateSecrets, IDisposable
{
    private readonly ManifestDocument _manifest = snapshot.Manifest!.Document;
    private readonly Dictionary<string, TemplateSecret> _met = new(StringComparer.Ordinal);
    private readonly List<SecretMaterial> _made = [];

    /// <summary>How many values were made so far.</summary>
    public int Made => _made.Count;

    public IReadOnlyCollection<string> Names { get; } = [.. snapshot.Manifest!.Document.Secrets.Keys];

    public bool TryGet(string name, [NotNullWhen(true)] out TemplateSecret? secret)
    {
        if (_met.TryGetValue(name, out secret)) return true;
        if (!_manifest.Secrets.TryGetValue(name, out ManifestSecret? definition)) return false;
        secret = new TemplateSecret(definition.Type, () => Value(name, definition))
        {
            Size = definition.Size,
            Shared = definition.Shared,
            UserDefined = definition.UserDefined,
            ValidFor = definition.ValidFor,
        };
        _met.Add(name, secret);
        return true;
    }

    private TemplateSecretValue? Value(string name, ManifestSecret definition)
    {
        SecretMaterial? value = definition.UserDefined || definition.Shared ? Stored(name) : Make(name, definition);
        return value is null ? null : new(value.Certificate, value.Public, value.Private);
    }

    private SecretMaterial Make(string name, ManifestSecret definition)
    {
        SecretMaterial made = SecretCertificate.IsType(definition.Type)
            ? SecretCertificate.Make(name, definition, snapshot.Authority, now)
            : SecretMaterial.OfKey(SecretDerivation.PerMarble(RootSecret.Span, uuid, name, plan.Marble.DisableSecretBinding ? "" : plan.Type, definition.Size));
        _made.Add(made);
        return made;
    }

    // Where nothing was rotated yet, MarbleRun has the same values before as now. What is withheld is withheld under either name.
    private SecretMaterial? Stored(string name) =>
        previous && !snapshot.Withheld.ContainsKey(name) && snapshot.PreviousSecrets.TryGetValue(name, out SecretMaterial? before) ? before : snapshot.Granted(name);

    public void Dispose()
    {
        foreach (SecretMaterial made in _made)
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsMemory(made.Private).Span);
        _made.Clear();
        _met.Clear();
    }

    private ReadOnlyMemory<byte> RootSecret => previous && !snapshot.PreviousRootSecret.IsEmpty ? snapshot.PreviousRootSecret : snapshot.RootSecret;
}

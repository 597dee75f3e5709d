using System.Collections.Immutable;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Update;

/// <summary>What becomes of the state when a manifest takes the place of another.</summary>
internal static class Succession
{
    /// <param name="current">What is in force.</param>
    /// <param name="fresh">Made for the new manifest.</param>
    /// <param name="now">For the update log.</param>
    public static CoordinatorSnapshot Apply(CoordinatorSnapshot current, FreshMaterial fresh, DateTimeOffset now)
    {
        ManifestInForce after = fresh.Manifest;
        bool rotate = after.Document.Config.RotateRootSecret;
        var (secrets, previous) = Secrets(current, fresh, rotate);
        CoordinatorSnapshot next = fresh.Recovery.Apply(current) with
        {
            Manifest = after,
            Authority = fresh.Authority,
            Pending = null,
            RootSecret = rotate ? fresh.RootSecret : current.RootSecret,
            PreviousRootSecret = rotate ? current.RootSecret : current.PreviousRootSecret,
            Secrets = secrets,
            PreviousSecrets = previous,
            SecurityVersions = Floors(current, after),
            UpdateLog = current.UpdateLog.Add(UpdateLog.ManifestUpdated(now, after.Fingerprint)),
        };
        return SecretReach.StateOpensWider(current.Manifest!.Document, after.Document) ? Forget(next, now) : Withhold(current, next, now);
    }

    // As MarbleRun does: a symmetric key and a user's secret stay while their definition does, certificates are made anew since the
    // intermediate is, and what was replaced under the same definition is the previous one.
    private static (ImmutableDictionary<string, SecretMaterial> Secrets, ImmutableDictionary<string, SecretMaterial> Previous) Secrets(
        CoordinatorSnapshot current, FreshMaterial fresh, bool rotate)
    {
        var secrets = current.Secrets.Clear().ToBuilder();
        var previous = current.PreviousSecrets.Clear().ToBuilder();
        foreach ((string name, ManifestSecret secret) in fresh.Manifest.Document.Secrets)
        {
            SecretMaterial? old = IsSame(current.Manifest!.Document, name, secret) ? current.Secrets.GetValueOrDefault(name) : null;
            if (old is not null && current.PreviousSecrets.TryGetValue(name, out SecretMaterial? older))
                previous[name] = older;
            bool keep = secret.UserDefined || (secret.Type == ManifestSecretTypes.SymmetricKey && !rotate);
            if (old is not null && keep)
            {
                secrets[name] = old;
            }
            else if (fresh.Secrets.TryGetValue(name, out SecretMaterial? made))
            {
                secrets[name] = made;
                if (old is not null)
                    previous[name] = old;
            }
        }
        return (secrets.ToImmutable(), previous.ToImmutable());
    }

    // Whether two manifests define a secret alike, by what MarbleRun compares.
    private static bool IsSame(ManifestDocument before, string name, ManifestSecret after) =>
        before.Secrets.TryGetValue(name, out ManifestSecret? old) && old.Type == after.Type && old.Size == after.Size && old.Shared == after.Shared
        && old.UserDefined == after.UserDefined && old.ValidFor == after.ValidFor;

    // MarbleRun takes the new manifest's word for every package. Cloister's mode keeps what an update has raised, as long as the package
    // is the same: a manifest that was written before the raise must not undo it unnoticed.
    private static ImmutableDictionary<string, ulong> Floors(CoordinatorSnapshot current, ManifestInForce after) => after.Dialect == ManifestDialect.MarbleRun
        ? current.SecurityVersions.Clear()
        : current.SecurityVersions.RemoveRange(current.SecurityVersions.Keys.Where(name =>
            !after.Document.Packages.TryGetValue(name, out ManifestPackage? now)
            || current.Manifest!.Document.Packages[name] is var old && (old.UniqueId != now.UniqueId || old.SignerId != now.SignerId || old.ProductId != now.ProductId)));

    // Who may open the state has it as it is written now: a word of the owner would come too late, so what was released goes.
    private static CoordinatorSnapshot Forget(CoordinatorSnapshot next, DateTimeOffset now)
    {
        string[] released = [.. next.Releases.Keys.Order(StringComparer.Ordinal)];
        return next with
        {
            Secrets = next.Secrets.RemoveRange(released),
            Releases = next.Releases.Clear(),
            Withheld = next.Withheld.Clear(),
            UpdateLog = next.UpdateLog.AddRange(released.Select(name => UpdateLog.SecretForgotten(now, name, next.Manifest!.Fingerprint))),
        };
    }

    // Unless the owner has verified this very manifest already.
    private static CoordinatorSnapshot Withhold(CoordinatorSnapshot current, CoordinatorSnapshot next, DateTimeOffset now)
    {
        string fingerprint = next.Manifest!.Fingerprint;
        var releases = next.Releases.RemoveRange(next.Releases.Keys.Where(name => !next.Secrets.ContainsKey(name)));
        string[] withheld = [.. releases
            .Where(release => release.Value.Fingerprint != fingerprint && (current.Withheld.ContainsKey(release.Key) || SecretReach.IsWider(current, next, release.Key)))
            .Select(release => release.Key).Order(StringComparer.Ordinal)];
        return next with
        {
            Releases = releases,
            Withheld = next.Withheld.Clear().AddRange(withheld.Select(name => KeyValuePair.Create(name, fingerprint))),
            UpdateLog = next.UpdateLog.AddRange(withheld.Select(name => UpdateLog.SecretWithheld(now, name, fingerprint))),
        };
    }
}

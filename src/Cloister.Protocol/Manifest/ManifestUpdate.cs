using System.Collections.Immutable;

namespace Cloister.Protocol.Manifest;

/// <summary>What an update of one package asks for.</summary>
/// <param name="SecurityVersion">The smallest security version from now on; null where the update does not say.</param>
/// <param name="NamesMore">Whether it names anything that only a new manifest may change.</param>
public sealed record PackageRaise(ulong? SecurityVersion, bool NamesMore);

/// <summary>
/// A manifest that was sent as an update. One that has packages and nothing else raises their security versions and leaves the
/// manifest as it is; any other is to take the place of the one in force.
/// </summary>
public sealed class ManifestUpdate
{
    private ManifestUpdate(ImmutableSortedDictionary<string, PackageRaise>? packages, ManifestOutcome manifest) => (Packages, Manifest) = (packages, manifest);

    /// <summary>By package: what to raise; null where the whole manifest is to be replaced, or cannot be decoded.</summary>
    public ImmutableSortedDictionary<string, PackageRaise>? Packages { get; }

    /// <summary>The bytes read as a whole manifest. Of an update of packages it is refused, since it defines no marble; its fingerprint holds.</summary>
    public ManifestOutcome Manifest { get; }

    /// <summary>Whether the bytes are no manifest at all: <see cref="Manifest"/> says why.</summary>
    public bool IsUndecodable => Packages is null && !Manifest.IsAccepted && Manifest.Problems[0].Code < ManifestProblemCode.NoPackages;

    /// <summary>Reads an update in a dialect. It never throws on any bytes.</summary>
    public static ManifestUpdate Read(ReadOnlySpan<byte> json, ManifestDialect dialect)
    {
        ManifestOutcome manifest = ManifestReader.Read(json, dialect);
        return new ManifestUpdate(manifest.IsAccepted ? null : Raises(json, dialect), manifest);
    }

    private static ImmutableSortedDictionary<string, PackageRaise>? Raises(ReadOnlySpan<byte> json, ManifestDialect dialect)
    {
        if (ManifestReader.Decode(json, dialect) is not { } document || !HasPackagesAlone(document))
            return null;
        // MarbleRun replaces its settings only with a whole manifest, and ignores them here; Cloister does not read past them.
        if (dialect == ManifestDialect.Cloister && document.Config != new ManifestConfig())
            return null;
        return document.Packages.ToImmutableSortedDictionary(package => package.Key, package => Raise(package.Value, dialect), StringComparer.Ordinal);
    }

    private static bool HasPackagesAlone(ManifestDocument document) =>
        document.Infrastructures.IsEmpty && document.Marbles.IsEmpty && document.Users.IsEmpty && document.RecoveryKeys.IsEmpty && document.Roles.IsEmpty
        && document.Secrets.IsEmpty && document.Tls.IsEmpty && document.Models.IsEmpty && document.Callers.IsEmpty && document.AnonymousModels.IsEmpty
        && document.TokenIssuers.IsEmpty && document.AnonymousQuota is null;

    private static PackageRaise Raise(ManifestPackage package, ManifestDialect dialect)
    {
        bool more = package.Debug || !string.IsNullOrEmpty(package.UniqueId) || !string.IsNullOrEmpty(package.SignerId) || package.ProductId is not null;
        if (dialect == ManifestDialect.Cloister)
            more |= package.Policy is not null || !package.AcceptedTcbStatuses.IsEmpty || !package.AcceptedAdvisories.IsEmpty;
        return new PackageRaise(package.SecurityVersion, more);
    }

    /// <summary>Fuzz target: the first byte picks the dialect, the rest is an update.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        ManifestUpdate update = Read(data[1..], (data[0] & 1) == 0 ? ManifestDialect.MarbleRun : ManifestDialect.Cloister);
        if (update.Packages is not null && update.Manifest.IsAccepted) throw new InvalidOperationException("A whole manifest was taken for an update of packages.");
    }
}

using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Templates;

namespace Cloister.Coordinator.Update;

/// <summary>
/// Whom and what a user's secret reaches under a manifest: workload types whose parameters or models use it - with their package, all they
/// are given, and who may call the models it opens - and users who may read it. An update that leads it anywhere new has to be
/// acknowledged by its owner; one that only takes away does not.
/// </summary>
internal static class SecretReach
{
    /// <param name="before">With a manifest.</param>
    /// <param name="after">With the manifest that follows, and the security versions then in force.</param>
    /// <param name="secret">A user-defined secret of both.</param>
    public static bool IsWider(CoordinatorSnapshot before, CoordinatorSnapshot after, string secret)
    {
        ManifestInForce old = before.Manifest!, now = after.Manifest!;
        return Readers(now.Document, secret).Any(reader => !Readers(old.Document, secret).Any(known => known.Span.SequenceEqual(reader.Span)))
            || now.Plans.Values.Any(plan => Reaches(now, plan, secret)
                && !(old.Plans.TryGetValue(plan.Type, out MarblePlan? known) && Reaches(old, known, secret)
                    && IsSame(PackageInForce.Find(before, known.Marble.Package)!, PackageInForce.Find(after, plan.Marble.Package)!)
                    && IsSame(old.Document, known, now.Document, plan, secret)));
    }

    /// <summary>Whether others than before may open the state itself: by recovery, or as programs that it is sealed to.</summary>
    public static bool StateOpensWider(ManifestDocument before, ManifestDocument after) =>
        after.RecoveryKeys.Values.Except(before.RecoveryKeys.Values, StringComparer.Ordinal).Any()
        || (!after.RecoveryKeys.IsEmpty && RecoverySetup.Needed(after) < RecoverySetup.Needed(before))
        || SealedTo(after) > SealedTo(before);

    // To nobody, to this very program, or to every program of the same signer and product.
    private static int SealedTo(ManifestDocument manifest) => manifest.Config.SealMode switch { "Disabled" => 0, "UniqueKey" => 1, _ => 2 };

    private static IEnumerable<ReadOnlyMemory<byte>> Readers(ManifestDocument manifest, string secret) => manifest.Users
        .Where(user => manifest.Allows(user.Key, ManifestActions.ReadSecret, ManifestActions.Secrets, secret)).Select(user => user.Value.CertificateDer);

    private static bool Reaches(ManifestInForce manifest, MarblePlan plan, string secret) =>
        plan.Models.Any(granted => granted.Model.Secret == secret)
        || plan.Files.Concat(plan.Env).Any(content => content.Template is { } template && (Names(template.SecretsNamed, secret) || Names(template.PreviousSecretsNamed, secret)))
        || Connections(manifest.Document, plan.Marble).Any(connection => connection.Entry.Cert == secret);

    private static bool Names(TemplateSecretNames names, string secret) => names.All || names.Names.Contains(secret);

    private static bool IsSame(ManifestDocument before, MarblePlan known, ManifestDocument after, MarblePlan plan, string secret) =>
        IsSameWorkload(before, known.Marble, after, plan.Marble)
        && ModelsReachNoFurther(before, known, after, plan, secret);

    /// <summary>Whether a workload type is given the same by two manifests, its package, models and callers aside.</summary>
    internal static bool IsSameWorkload(ManifestDocument before, ManifestMarble known, ManifestDocument after, ManifestMarble marble) =>
        IsSame(before.Infrastructures, after.Infrastructures, IsSame)
        && IsSame(known.Parameters.Files, marble.Parameters.Files, IsSame)
        && IsSame(known.Parameters.Env, marble.Parameters.Env, IsSame)
        && known.Parameters.Argv.SequenceEqual(marble.Parameters.Argv, StringComparer.Ordinal)
        && Connections(before, known).SequenceEqual(Connections(after, marble));

    private static IEnumerable<(string Tag, bool Incoming, ManifestTlsEntry Entry)> Connections(ManifestDocument manifest, ManifestMarble marble) => marble.Tls
        .Where(manifest.Tls.ContainsKey)
        .SelectMany(tag => manifest.Tls[tag].Incoming.Select(entry => (tag, true, entry)).Concat(manifest.Tls[tag].Outgoing.Select(entry => (tag, false, entry))));

    // A security version that rises takes away; any other change may let another program in.
    internal static bool IsSame(ManifestPackage before, ManifestPackage after) =>
        string.Equals(before.UniqueId ?? "", after.UniqueId ?? "", StringComparison.OrdinalIgnoreCase)
        && string.Equals(before.SignerId ?? "", after.SignerId ?? "", StringComparison.OrdinalIgnoreCase)
        && before.ProductId == after.ProductId
        && (before.SecurityVersion ?? 0) <= (after.SecurityVersion ?? 0)
        && before.Debug == after.Debug
        && before.AcceptedTcbStatuses.SequenceEqual(after.AcceptedTcbStatuses)
        && before.AcceptedAdvisories.SequenceEqual(after.AcceptedAdvisories)
        && IsSame(before.Policy, after.Policy);

    private static bool IsSame(PackagePolicy? before, PackagePolicy? after) => before is null || after is null
        ? before is null && after is null
        : PolicyWriter.Write(before).AsSpan().SequenceEqual(PolicyWriter.Write(after));

    private static bool IsSame(ManifestInfrastructure before, ManifestInfrastructure after) =>
        before.CpuSvn.Span.SequenceEqual(after.CpuSvn.Span) && before.QeSvn == after.QeSvn && before.PceSvn == after.PceSvn && before.RootCa.Span.SequenceEqual(after.RootCa.Span);

    private static bool IsSame(ManifestContent before, ManifestContent after) => before.NoTemplates == after.NoTemplates && before.Data.Span.SequenceEqual(after.Data.Span);

    private static bool IsSame<T>(ImmutableSortedDictionary<string, T> before, ImmutableSortedDictionary<string, T> after, Func<T, T, bool> same) =>
        before.Count == after.Count && before.All(known => after.TryGetValue(known.Key, out T? now) && same(known.Value, now));

    // Each model that this secret opens, and each of its callers, was there before; a model or caller less, or a certificate that is now
    // revoked, takes away.
    private static bool ModelsReachNoFurther(ManifestDocument before, MarblePlan known, ManifestDocument after, MarblePlan plan, string secret)
    {
        foreach ((string name, ManifestModel model) in Opened(plan, secret))
        {
            if (!Opened(known, secret).Any(old => old.Name == name && old.Model.IsSameContent(model)))
                return false;
            if (after.AnonymousModels.Contains(name) && !before.AnonymousModels.Contains(name))
                return false;
            ManifestCaller[] callers = [.. CallersOf(known, name)];
            if (!CallersOf(plan, name).All(caller => callers.Any(old => Credential(before, old) == Credential(after, caller) && Revoked(old).IsSubsetOf(Revoked(caller)))))
                return false;
        }
        return true;
    }

    private static IEnumerable<GrantedModel> Opened(MarblePlan plan, string secret) => plan.Models.Where(granted => granted.Model.Secret == secret);

    private static IEnumerable<ManifestCaller> CallersOf(MarblePlan plan, string model) => plan.Callers.Where(caller => caller.Models.Contains(model)).Select(caller => caller.Caller);

    // With all of its issuer: other keys of an issuer, or another address of them, are other callers.
    private static string Credential(ManifestDocument manifest, ManifestCaller caller) => caller.Token is { } token
        ? $"{CallerText.Credential(caller)} by {CallerText.Issuer(manifest.TokenIssuers[token.Issuer])}"
        : CallerText.Credential(caller);

    private static HashSet<string> Revoked(ManifestCaller caller) => [.. caller.CertificateFrom?.Revoked.Select(serial => Convert.ToHexString(serial.Span)) ?? []];
}

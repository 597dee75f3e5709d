using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Maps a case of kind <c>snp</c> to the library: its files to report, endorsements and anchors, its inputs and policy to a <see cref="SnpPolicy"/>.</summary>
internal static class SnpCase
{
    private static readonly string[] Authorities = ["ask", "asvk"];

    public static CaseOutcome Run(AttestationCase one, SnpVerifier verifier)
    {
        AttestationResult result = Appraise(one.File, one.Inputs, one.Policy, one.Time, verifier);
        return new CaseOutcome(result.Checks, result.TryAccept(out Claims? claims, out _) ? claims : null);
    }

    /// <summary>Proves and judges a case.</summary>
    /// <param name="file">The bytes of a file by its role; null where the case has none.</param>
    /// <param name="inputs">The expected values.</param>
    /// <param name="policy">The case's policy.</param>
    /// <param name="time">The verifier's clock.</param>
    /// <param name="verifier">Proves.</param>
    public static AttestationResult Appraise(Func<string, byte[]?> file, JsonElement inputs, JsonElement policy, VerificationTime time, SnpVerifier verifier)
    {
        ReadOnlyMemory<byte> report = file("report") ?? [];
        if (Flag(policy, "allow_trailing") && report.Length > SnpLayout.ReportSize) report = report[..SnpLayout.ReportSize];
        bool revocation = Flag(policy, "check_revocation");
        Proof proof = verifier.ProveReport(report, Endorsements(file, revocation), Anchors(file), time, revocation);
        var appraiser = new SnpAppraiser();
        return proof.Claims is { } claims
            ? new AttestationResult([.. proof.Checks, .. appraiser.Judge(claims, Policy(inputs, policy), time)], [claims], false)
            : new AttestationResult([.. proof.Checks, .. CheckList.NotReached(appraiser.Plan)], [], false);
    }

    public static Anchors Anchors(Func<string, byte[]?> file) => file("ark") is { } ark ? new Anchors([new Anchor(TeeKind.SevSnp, "ark", ark)]) : Attestation.Anchors.Pinned;

    /// <summary>A list is looked at where the case asks for it; otherwise it is not even given.</summary>
    public static Endorsements Endorsements(Func<string, byte[]?> file, bool revocation)
    {
        var items = ImmutableArray.CreateBuilder<Endorsement>();
        if (file("vek") is { } vek) items.Add(new Endorsement(SnpEndorsements.SigningKey, vek));
        foreach (string authority in Authorities)
            if (file(authority) is { } certificate) items.Add(new Endorsement(SnpEndorsements.Authorities, certificate));
        if (revocation && file("crl") is { } list) items.Add(new Endorsement(SnpEndorsements.RevocationList, list));
        return new Endorsements(items.ToImmutable());
    }

    public static SnpPolicy Policy(JsonElement inputs, JsonElement policy)
    {
        return new SnpPolicy
        {
            AllowDebug = Flag(policy, "allow_debug"),
            AllowMigrationAgent = Flag(policy, "allow_migration"),
            AllowSmt = !policy.TryGetProperty("allow_smt", out _) || Flag(policy, "allow_smt"),
            GuestPolicy = BitRequirement.Any,
            Abi = Requirement.Any<Version>(),
            Vmpl = Number(policy, "vmpl") is { } vmpl ? Requirement.Exactly(vmpl) : Requirement.Any<long>(),
            ReportData = Input(inputs, "report_data"),
            Measurement = Input(inputs, "measurement"),
            HostData = Input(inputs, "host_data"),
            ReportedTcb = Tcb(policy),
            CommittedTcb = SnpTcbMinimum.Any,
            LaunchTcb = SnpTcbMinimum.Any,
            AllowProvisionalFirmware = Flag(policy, "allow_provisional_firmware"),
            Firmware = Requirement.Any<Version>(),
            GuestSvn = Number(policy, "min_guest_svn") is { } svn ? Requirement.AtLeast(svn) : Requirement.Any<long>(),
            Mitigations = Number(policy, "min_current_mitigation") is { } mitigations ? new BitRequirement((ulong)mitigations, ulong.MaxValue) : BitRequirement.Any,
            IdKeyDigest = OneOf(Texts(policy, "trusted_id_key_digests")),
            RequireAuthorKey = Flag(policy, "require_author_key"),
            AuthorKeyDigest = OneOf(Texts(policy, "trusted_author_key_digests")),
            Product = Requirement.Any<string>(),
            SigningKey = Requirement.Any<string>(),
            Provider = Requirement.Any<string>(),
            ChipId = Requirement.Any<string>(),
            RequireRevocationCheck = Flag(policy, "check_revocation"),
            FamilyId = Requirement.Any<string>(),
            ImageId = Requirement.Any<string>(),
            PlatformInfo = BitRequirement.Any,
        };
    }

    private static SnpTcbMinimum Tcb(JsonElement policy)
    {
        if (!policy.TryGetProperty("min_tcb", out JsonElement minimum) || minimum.ValueKind != JsonValueKind.Object) return SnpTcbMinimum.Any;
        byte Part(string name) => minimum.TryGetProperty(name, out JsonElement part) ? part.GetByte() : (byte)0;
        return SnpTcbMinimum.AtLeast(new SnpTcb(Part("fmc"), Part("bl"), Part("tee"), Part("snp"), Part("ucode")));
    }

    private static Requirement<string> Input(JsonElement inputs, string name) =>
        inputs.TryGetProperty(name, out JsonElement value) && value.GetString() is { } text ? Requirement.Exactly(text.ToLowerInvariant()) : Requirement.Any<string>();

    private static Requirement<string> OneOf(ImmutableArray<string> digests) => digests.IsEmpty ? Requirement.Any<string>() : Requirement.OneOf(digests);

    private static ImmutableArray<string> Texts(JsonElement policy, string name) => policy.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Select(one => one.GetString()!.ToLowerInvariant())]
        : [];

    private static bool Flag(JsonElement policy, string name) => policy.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static long? Number(JsonElement policy, string name) => !policy.TryGetProperty(name, out JsonElement value) ? null : value.ValueKind switch
    {
        JsonValueKind.Number => value.GetInt64(),
        JsonValueKind.String when value.GetString() is ['0', 'x', .. string digits] => long.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
        _ => null,
    };
}

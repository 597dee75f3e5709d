using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;
using Cloister.Tests.Corpus;

namespace Cloister.Tests.Tpm;

/// <summary>Maps a case of kind <c>tpm</c> to the library's call.</summary>
internal sealed class TpmCase(AttestationCase one)
{
    public Evidence Evidence { get; } = new(TeeKind.Tpm, ReportOf(one), one.File("eventlog") ?? [], default, []);

    public byte[] Nonce { get; } = Convert.FromHexString(one.Input("nonce") ?? "");

    public TpmPolicy Policy { get; } = PolicyOf(one);

    /// <summary>Every check of verifier and appraiser, in order.</summary>
    public ImmutableArray<Check> Run(TpmVerifier verifier)
    {
        Proof proof = verifier.Prove(Evidence, Nonce, Endorsements.None, Anchors.Pinned, one.Time);
        var appraiser = new TpmAppraiser();
        return [.. proof.Checks, .. proof.Claims is { } claims ? appraiser.Judge(claims, Policy, one.Time) : CheckList.NotReached(appraiser.Plan)];
    }

    public static ImmutableArray<TpmPcrValue> PcrsOf(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateObject().SelectMany(bank => bank.Value.EnumerateObject().Select(pcr =>
            new TpmPcrValue(TpmHash.Named(bank.Name)!.Value, int.Parse(pcr.Name, CultureInfo.InvariantCulture), Convert.FromHexString(pcr.Value.GetString()!))))];
    }

    private static byte[] ReportOf(AttestationCase one) => new TpmReport(
        one.File("quote")!,
        one.File("signature")!,
        one.File("ak_public") is null ? TpmKeyForm.SubjectPublicKeyInfo : TpmKeyForm.TpmPublic,
        one.File("ak_public") ?? one.File("ak_public_spki")!,
        PcrsOf(one.File("pcrs")!)).Encode();

    private static TpmPolicy PolicyOf(AttestationCase one)
    {
        ImmutableSortedDictionary<int, Requirement<string>> pcrs = one.Policy.TryGetProperty("required_pcrs", out JsonElement required)
            ? required.EnumerateArray().ToImmutableSortedDictionary(pcr => pcr.GetInt32(), _ => Requirement.Any<string>())
            : ImmutableSortedDictionary<int, Requirement<string>>.Empty;
        return new TpmPolicy(new TpmKeyPolicy.Any(), TpmHash.Named(one.Input("bank")!)!.Value, pcrs, TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>())
        {
            AllowSha1 = one.Flag("allow_sha1", false),
        };
    }
}

/// <summary>Maps a case of kind <c>eventlog</c> to the library's call.</summary>
internal sealed class EventLogCase(AttestationCase one)
{
    public ImmutableArray<Check> Run(out TcgEventLog? log) => EventLogCheck.Run(one.File("eventlog"), one.File("pcrs") is { } pcrs ? TpmCase.PcrsOf(pcrs) : [], out log);
}

/// <summary>Maps a case of kind <c>akcert</c> to the library's call.</summary>
internal sealed class AkCertCase(AttestationCase one)
{
    public Outcome<TpmKeyCertificate> Run() => TpmKeyCertificate.Check(one.File("cert"), [], Anchors.Pinned, one.Time);
}

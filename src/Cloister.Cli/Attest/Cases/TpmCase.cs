using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Maps a case of kind <c>tpm</c> to the library's call.</summary>
internal sealed class TpmCase(AttestationCase one)
{
    public Evidence Evidence { get; } = new(TeeKind.Tpm, ReportOf(one), one.File("eventlog") ?? [], default, []);

    public byte[] Nonce { get; } = Convert.FromHexString(one.Input("nonce") ?? "");

    public TpmPolicy Policy { get; } = PolicyOf(one);

    /// <summary>Every check of verifier and appraiser, in order.</summary>
    public CaseOutcome Run(TpmVerifier verifier)
    {
        Proof proof = verifier.Prove(Evidence, Nonce, Endorsements.None, Anchors.Pinned, one.Time);
        var appraiser = new TpmAppraiser();
        return new CaseOutcome([.. proof.Checks, .. proof.Claims is { } claims ? appraiser.Judge(claims, Policy, one.Time) : CheckList.NotReached(appraiser.Plan)], proof.Stated);
    }

    public static ImmutableArray<TpmPcrValue> PcrsOf(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateObject().SelectMany(bank => bank.Value.EnumerateObject().Select(pcr =>
            new TpmPcrValue(BankOf(bank.Name), int.Parse(pcr.Name, CultureInfo.InvariantCulture), Convert.FromHexString(pcr.Value.GetString()!))))];
    }

    /// <exception cref="FormatException">There is no such bank.</exception>
    public static TpmAlgorithm BankOf(string? name) => name switch
    {
        "sha1" => TpmAlgorithm.Sha1,
        "sha256" => TpmAlgorithm.Sha256,
        "sha384" => TpmAlgorithm.Sha384,
        "sha512" => TpmAlgorithm.Sha512,
        _ => throw new FormatException($"'{name}' is no bank of PCRs; there are sha1, sha256, sha384 and sha512."),
    };

    private static byte[] ReportOf(AttestationCase one) => new TpmReport(
        one.NeededFile("quote"),
        one.NeededFile("signature"),
        one.File("ak_public") is null ? TpmKeyForm.SubjectPublicKeyInfo : TpmKeyForm.TpmPublic,
        one.File("ak_public") ?? one.NeededFile("ak_public_spki"),
        PcrsOf(one.NeededFile("pcrs"))).Encode();

    private static TpmPolicy PolicyOf(AttestationCase one)
    {
        ImmutableSortedDictionary<int, Requirement<string>> pcrs = one.Policy.TryGetProperty("required_pcrs", out JsonElement required)
            ? required.EnumerateArray().ToImmutableSortedDictionary(pcr => pcr.GetInt32(), _ => Requirement.Any<string>())
            : ImmutableSortedDictionary<int, Requirement<string>>.Empty;
        return new TpmPolicy(new TpmKeyPolicy.Any(), BankOf(one.Input("bank")), pcrs, TpmBootPolicy.Any, TpmClockPolicy.Any, Requirement.Any<long>())
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

    public CaseOutcome Outcome()
    {
        Outcome<TpmKeyCertificate> outcome = Run();
        return new CaseOutcome([outcome.IsAccepted ? Check.Pass("chain", "cert", outcome.Value.Subject) : Check.Fail("chain", outcome.Field, outcome.Refusal, outcome.Reason)], null);
    }
}

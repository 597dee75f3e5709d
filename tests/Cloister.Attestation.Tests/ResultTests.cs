using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;

namespace Cloister.Tests;

public sealed class ResultTests
{
    [Fact]
    public void A_refused_result_gives_its_claims_to_nobody()
    {
        AttestationResult result = Sample.Appraise(Sample.Set(), Sample.OtherPolicy);
        var thrown = Assert.Throws<AttestationRefusedException>(() => result.RequireAccepted());
        Assert.Equal(Refusal.MeasurementNotAccepted, thrown.Refusal);
        Assert.Equal("simulation.digest", thrown.Check.Id);
        Assert.Contains("1400", thrown.Message, StringComparison.Ordinal);
        Assert.Throws<AttestationRefusedException>(() => result.RequireAcceptedAll());
        Assert.False(result.TryAccept(out _, out _));
    }

    [Fact]
    public void A_result_without_checks_or_claims_is_refused()
    {
        Assert.Equal(Refusal.NoOutcome, new AttestationResult(default, default, false).Refused!.Refusal);
        Assert.Equal(Refusal.NoOutcome, new AttestationResult([Check.Pass("a", "b")], [], false).Refused!.Refusal);
        Claims claims = Sample.Appraise(Sample.Set()).RequireAccepted();
        Assert.Equal(Refusal.NoOutcome, new AttestationResult([Check.Pass("a", "b"), Check.NotReached("c", "d")], [claims], false).Refused!.Refusal);
        Assert.Null(new AttestationResult([Check.Pass("a", "b")], [claims], false).Refused);
    }

    [Fact]
    public void Further_checks_count()
    {
        AttestationResult accepted = Sample.Appraise(Sample.Set());
        accepted.Append([Check.Pass("manifest.fingerprint", "manifest")]).RequireAccepted();
        Assert.Equal(Refusal.ManifestFingerprintMismatch,
            Sample.RefusalOf(accepted.Append([Check.Fail("manifest.fingerprint", "manifest", Refusal.ManifestFingerprintMismatch, "another manifest is in force")])));
    }

    [Fact]
    public void A_default_outcome_is_a_refusal()
    {
        Outcome<int> outcome = default;
        Assert.False(outcome.IsAccepted);
        Assert.Equal(Refusal.NoOutcome, outcome.Refusal);
        Assert.Throws<InvalidOperationException>(() => outcome.Value);
        Assert.Throws<ArgumentException>(() => Outcome.Refuse<int>(Refusal.None, "", ""));
    }

    [Fact]
    public void A_check_list_refuses_to_be_walked_out_of_order()
    {
        var list = new CheckList([new("a", "x"), new("b", "y")]);
        Assert.Throws<InvalidOperationException>(() => list.Pass("b"));
        list.Fail("a", Refusal.SignatureInvalid, "no");
        Assert.Throws<InvalidOperationException>(() => list.Pass("b"));
        Assert.Equal([Verdict.Failed, Verdict.NotReached], list.Finish().Select(check => check.Verdict));
    }

    [Fact]
    public void The_written_form_is_frozen()
    {
        AttestationResult result = new(
            [
                Check.Pass("binding.nonce", "stated.nonce", "01", "01"),
                Check.Fail("policy.any-of", "policy.AnyOf", Refusal.NoAlternativeAccepted, "none") with
                {
                    Branches = [new CheckBranch("anyOf[0]", [Check.Fail("simulation.digest", "evidence[0].report.measurement", Refusal.MeasurementNotAccepted, "another program", "aa", "bb")])],
                },
                Check.NotReached("policy.coverage", "evidence"),
            ],
            [new Claims(TeeKind.Simulation, true, "aa", ImmutableDictionary<string, string>.Empty.Add("hostKey", "k").Add("executable", "/app/x"))],
            true);
        const string expected = """
            {"version":1,"accepted":false,"simulated":true,"refused":{"number":1403,"name":"NoAlternativeAccepted","check":"policy.any-of","field":"policy.AnyOf","reason":"none"},"claims":[{"kind":"Simulation","simulated":true,"measurement":"aa","fields":{"executable":"/app/x","hostKey":"k"}}],"checks":[{"id":"binding.nonce","verdict":"passed","field":"stated.nonce","value":"01","expected":"01"},{"id":"policy.any-of","verdict":"failed","field":"policy.AnyOf","refusal":1403,"reason":"none","branches":[{"name":"anyOf[0]","passed":false,"checks":[{"id":"simulation.digest","verdict":"failed","field":"evidence[0].report.measurement","value":"aa","expected":"bb","refusal":1400,"reason":"another program"}]}]},{"id":"policy.coverage","verdict":"not reached","field":"evidence"}]}
            """;
        Assert.Equal(expected, result.ToJson());
        Assert.Equal("cc4ba4426ce465653bc04602e9283b9e304b10176c3f4ff06446be6e822439b3", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(result.ToJson()))));
    }

    [Fact]
    public void An_accepted_result_is_written_without_a_refusal()
    {
        using var json = JsonDocument.Parse(Sample.Appraise(Sample.Set()).ToJson());
        Assert.True(json.RootElement.GetProperty("accepted").GetBoolean());
        Assert.False(json.RootElement.TryGetProperty("refused", out _));
        Assert.All(json.RootElement.GetProperty("checks").EnumerateArray(), check => Assert.Equal("passed", check.GetProperty("verdict").GetString()));
    }
}

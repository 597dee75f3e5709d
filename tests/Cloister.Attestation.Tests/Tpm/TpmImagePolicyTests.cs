using System.Collections.Immutable;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Measurements;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

/// <summary>Policies that name an image by its measurements.</summary>
public sealed class TpmImagePolicyTests
{
    private static readonly TpmKeyPolicy AnyKey = new TpmKeyPolicy.Any();

    [Theory, InlineData(BootPath.Kernel), InlineData(BootPath.Disk)]
    public void An_image_stands_for_its_six_PCRs_exactly(BootPath path)
    {
        TpmPolicy policy = TpmPolicy.Of(new TpmImage(Measurements(), path), AnyKey);
        Assert.Equal([4, 5, 7, 9, 11, 12], policy.Pcrs.Keys);
        Assert.All(policy.Pcrs, pcr => Assert.Equal(Requirement.Exactly(Value(path, pcr.Key)), pcr.Value));
        Assert.Equal((TpmAlgorithm.Sha256, false), (policy.Bank, policy.AllowSha1));
    }

    [Fact]
    public void It_is_written_as_an_image_and_read_back()
    {
        TpmPolicy policy = TpmPolicy.Of(new TpmImage(Measurements(), BootPath.Disk), AnyKey) with
        {
            Boot = TpmBootPolicy.Any with { SecureBoot = Requirement.Exactly(false) },
            Clock = TpmClockPolicy.Any with { ResetCount = Requirement.Exactly(3L) },
            FirmwareVersion = Requirement.AtLeast(5L),
        };
        byte[] written = PolicyWriter.Write(policy);
        Assert.Contains("\"Image\":{\"Format\":1,\"Name\":\"inference\"", Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        var again = Assert.IsType<TpmPolicy>(PolicyReader.Read(written).Value);
        Assert.Equal(written, PolicyWriter.Write(again));
        Assert.Equal(policy.Pcrs, again.Pcrs);
        Assert.Equal((policy.Boot, policy.Clock, policy.FirmwareVersion), (again.Boot, again.Clock, again.FirmwareVersion));
    }

    [Fact]
    public void PCRs_that_were_changed_are_written_as_they_are()
    {
        TpmPolicy policy = TpmPolicy.Of(new TpmImage(Measurements(), BootPath.Kernel), AnyKey);
        string written = Encoding.UTF8.GetString(PolicyWriter.Write(policy with { Pcrs = policy.Pcrs.SetItem(4, Requirement.Any<string>()) }));
        Assert.DoesNotContain("Image", written, StringComparison.Ordinal);
        Assert.Contains("\"4\":{\"Any\":true}", written, StringComparison.Ordinal);
    }

    [Fact]
    public void A_debug_image_is_refused_unless_the_policy_says_so()
    {
        var debug = new TpmImage(Measurements() with { Debug = true }, BootPath.Kernel);
        Assert.Contains("debug image", Assert.Throws<ArgumentException>(() => TpmPolicy.Of(debug, AnyKey)).Message, StringComparison.Ordinal);
        string accepted = Encoding.UTF8.GetString(PolicyWriter.Write(TpmPolicy.Of(debug with { AllowDebug = true }, AnyKey)));
        Assert.True(PolicyReader.Read(Encoding.UTF8.GetBytes(accepted)).IsAccepted);
        const string said = "\"Path\":\"Kernel\",\"Debug\":true";
        Assert.Contains(said, accepted, StringComparison.Ordinal);
        foreach (string unsaid in new[] { "\"Path\":\"Kernel\"", "\"Path\":\"Kernel\",\"Debug\":false" })
        {
            Outcome<PackagePolicy> refused = PolicyReader.Read(Encoding.UTF8.GetBytes(accepted.Replace(said, unsaid, StringComparison.Ordinal)));
            Assert.Equal((Refusal.PolicyImageDebug, "policy.Tpm.Debug"), (refused.Refusal, refused.Field));
        }
    }

    [Theory]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":\"kernel\"", Refusal.PolicyMalformed)]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":\"0\"", Refusal.PolicyMalformed)]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":0", Refusal.PolicyMalformed)]
    [InlineData("\"Path\":\"Kernel\",", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":\"Kernel\",\"Path\":\"Disk\"", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":\"Kernel\",\"Pcrs\":{\"4\":{\"Any\":true}}", Refusal.PolicyMemberUnknown)]
    [InlineData("\"Path\":\"Kernel\"", "\"Path\":\"Kernel\",\"Bank\":\"sha1\"", Refusal.PolicyMemberUnknown)]
    [InlineData("\"Debug\":false}", "\"Debug\":0}", Refusal.PolicyMalformed)]
    [InlineData("\"Format\":1", "\"Format\":2", Refusal.PolicyMalformed)]
    [InlineData("\"12\":\"0", "\"12\":\"g", Refusal.PolicyMalformed)]
    [InlineData("\"12\":", "\"13\":", Refusal.PolicyMemberUnknown)]
    public void What_is_out_of_form_is_refused_by_its_number(string what, string with, Refusal expected)
    {
        string written = Encoding.UTF8.GetString(PolicyWriter.Write(TpmPolicy.Of(new TpmImage(Measurements(), BootPath.Kernel), AnyKey)));
        Assert.Contains(what, written, StringComparison.Ordinal);
        Assert.Equal(expected, PolicyReader.Read(Encoding.UTF8.GetBytes(written.Replace(what, with, StringComparison.Ordinal))).Refusal);
    }

    [Fact]
    public void A_refusal_names_every_PCR_that_differs_and_the_image()
    {
        var tpm = new FakeTpm();
        byte[] log = tpm.Boot(TpmVerifierTests.Log());
        Claims claims = TpmVerifierTests.Prove(tpm.Quote(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray(), log)).Claims!;
        ImmutableSortedDictionary<int, string> shown = TpmImage.Pinned.ToImmutableSortedDictionary(pcr => pcr, pcr => claims.Fields[TpmFields.Pcr(TpmAlgorithm.Sha256, pcr)]);
        ImageMeasurements booted = Measurements() with { Pcrs = Measurements().Pcrs.SetItem(BootPath.Kernel, shown) };
        var appraiser = new TpmAppraiser();
        Assert.All(appraiser.Judge(claims, TpmPolicy.Of(new TpmImage(booted, BootPath.Kernel), AnyKey), VerificationTime.NoTimeCheck), check => Assert.Equal(Verdict.Passed, check.Verdict));

        ImageMeasurements other = booted with { Pcrs = booted.Pcrs.SetItem(BootPath.Kernel, shown.SetItem(9, Value(BootPath.Kernel, 9)).SetItem(12, Value(BootPath.Disk, 12))) };
        Check failed = TpmCorpusTests.FirstFailed(appraiser.Judge(claims, TpmPolicy.Of(new TpmImage(other, BootPath.Kernel), AnyKey), VerificationTime.NoTimeCheck))!;
        Assert.Equal(("pcrs", Refusal.MeasurementNotAccepted), (failed.Id, failed.Refusal));
        Assert.Contains("PCR 9:", failed.Reason, StringComparison.Ordinal);
        Assert.Contains("PCR 12:", failed.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("PCR 4:", failed.Reason, StringComparison.Ordinal);
        Assert.Contains("image 'inference' version 3 by Kernel", failed.Reason, StringComparison.Ordinal);
        Assert.Equal($"9:{shown[9]}, 12:{shown[12]}", failed.Value);
    }

    internal static ImageMeasurements Measurements() => new()
    {
        Name = "inference",
        Product = 1,
        Version = 3,
        Debug = false,
        Uki = new string('a', 64),
        RootHash = new string('b', 64),
        Pcrs = Enum.GetValues<BootPath>().ToImmutableSortedDictionary(path => path, path => TpmImage.Pinned.ToImmutableSortedDictionary(pcr => pcr, pcr => Value(path, pcr))),
    };

    private static string Value(BootPath path, int pcr) => $"{16 * (int)path + pcr:x64}";
}

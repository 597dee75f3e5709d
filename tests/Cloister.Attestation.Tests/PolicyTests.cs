using System.Text;
using System.Text.Json;
using Cloister.Attestation;

namespace Cloister.Tests;

public sealed class PolicyTests
{
    private static readonly string Key = Convert.ToBase64String(Sample.HostKey.ExportSubjectPublicKeyInfo());
    private static readonly string Leaf = Simulation($"\"{Sample.Digest}\"");

    [Fact]
    public void A_digest_is_written_in_four_ways()
    {
        Assert.Equal(Requirement.Exactly(Sample.Digest), Digest($"\"{Sample.Digest}\""));
        Assert.Equal(Requirement.Exactly(Sample.Digest), Digest($$$"""{"Exactly":"{{{Sample.Digest}}}"}"""));
        Assert.Equal([Sample.Digest], Assert.IsType<Requirement<string>.OneOf>(Digest($$$"""{"OneOf":["{{{Sample.Digest}}}"]}""")).Values.ToArray());
        Assert.Equal(Requirement.Any<string>(), Digest("""{"Any":true}"""));
    }

    [Fact]
    public void Policies_join()
    {
        var all = Assert.IsType<AllOf>(Read($$$"""{"AllOf":[{{{Leaf}}},{"AnyOf":[{{{Leaf}}},{"NvidiaGpu":{}}]}]}""").Value);
        var any = Assert.IsType<AnyOf>(all.Policies[1]);
        Assert.Equal(TeeKind.NvidiaGpu, Assert.IsType<UnsupportedPolicy>(any.Policies[1]).Kind);
        Assert.True(all.Names(TeeKind.NvidiaGpu));
        Assert.True(all.Names(TeeKind.Simulation));
        Assert.False(all.Names(TeeKind.Tdx));
    }

    [Theory]
    [InlineData("NvidiaGpu")]
    public void A_tee_that_is_not_verified_yet_is_read_and_accepts_nothing(string name)
    {
        PackagePolicy policy = Read($$$"""{"AllOf":[{{{Leaf}}},{"{{{name}}}":{"Anything":1}}]}""").Value;
        Assert.Equal(Refusal.TeeNotSupported, Sample.RefusalOf(Sample.Appraise(Sample.Set(), policy)));
    }

    public static TheoryData<string, Refusal> Bad() => new()
    {
        { "", Refusal.PolicyMalformed },
        { "[]", Refusal.PolicyMalformed },
        { "{}", Refusal.PolicyEmpty },
        { "{} x", Refusal.PolicyMalformed },
        { """{"simulation":{}}""", Refusal.PolicyMemberUnknown },
        { $$$"""{"Simulation":{"Digest":{"Any":true},"HostKeys":["{{{Key}}}"]},"NvidiaGpu":{}}""", Refusal.PolicyMalformed },
        { """{"NvidiaGpu":1}""", Refusal.PolicyMalformed },
        { """{"Simulation":[]}""", Refusal.PolicyMalformed },
        { """{"Simulation":{}}""", Refusal.PolicyMemberMissing },
        { """{"Simulation":{"Digest":{"Any":true}}}""", Refusal.PolicyMemberMissing },
        { $$$"""{"Simulation":{"HostKeys":["{{{Key}}}"]}}""", Refusal.PolicyMemberMissing },
        { $$$"""{"Simulation":{"Digest":{"Any":true},"HostKeys":["{{{Key}}}"],"Debug":true}}""", Refusal.PolicyMemberUnknown },
        { $$$"""{"Simulation":{"Digest":{"Any":true},"Digest":{"Any":true},"HostKeys":["{{{Key}}}"]}}""", Refusal.PolicyMemberDuplicate },
        { """{"Simulation":{"Digest":{"Any":true},"HostKeys":[]}}""", Refusal.PolicyEmpty },
        { """{"Simulation":{"Digest":{"Any":true},"HostKeys":["AAAA"]}}""", Refusal.PolicyKeyInvalid },
        { """{"Simulation":{"Digest":{"Any":true},"HostKeys":["?"]}}""", Refusal.PolicyKeyInvalid },
        { """{"Simulation":{"Digest":{"Any":true},"HostKeys":[1]}}""", Refusal.PolicyKeyInvalid },
        { """{"Simulation":{"Digest":{"Any":true},"HostKeys":"x"}}""", Refusal.PolicyMalformed },
        { Simulation("1"), Refusal.PolicyMalformed },
        { Simulation("null"), Refusal.PolicyMalformed },
        { Simulation("\"\""), Refusal.PolicyDigestInvalid },
        { Simulation($"\"{Sample.Digest.ToUpperInvariant()}\""), Refusal.PolicyDigestInvalid },
        { Simulation($"\"{Sample.Digest[1..]}\""), Refusal.PolicyDigestInvalid },
        { Simulation("""{"Any":false}"""), Refusal.PolicyMalformed },
        { Simulation("""{"AtLeast":"00"}"""), Refusal.RequirementNotApplicable },
        { Simulation("""{"OneOf":[]}"""), Refusal.PolicyEmpty },
        { Simulation("""{"OneOf":["x"]}"""), Refusal.PolicyDigestInvalid },
        { Simulation("""{"Any":true,"Any":true}"""), Refusal.PolicyMalformed },
        { Simulation("""{"Prefix":"00"}"""), Refusal.PolicyMemberUnknown },
        { """{"AllOf":[]}""", Refusal.PolicyEmpty },
        { """{"AnyOf":{}}""", Refusal.PolicyMalformed },
        { """{"\ud800":{}}""", Refusal.PolicyMalformed },
        { """{"AnyOf":[""" + string.Concat(Enumerable.Repeat("""{"NvidiaGpu":{}},""", PolicyReader.MaximumParts)) + """{"NvidiaGpu":{}}]}""", Refusal.PolicyTooLarge },
        { string.Concat(Enumerable.Repeat("""{"AllOf":[""", 9)) + """{"NvidiaGpu":{}}""" + string.Concat(Enumerable.Repeat("]}", 9)), Refusal.PolicyTooLarge },
    };

    [Theory, MemberData(nameof(Bad))]
    public void What_a_policy_does_not_say_clearly_is_refused(string json, Refusal expected)
    {
        Outcome<PackagePolicy> outcome = Read(json);
        Assert.Equal(expected, outcome.Refusal);
        Assert.NotEmpty(outcome.Field);
        Assert.NotEmpty(outcome.Reason);
    }

    [Fact]
    public void A_written_policy_reads_back_the_same()
    {
        var policy = new AnyOf([Sample.Policy, new AllOf([Sample.Policy with { Digest = Requirement.Any<string>() }, Sample.Policy with { Digest = Requirement.OneOf(Sample.Digest) }, new UnsupportedPolicy(TeeKind.NvidiaGpu)])]);
        byte[] written = PolicyWriter.Write(policy);
        Assert.Equal(written, PolicyWriter.Write(PolicyReader.Read(written).Value));
        Assert.Throws<ArgumentException>(() => PolicyWriter.Write(Sample.Policy with { Digest = Requirement.AtLeast("x") }));
    }

    [Fact]
    public void A_disposed_document_is_the_callers_mistake()
    {
        var document = JsonDocument.Parse(Leaf);
        JsonElement element = document.RootElement;
        document.Dispose();
        Assert.Throws<ObjectDisposedException>(() => PolicyReader.Read(element));
    }

    [Fact]
    public void Mutations_give_a_policy_or_a_refusal()
    {
        byte[] valid = Encoding.UTF8.GetBytes($$$"""{"AllOf":[{{{Leaf}}},{"AnyOf":[{"Simulation":{"Digest":{"OneOf":["{{{Sample.Digest}}}"]},"HostKeys":["{{{Key}}}"]}},{"NvidiaGpu":{}}]}]}""");
        foreach (byte[] bytes in Mutations.Of(valid, 5_000, seed: 3))
            PolicyReader.Fuzz(bytes);
    }

    [Fact]
    public void Requirements_compare_as_they_say()
    {
        Assert.True(Requirement.AtLeast(3).Accepts(3));
        Assert.False(Requirement.AtLeast(3).Accepts(2));
        Assert.False(Requirement.Exactly(3).Accepts(4));
        Assert.True(Requirement.OneOf(3, 4).Accepts(4));
        Assert.True(Requirement.Any<int>().Accepts(9));
    }

    private static Requirement<string> Digest(string json) => Assert.IsType<SimulationPolicy>(Read(Simulation(json)).Value).Digest;

    private static string Simulation(string digest) => $$$"""{"Simulation":{"Digest":{{{digest}}},"HostKeys":["{{{Key}}}"]}}""";

    private static Outcome<PackagePolicy> Read(string json) => PolicyReader.Read(Encoding.UTF8.GetBytes(json));
}

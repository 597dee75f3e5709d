using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Protocol.Trust;

namespace Cloister.Protocol.Tests.Trust;

public sealed class CoordinatorPolicyTests
{
    private const string Digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    // The public point of the private key 1 on P-256: the generator.
    private const string Key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==";

    private const string Simulation = "{\"Simulation\":{\"Digest\":\"" + Digest + "\",\"HostKeys\":[\"" + Key + "\"]}}";

    internal static string Document(string coordinator = Simulation, string owners = "[\"" + Key + "\"]", string manifest = "{\"Exactly\":\"" + Digest + "\"}") =>
        $$"""{"Coordinator":{{coordinator}},"OwnerKeys":{{owners}},"Manifest":{{manifest}} }""";

    private static Outcome<CoordinatorPolicy> Read(string json) => CoordinatorPolicy.Read(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void APolicyIsReadAndWritten()
    {
        CoordinatorPolicy policy = Read(Document()).Value;
        Assert.Equal(Digest, Assert.IsType<ManifestRequirement.Exactly>(policy.Manifest).Fingerprint);
        Assert.Single(Assert.IsType<OwnerRequirement.SignedBy>(policy.Owners).Keys);
        Assert.Equal(policy.ToBytes(), Read(Encoding.UTF8.GetString(policy.ToBytes())).Value.ToBytes());
        CoordinatorPolicy any = Read(Document(owners: "\"Any\"", manifest: "\"Any\"")).Value;
        Assert.Equal((OwnerRequirement.AnyOwner, ManifestRequirement.AnyManifest), (any.Owners, any.Manifest));
        Assert.Throws<InvalidOperationException>(() => policy.BeforeManifest().ToBytes());
    }

    [Fact]
    public void ItsWrittenFormIsFrozen() => Assert.Equal(
        "4b3c2740467636a3bc7a30b55e0f61c157be2da78062d6b114931a31888e0451",
        Convert.ToHexStringLower(SHA256.HashData(Read(Document()).Value.ToBytes())));

    [Theory]
    [InlineData("", Refusal.PolicyMalformed)]
    [InlineData("[]", Refusal.PolicyMalformed)]
    [InlineData("{}", Refusal.PolicyMemberMissing)]
    [InlineData("{} x", Refusal.PolicyMalformed)]
    [InlineData("{\"Coordinator\":{},\"Coordinator\":{}}", Refusal.PolicyMemberDuplicate)]
    [InlineData("{\"Coordinators\":{}}", Refusal.PolicyMemberUnknown)]
    [InlineData("{\"coordinator\":{}}", Refusal.PolicyMemberUnknown)]
    public void AnotherDocumentIsRefused(string json, Refusal expected) => Assert.Equal(expected, Read(json).Refusal);

    [Theory]
    [InlineData("{}", "[]", "\"Any\"", Refusal.PolicyEmpty)]
    [InlineData(null, "[]", "\"Any\"", Refusal.PolicyEmpty)]
    [InlineData(null, "null", "\"Any\"", Refusal.PolicyMalformed)]
    [InlineData(null, "\"any\"", "\"Any\"", Refusal.PolicyMalformed)]
    [InlineData(null, "[\"AAAA\"]", "\"Any\"", Refusal.PolicyKeyInvalid)]
    [InlineData(null, "[1]", "\"Any\"", Refusal.PolicyKeyInvalid)]
    [InlineData(null, "[\"\\ud800\"]", "\"Any\"", Refusal.PolicyMalformed)]
    [InlineData(null, "\"Any\"", "null", Refusal.PolicyMalformed)]
    [InlineData(null, "\"Any\"", "{\"Exactly\":\"00\"}", Refusal.PolicyDigestInvalid)]
    [InlineData(null, "\"Any\"", "{\"AtLeast\":\"00\"}", Refusal.PolicyMalformed)]
    public void AWrongMemberIsRefused(string? coordinator, string owners, string manifest, Refusal expected) =>
        Assert.Equal(expected, Read(coordinator is null ? Document(owners: owners, manifest: manifest) : Document(coordinator, owners, manifest)).Refusal);

    [Fact]
    public void MutationsGiveAPolicyOrARefusal() => Mutations.Drive(
        data => CoordinatorPolicyReader.Fuzz(data), 4000, Encoding.UTF8.GetBytes(Document()), Encoding.UTF8.GetBytes(Document(owners: "\"Any\"", manifest: "\"Any\"")));
}

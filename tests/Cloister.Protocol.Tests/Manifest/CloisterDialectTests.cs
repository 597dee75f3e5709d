using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

public sealed class CloisterDialectTests
{
    private static void Refused(ManifestProblemCode code, string field, Action<JsonNode> change)
    {
        JsonNode manifest = ManifestSamples.Full();
        change(manifest);
        ManifestOutcome outcome = ManifestSamples.Read(manifest);
        Assert.Equal([(code, field)], outcome.Problems.Select(problem => (problem.Code, problem.Field)));
        Assert.Throws<InvalidOperationException>(() => outcome.Document);
    }

    [Fact]
    public void AFullManifestIsRead()
    {
        ManifestOutcome outcome = ManifestSamples.Read(ManifestSamples.Full());
        Assert.Empty(outcome.Problems);
        Assert.Empty(outcome.Warnings);
        ManifestDocument manifest = outcome.Document;
        Assert.Equal(outcome.Fingerprint, manifest.Fingerprint);
        Assert.IsType<SimulationPolicy>(manifest.Packages["serving"].Policy);
        ManifestMarble marble = manifest.Marbles["serving"];
        Assert.Equal((3UL, "digits"), (marble.MaxActivations, Assert.Single(marble.Models)));
        Assert.Equal([0, 1, 2], marble.Parameters.Files["/etc/raw"].Data.ToArray());
        Assert.Equal(["serve", "--port", "8443"], marble.Parameters.Argv.ToArray());
        ManifestModel model = manifest.Models["digits"];
        Assert.Equal((ManifestSamples.Digest, "modelKey", 2L), (model.Digest, model.Secret, model.MinimumVersion));
        Assert.Equal(ManifestSamples.Key, Convert.ToBase64String(model.MakerKey.Span));
        Assert.Equal(ManifestSamples.Digest, Convert.ToHexStringLower(manifest.Callers["shop"].TokenSha256.Span));
        Assert.False(manifest.Callers["bank"].CertificateDer.IsEmpty);
        Assert.Equal(["digits"], manifest.AnonymousModels.ToArray());
    }

    [Fact]
    public void RightsFollowRolesAndCertificatesBytes()
    {
        ManifestDocument manifest = ManifestSamples.Read(ManifestSamples.Full()).Document;
        byte[] der = manifest.Users["owner"].CertificateDer.ToArray();
        Assert.Equal("owner", manifest.UserOf(der));
        der[^1] ^= 1;
        Assert.Null(manifest.UserOf(der));
        Assert.Null(manifest.UserOf([]));
        Assert.True(manifest.Allows("owner", "writesecret", ManifestActions.Secrets, "modelKey"));
        Assert.False(manifest.Allows("owner", ManifestActions.ReadSecret, ManifestActions.Secrets, "modelKey"));
        Assert.False(manifest.Allows("owner", ManifestActions.WriteSecret, ManifestActions.Secrets, "other"));
        Assert.True(manifest.Allows("owner", ManifestActions.UpdateManifest, ManifestActions.Manifest, ""));
        Assert.False(manifest.Allows("nobody", ManifestActions.UpdateManifest, ManifestActions.Manifest, ""));
    }

    [Fact]
    public void UnknownMembersAreRefusedEverywhere()
    {
        Refused(ManifestProblemCode.UnknownMember, "Clients", manifest => manifest["Clients"] = new JsonObject());
        Refused(ManifestProblemCode.UnknownMember, "Marbles.serving.Pakage", manifest => manifest["Marbles"]!["serving"]!["Pakage"] = "x");
        Refused(ManifestProblemCode.UnknownMember, "Models.digits.Version", manifest => manifest["Models"]!["digits"]!["Version"] = 1);
        Refused(ManifestProblemCode.UnknownMember, "Marbles.serving.Parameters.Files./etc/raw.Mode", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Files"]!["/etc/raw"]!["Mode"] = 1);
        Refused(ManifestProblemCode.UnknownMember, "config", manifest => manifest["config"] = new JsonObject());
    }

    [Theory]
    [InlineData("""{"Packages":{},"Packages":{}}""", "Packages")]
    [InlineData("""{"Packages":{"p":{"UniqueID":"a"},"p":{"UniqueID":"b"}}}""", "Packages.p")]
    [InlineData("""{"Marbles":{"m":{"Package":"a","Package":"b"}}}""", "Marbles.m.Package")]
    public void RepeatedMembersAreRefused(string json, string field)
    {
        ManifestProblem problem = Assert.Single(ManifestSamples.Read(json).Problems);
        Assert.Equal((ManifestProblemCode.RepeatedMember, field), (problem.Code, problem.Field));
    }

    [Fact]
    public void TextThatIsNotUnicodeIsRefused()
    {
        Assert.Equal(ManifestProblemCode.Syntax, ManifestSamples.Read("""{"Packages":{"\ud800":{}}}""").Problems[0].Code);
        Assert.Equal(ManifestProblemCode.Syntax, ManifestReader.Read([.. "{\"a"u8, 0xFF, .. "\":1}"u8], ManifestDialect.Cloister).Problems[0].Code);
    }

    [Fact]
    public void PackagesHaveAPolicyOrAFullIdentity()
    {
        Refused(ManifestProblemCode.PackagePolicyAndProperties, "Packages.serving", manifest => manifest["Packages"]!["serving"]!["Debug"] = true);
        Refused(ManifestProblemCode.PackagePolicyWrong, "Packages.serving.Simulation.Digest", manifest => manifest["Packages"]!["serving"]!["Simulation"]!["Digest"] = "AB");
        Refused(ManifestProblemCode.PackagePolicyWrong, "Packages.serving.Simulated", manifest => manifest["Packages"]!["serving"] = new JsonObject { ["Simulated"] = new JsonObject() });
        Refused(ManifestProblemCode.PackageIdentityWrong, "Packages.serving.UniqueID", manifest => manifest["Packages"]!["serving"] = new JsonObject { ["UniqueID"] = "00" });
    }

    [Fact]
    public void ADebugPackageWithoutIdentityIsAWarningOnlyForMarbleRun()
    {
        const string json = """{"Packages":{"p":{"Debug":true}},"Marbles":{"m":{"Package":"p"}}}""";
        Assert.Equal(3, ManifestSamples.Read(json).Problems.Length);
        ManifestOutcome lenient = ManifestSamples.Read(json, ManifestDialect.MarbleRun);
        Assert.True(lenient.IsAccepted);
        Assert.Equal(3, lenient.Warnings.Length);
    }

    [Fact]
    public void ModelsAreChecked()
    {
        Refused(ManifestProblemCode.ModelDigestWrong, "Models.digits.Digest", manifest => manifest["Models"]!["digits"]!["Digest"] = ManifestSamples.Digest.ToUpperInvariant());
        Refused(ManifestProblemCode.ModelMakerKeyWrong, "Models.digits.MakerKey", manifest => manifest["Models"]!["digits"]!["MakerKey"] = "AAAA");
        Refused(ManifestProblemCode.ModelMakerKeyWrong, "Models.digits.MakerKey", manifest => manifest["Models"]!["digits"]!["MakerKey"] = "not base64!");
        Refused(ManifestProblemCode.ModelSecretWrong, "Models.digits.Secret", manifest => manifest["Models"]!["digits"]!["Secret"] = "nope");
        Refused(ManifestProblemCode.ModelSecretWrong, "Models.digits.Secret", manifest => manifest["Models"]!["digits"]!["Secret"] = "token");
        Refused(ManifestProblemCode.ModelSecretWrong, "Models.digits.Secret", manifest => manifest["Secrets"]!["modelKey"]!["Size"] = 128);
        Refused(ManifestProblemCode.WrongType, "Models.digits.MinimumVersion", manifest => manifest["Models"]!["digits"]!["MinimumVersion"] = -1);
        Refused(ManifestProblemCode.MarbleModelWrong, "Marbles.serving.Models", manifest => manifest["Marbles"]!["serving"]!["Models"]!.AsArray().Add("nope"));
        Refused(ManifestProblemCode.MarbleModelWrong, "Marbles.serving.Models", manifest => manifest["Marbles"]!["serving"]!["Models"]!.AsArray().Add("digits"));
    }

    [Fact]
    public void AModelThatNobodyOpensIsAWarning()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["Marbles"]!["serving"]!["Models"] = new JsonArray();
        ManifestOutcome outcome = ManifestSamples.Read(manifest);
        Assert.True(outcome.IsAccepted);
        Assert.Equal(ManifestProblemCode.ModelUnused, Assert.Single(outcome.Warnings).Code);
    }

    [Fact]
    public void AnEd25519MakerIsAccepted()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["Models"]!["digits"]!["MakerKey"] = Convert.ToBase64String([.. Convert.FromHexString("302a300506032b6570032100"), .. new byte[32]]);
        Assert.Empty(ManifestSamples.Read(manifest).Problems);
        manifest["Models"]!["digits"]!["MakerKey"] = Convert.ToBase64String([.. Convert.FromHexString("302a300506032b6570032100"), .. new byte[33]]);
        Assert.Single(ManifestSamples.Read(manifest).Problems);
    }

    [Fact]
    public void CallersHaveExactlyOneCredentialOfTheirOwn()
    {
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.shop", manifest => manifest["Callers"]!["shop"]!.AsObject().Remove("TokenSha256"));
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.shop", manifest => manifest["Callers"]!["shop"]!["Certificate"] = ManifestSamples.Certificate);
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.shop.TokenSha256", manifest => manifest["Callers"]!["shop"]!["TokenSha256"] = "the token itself");
        Refused(ManifestProblemCode.CallerCredentialWrong, "Callers.bank.Certificate", manifest => manifest["Callers"]!["bank"]!["Certificate"] = "x");
        Refused(ManifestProblemCode.CallerCredentialRepeated, "Callers.shop", manifest => manifest["Callers"]!["late"] = manifest["Callers"]!["shop"]!.DeepClone());
        Refused(ManifestProblemCode.CallerModelWrong, "Callers.shop.Models", manifest => manifest["Callers"]!["shop"]!["Models"] = new JsonArray("nope"));
        Refused(ManifestProblemCode.CallerModelWrong, "Callers.shop.Models", manifest => manifest["Callers"]!["shop"]!["Models"] = new JsonArray());
        Refused(ManifestProblemCode.AnonymousModelWrong, "AnonymousModels", manifest => manifest["AnonymousModels"] = new JsonArray("nope"));
    }

    [Fact]
    public void TheSameUserTwiceIsSeenThroughItsSpelling()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["Users"]!["twin"] = new JsonObject { ["Certificate"] = ManifestSamples.Certificate + "\n" };
        Assert.Equal(ManifestProblemCode.UserCertificateRepeated, Assert.Single(ManifestSamples.Read(manifest).Problems).Code);
    }

    [Fact]
    public void TemplatesAreTriedOut()
    {
        Refused(ManifestProblemCode.TemplateWrong, "Marbles.serving.Parameters.Env.LEVEL", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Env"]!["LEVEL"] = "{{ foo }}");
        Refused(ManifestProblemCode.TemplateSecretMissing, "Marbles.serving.Parameters.Env.LEVEL", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Env"]!["LEVEL"] = "{{ hex .Secrets.nope }}");
        Refused(ManifestProblemCode.TemplateWrong, "Marbles.serving.Parameters.Env.LEVEL", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Env"]!["LEVEL"] = "{{ string .Secrets.modelKey }}");
        Refused(ManifestProblemCode.TemplateWrong, "Marbles.serving.Parameters.Env.LEVEL", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Env"]!["LEVEL"] = "a\0b");
        Refused(ManifestProblemCode.TemplateWrong, "Marbles.serving.Parameters.Env.LEVEL", manifest => manifest["Marbles"]!["serving"]!["Parameters"]!["Env"]!["LEVEL"] = "{{ pem .MarbleRun.MarbleCert.Private }}");
    }

    [Fact]
    public void EveryProblemIsReported()
    {
        JsonNode manifest = ManifestSamples.Full();
        manifest["Marbles"]!["serving"]!["Package"] = "nope";
        manifest["Models"]!["digits"]!["Digest"] = "";
        manifest["Roles"]!["keys"]!["Actions"] = new JsonArray("Fly");
        manifest["Config"]!["SealMode"] = "Sometimes";
        Assert.Equal(
            [ManifestProblemCode.MarblePackageMissing, ManifestProblemCode.RoleActionUnknown, ManifestProblemCode.SealModeUnknown, ManifestProblemCode.ModelDigestWrong],
            ManifestSamples.Read(manifest).Problems.Select(problem => problem.Code));
    }

    [Fact]
    public void AManifestOverTheLimitIsRefusedUnread()
    {
        ManifestOutcome outcome = ManifestReader.Read(new byte[ManifestReader.MaxBytes + 1], ManifestDialect.Cloister);
        Assert.Equal(ManifestProblemCode.TooLarge, Assert.Single(outcome.Problems).Code);
        Assert.Equal(ManifestProblemCode.Syntax, ManifestSamples.Read(new string('[', 5000)).Problems[0].Code);
        Assert.Equal(ManifestProblemCode.Syntax, ManifestSamples.Read($"[{string.Join(',', Enumerable.Repeat("0", 300_000))}]").Problems[0].Code);
    }

    [Fact]
    public void MutationsGiveAManifestOrProblems() => Mutations.Drive(
        data => ManifestReader.Fuzz(data), 3000,
        [1, .. Encoding.UTF8.GetBytes(ManifestSamples.Full().ToJsonString())],
        [0, .. Encoding.UTF8.GetBytes(ManifestSamples.Full().ToJsonString())],
        [0, .. """{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p"}},"Secrets":{"s":{"Type":"cert-rsa","Size":2048,"Cert":{"MaxPathLen":-1,"ExtKeyUsage":[1]}}},"Infrastructures":{"i":{"CPUSVN":[1,2],"RootCA":"AAAA"}}}"""u8]);
}

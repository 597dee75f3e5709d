using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

/// <summary>The rules of Go's decoder that the recorded verdicts do not reach.</summary>
public sealed class MarbleRunDialectTests
{
    private static ManifestOutcome Read(string json) => ManifestSamples.Read(json, ManifestDialect.MarbleRun);

    private static string With(string more) => $$$"""{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p"}},{{{more}}} }""";

    [Fact]
    public void NamesMatchWithoutCaseAndTheLastWins()
    {
        ManifestDocument manifest = Read("""{"pacKages":{"p":{"uniqueid":"a","UNIQUEID":"b"}},"MARBLES":{"m":{"package":"p"}}}""").Document;
        Assert.Equal("b", manifest.Packages["p"].UniqueId);
        // Go folds the Kelvin sign and the long s as well.
        Assert.True(Read("{\"Pac\u212Aage\u017F\":{\"p\":{\"UniqueID\":\"a\"}},\"Marble\u017F\":{\"m\":{\"Package\":\"p\"}}}").IsAccepted);
    }

    [Fact]
    public void RepeatedMapsMergeAndTheirEntriesAreReplacedWhole()
    {
        ManifestDocument manifest = Read("""{"Packages":{"p":{"UniqueID":"a"},"q":{"UniqueID":"b","Debug":true}},"Packages":{"q":{"UniqueID":"c"}},"Marbles":{"m":{"Package":"p"}}}""").Document;
        Assert.Equal(("a", "c", false), (manifest.Packages["p"].UniqueId, manifest.Packages["q"].UniqueId, manifest.Packages["q"].Debug));
        ManifestConfig config = Read(With("""  "Config":{"SealMode":"Disabled"},"Config":{"RotateRootSecret":true} """)).Document.Config;
        Assert.Equal(("Disabled", true), (config.SealMode, config.RotateRootSecret));
    }

    [Fact]
    public void NullUnsets()
    {
        Assert.Equal("no allowed packages defined", Read("""{"Packages":{"p":{"UniqueID":"a"}},"Packages":null,"Marbles":{"m":{"Package":"p"}}}""").Problems[0].Message["checking manifest: ".Length..]);
        ManifestDocument manifest = Read("""{"Packages":{"p":{"UniqueID":"a","ProductID":5,"ProductID":null,"Debug":null}},"Marbles":{"m":{"Package":"p","MaxActivations":4,"MaxActivations":null,"TLS":null}}}""").Document;
        Assert.Null(manifest.Packages["p"].ProductId);
        Assert.Equal(4UL, manifest.Marbles["m"].MaxActivations); // null leaves a number as it is
    }

    [Theory]
    [InlineData("18446744073709551615", true)]
    [InlineData("0", true)]
    [InlineData("1.0", false)]
    [InlineData("-0", false)]
    [InlineData("\"1\"", false)]
    [InlineData("true", false)]
    public void UnsignedNumbersAreDigits(string number, bool accepted) =>
        Assert.Equal(accepted, Read($$$"""{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p","MaxActivations":{{{number}}} } } }""").IsAccepted);

    [Theory]
    [InlineData("", "unexpected end of JSON input")]
    [InlineData("{", "unexpected end of JSON input")]
    [InlineData("{\"a\" 1}", "invalid character '1' after object key")]
    [InlineData("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair")]
    [InlineData("[1 2]", "invalid character '2' after array element")]
    [InlineData("{\"a\":01}", "invalid character '1' after object key:value pair")]
    [InlineData("{\"a\":1.}", "invalid character '}' after decimal point in numeric literal")]
    [InlineData("{\"a\":1e}", "invalid character '}' in exponent of numeric literal")]
    [InlineData("{\"a\":tru}", "invalid character '}' in literal true (expecting 'e')")]
    [InlineData("{\"a\":\"\\x\"}", "invalid character 'x' in string escape code")]
    [InlineData("{\"a\":\"\\u12g4\"}", "invalid character 'g' in \\u hexadecimal character escape")]
    [InlineData("{\"a\":\"\n\"}", "invalid character '\\x0a' in string literal")]
    [InlineData("// comment\n{}", "invalid character '/' looking for beginning of value")]
    public void SyntaxErrorsAreGos(string json, string message) =>
        Assert.Equal("unmarshaling manifest: " + message, Assert.Single(Read(json).Problems).Message);

    [Fact]
    public void StringsThatAreNotUnicodeAreMended()
    {
        ManifestDocument manifest = ManifestReader.Read(
            [.. """{"Packages":{"p":{"UniqueID":"a"}},"Marbles":{"m":{"Package":"p","Parameters":{"Files":{"/f":"x"""u8, 0xFF, .. """\ud800\ud83d\ude00"}}}}}"""u8], ManifestDialect.MarbleRun).Document;
        Assert.Equal("x\uFFFD\uFFFD\U0001F600", System.Text.Encoding.UTF8.GetString(manifest.Marbles["m"].Parameters.Files["/f"].Data.Span));
    }

    [Fact]
    public void BytesAreBase64OrNumbers()
    {
        ManifestInfrastructure read = Read(With("""  "Infrastructures":{"i":{"CPUSVN":"AAE\nC","RootCA":[1,null,255]}} """.Replace("\n", "\\n", StringComparison.Ordinal))).Document.Infrastructures["i"];
        Assert.Equal([0, 1, 2], read.CpuSvn.ToArray());
        Assert.Equal([1, 0, 255], read.RootCa.ToArray());
        Assert.False(Read(With("""  "Infrastructures":{"i":{"CPUSVN":"AA E="}} """)).IsAccepted);
        Assert.False(Read(With("""  "Infrastructures":{"i":{"CPUSVN":{}}} """)).IsAccepted);
    }

    [Theory]
    [InlineData("\"Users\":{\"u\":{\"Certificate\":\"C\",\"Roles\":[\"nope\"]}}", ManifestProblemCode.UserRoleMissing)]
    [InlineData("\"Roles\":{\"r\":{\"ResourceType\":\"Manifest\",\"ResourceNames\":[\"x\"]}}", ManifestProblemCode.RoleResourceNamesNotAllowed)]
    [InlineData("\"Roles\":{\"r\":{\"ResourceType\":\"Secrets\",\"ResourceNames\":[\"s\"],\"Actions\":[\"writesecret\"]}},\"Secrets\":{\"s\":{\"Type\":\"symmetric-key\",\"Size\":8,\"Shared\":true}}", ManifestProblemCode.RoleSecretWrong)]
    [InlineData("\"TLS\":{\"t\":{\"Incoming\":[{\"Port\":\"1\",\"Cert\":\"s\"}]}},\"Secrets\":{\"s\":{\"Type\":\"cert-ed25519\"}}", ManifestProblemCode.TlsEntryWrong)]
    [InlineData("\"TLS\":{\"t\":{\"Outgoing\":[{\"Addr\":\"a\"}]}}", ManifestProblemCode.TlsEntryWrong)]
    [InlineData("\"Secrets\":{\"s\":{\"Type\":\"cert-ed25519\",\"ValidFor\":3,\"Cert\":{\"NotAfter\":\"2100-01-01T00:00:00Z\"}}}", ManifestProblemCode.SecretLifetimeTwice)]
    [InlineData("\"Secrets\":{\"s\":{\"Type\":\"symmetric-key\",\"Size\":65288}}", ManifestProblemCode.SecretSizeWrong)]
    [InlineData("\"Secrets\":{\"s\":{\"Type\":\"cert-ecdsa\",\"Size\":256,\"Cert\":{\"ExtKeyUsage\":[99]}}}", ManifestProblemCode.SecretCertificateWrong)]
    [InlineData("\"Config\":{\"UpdateThreshold\":1}", ManifestProblemCode.UpdateThresholdTooHigh)]
    [InlineData("\"Config\":{\"FeatureGates\":[\"Fly\"]}", ManifestProblemCode.FeatureGateUnknown)]
    [InlineData("\"Config\":[]", ManifestProblemCode.WrongType)]
    [InlineData("\"RecoveryKeys\":{\"k\":\"x\"}", ManifestProblemCode.RecoveryKeyWrong)]
    [InlineData("\"RecoveryKeys\":{\"k\":\"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\"}", ManifestProblemCode.RecoveryKeyWrong)]
    public void OtherBranchesRefuse(string more, ManifestProblemCode code) =>
        Assert.Equal(code, Read(With(more)).Problems[0].Code);

    [Fact]
    public void PackageIdentityIsAskedOfUsedPackagesOnly()
    {
        Assert.True(Read("""{"Packages":{"p":{"UniqueID":"a"},"unused":{}},"Marbles":{"m":{"Package":"p"}}}""").IsAccepted);
        Assert.Equal(
            ["misses value for SignerID in package p", "misses value for ProductID in package p", "misses value for SecurityVersion in package p"],
            Read("""{"Packages":{"p":{}},"Marbles":{"m":{"Package":"p"},"n":{"Package":"p"}}}""").Problems.Select(problem => problem.Message["checking manifest: manifest ".Length..]));
        Assert.Equal(ManifestProblemCode.PackageOverspecified, Read("""{"Packages":{"p":{"UniqueID":"a","SignerID":"b"}},"Marbles":{"m":{"Package":"p"}}}""").Problems[0].Code);
    }

    [Fact]
    public void CloistersMembersAreUnknownHereAndIgnored()
    {
        ManifestOutcome outcome = Read(With(""" "Models":{"x":1},"Callers":[],"AnonymousModels":7 """));
        Assert.True(outcome.IsAccepted);
        Assert.Empty(outcome.Document.Models);
        // A policy is not a MarbleRun identity.
        Assert.False(Read("""{"Packages":{"p":{"Simulation":{}}},"Marbles":{"m":{"Package":"p"}}}""").IsAccepted);
    }
}

using System.Text;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

public sealed class ManifestUpdateTests
{
    [Theory]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}}}""", ManifestDialect.MarbleRun, true)]
    [InlineData("""{"packages":{"p":{"securityversion":5}},"Anything":1}""", ManifestDialect.MarbleRun, true)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"Config":{"UpdateThreshold":1}}""", ManifestDialect.MarbleRun, true)]
    [InlineData("{}", ManifestDialect.MarbleRun, true)]
    [InlineData("null", ManifestDialect.MarbleRun, true)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"Marbles":{},"Secrets":null}""", ManifestDialect.MarbleRun, true)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"Marbles":{"m":{"Package":"p"}}}""", ManifestDialect.MarbleRun, false)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"RecoveryKeys":{"k":""}}""", ManifestDialect.MarbleRun, false)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}}}""", ManifestDialect.Cloister, true)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"Config":{"UpdateThreshold":1}}""", ManifestDialect.Cloister, false)]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5}},"AnonymousModels":["m"]}""", ManifestDialect.Cloister, false)]
    [InlineData("""{"packages":{"p":{"SecurityVersion":5}}}""", ManifestDialect.Cloister, false)]
    [InlineData("""{"Packages":""", ManifestDialect.MarbleRun, false)]
    public void Packages_alone_make_an_update_of_packages(string json, ManifestDialect dialect, bool packages)
    {
        ManifestUpdate update = ManifestUpdate.Read(Encoding.UTF8.GetBytes(json), dialect);
        Assert.Equal(packages, update.Packages is not null);
        Assert.Equal(ManifestFingerprint.Of(Encoding.UTF8.GetBytes(json)), update.Manifest.Fingerprint);
        if (packages && json.Contains("ecurity", StringComparison.OrdinalIgnoreCase))
            Assert.Equal(new PackageRaise(5, NamesMore: false), update.Packages!["p"]);
    }

    [Theory]
    [InlineData("\"UniqueID\":\"1\"", true, true), InlineData("\"SignerID\":\"1\"", true, true), InlineData("\"ProductID\":0", true, true), InlineData("\"Debug\":true", true, true)]
    [InlineData("\"Debug\":false", false, false), InlineData("\"UniqueID\":\"\"", false, false), InlineData("\"AcceptedAdvisories\":[\"x\"]", false, true)]
    public void What_only_a_new_manifest_may_change_is_told(string member, bool inMarbleRun, bool inCloister)
    {
        byte[] json = Encoding.UTF8.GetBytes($"{{\"Packages\":{{\"p\":{{\"SecurityVersion\":5,{member}}}}}}}");
        Assert.Equal(inMarbleRun, ManifestUpdate.Read(json, ManifestDialect.MarbleRun).Packages!["p"].NamesMore);
        Assert.Equal(inCloister, ManifestUpdate.Read(json, ManifestDialect.Cloister).Packages!["p"].NamesMore);
    }

    [Theory, InlineData("x", true), InlineData("""{"Packages":{"p":{"SecurityVersion":-1}}}""", true), InlineData("""{"Marbles":{"m":{}}}""", false)]
    public void What_is_no_manifest_at_all_is_told_from_one_that_is_wrong(string json, bool undecodable) =>
        Assert.Equal(undecodable, ManifestUpdate.Read(Encoding.UTF8.GetBytes(json), ManifestDialect.MarbleRun).IsUndecodable);

    [Fact]
    public void Mutated_updates_never_throw()
    {
        byte[] valid = Encoding.UTF8.GetBytes("\0{\"Packages\":{\"p\":{\"SecurityVersion\":5},\"q\":{\"SecurityVersion\":18446744073709551615}}}");
        for (int seed = 0; seed < 4000; seed++)
        {
            var random = new Random(seed);
            List<byte> bytes = [.. valid];
            for (int change = random.Next(1, 5); change > 0 && bytes.Count > 0; change--)
            {
                int at = random.Next(bytes.Count);
                if (random.Next(3) == 0) bytes.RemoveAt(at);
                else bytes[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)"{}[]\",:0"[random.Next(8)];
            }
            ManifestUpdate.Fuzz([.. bytes]);
        }
    }

    [Fact]
    public void A_package_is_raised_and_never_lowered()
    {
        ManifestPackage package = ManifestReader.Read(
            """{"Packages":{"p":{"SignerID":"1","ProductID":1,"SecurityVersion":5}},"Marbles":{"m":{"Package":"p"}}}"""u8, ManifestDialect.MarbleRun).Document.Packages["p"];
        Assert.Equal(7UL, package.AtLeast(7).SecurityVersion);
        Assert.Equal(5UL, package.AtLeast(3).SecurityVersion);
    }
}

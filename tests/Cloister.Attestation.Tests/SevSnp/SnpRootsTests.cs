using System.Security.Cryptography;
using Cloister.Attestation.SevSnp;

namespace Cloister.Tests.SevSnp;

/// <summary>The authorities that everything of AMD's is traced back to.</summary>
public sealed class SnpRootsTests
{
    [SharedDataFact]
    public void The_pinned_roots_are_AMDs()
    {
        Assert.Equal(9, SnpRoots.PinnedNames.Count());
        foreach (string name in SnpRoots.PinnedNames)
        {
            string[] parts = name.Split('-');
            string pem = File.ReadAllText(TestData.Path($"trust-anchors/amd/{parts[1]}_{parts[0]}.pem"));
            Assert.Equal(Cloister.Attestation.Certificates.CertificateParser.ParseAny(System.Text.Encoding.ASCII.GetBytes(pem)).Value.Encoded.ToArray(), SnpRoots.PinnedBytes(name));
        }
    }

    [Fact]
    public void The_pinned_roots_are_frozen() => Assert.Equal(
        """
        ark-milan 69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd
        ask-milan 67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b
        asvk-milan c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5
        ark-genoa 4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1
        ask-genoa 5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521
        asvk-genoa 197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372
        ark-turin 1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a
        ask-turin 5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185
        asvk-turin 104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c
        """.ReplaceLineEndings("\n"),
        string.Join('\n', SnpRoots.PinnedNames.Select(name => $"{name} {Convert.ToHexStringLower(SHA256.HashData(SnpRoots.PinnedBytes(name)))}")));
}

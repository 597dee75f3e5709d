namespace Cloister.Sealing.Tests;

/// <summary>Runs what the package's README shows, and checks that it still shows it.</summary>
public class ReadmeTests
{
    [Fact]
    public async Task SealedFileExampleRuns()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(folder.File("model.onnx"), "a model"u8.ToArray());
        string source = folder.File("model.onnx"), target = folder.File("digits.sealed");

        using var maker = MakerKey.Generate(SignatureAlgorithm.Ed25519);
        using var key = SecretBytes.Random(SealedFile.KeySize);
        var content = new SealedContent("digits", 1, [SealedSource.FromFile("model.onnx", source)]);
        string digest = await SealedFile.SealAsync(target, content, key.Memory, maker);

        var trust = new SealedTrust(maker.Public, Convert.FromHexString(digest), MinimumVersion: 1, ExpectedName: "digits");
        await using var reader = await SealedFile.OpenAsync(target, trust, key.Memory);
        byte[] model = GC.AllocateUninitializedArray<byte>((int)reader.LengthOf("model.onnx"), pinned: true);
        await reader.ReadAsync("model.onnx", model);
        Assert.Equal("a model"u8.ToArray(), model);
    }

    [Fact]
    public void HpkeExampleRuns()
    {
        using var recipientKey = HpkePrivateKey.Generate(HpkeKem.X25519);
        var suite = new HpkeSuite(HpkeKem.X25519, HpkeAead.Aes256Gcm);
        using var sender = HpkeSender.Setup(suite, recipientKey.PublicKey.Span, "my protocol"u8);
        byte[] message = sender.Seal(associatedData: "header"u8, "secret"u8);

        using var recipient = HpkeRecipient.Setup(suite, recipientKey, sender.Encapsulation.Span, "my protocol"u8);
        byte[] secret = recipient.Open("header"u8, message);
        Assert.Equal("secret"u8.ToArray(), secret);
    }

    [Fact]
    public void SecretSharingExampleRuns()
    {
        using var key = SecretBytes.Random(SealedFile.KeySize);
        byte[][] shares = ShamirSharing.Split(key.Span, shares: 5, threshold: 3);
        byte[] joined = ShamirSharing.Combine(shares[4], shares[0], shares[2]);
        Assert.Equal(key.Span, joined);
    }

    [Fact]
    public async Task TheReadmeShowsTheseLines()
    {
        string root = Cloister.Tests.TestData.RepositoryRoot;
        string here = Squeeze(await File.ReadAllTextAsync(Path.Combine(root, "tests/Cloister.Sealing.Tests/ReadmeTests.cs")))
            .Replace("source", "\"model.onnx\"", StringComparison.Ordinal).Replace("target", "\"digits.sealed\"", StringComparison.Ordinal);
        string readme = await File.ReadAllTextAsync(Path.Combine(root, "src/Cloister.Sealing/README.md"));
        string[] blocks = readme.Split("```");
        int lines = 0;
        for (int block = 1; block < blocks.Length; block += 2)
        {
            foreach (string line in blocks[block].Split('\n').Skip(1).Select(line => Squeeze(line.Split("  //")[0])).Where(line => line.Length > 0))
            {
                Assert.Contains(line, here, StringComparison.Ordinal);
                lines++;
            }
        }
        Assert.Equal(16, lines);
    }

    private static string Squeeze(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
}

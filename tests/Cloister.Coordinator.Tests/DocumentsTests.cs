using System.Security.Cryptography;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Rest;
using Cloister.Tests;

namespace Cloister.Coordinator.Tests;

/// <summary>What the documents say is so.</summary>
public sealed class DocumentsTests
{
    [Fact]
    public void The_table_of_refusals_is_complete_and_true()
    {
        string[] lines = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "docs", "coordinator.md"));
        foreach (CoordinatorError error in Enum.GetValues<CoordinatorError>())
        {
            string[] cells = lines.Single(line => line.StartsWith($"| {(int)error} | {error} |", StringComparison.Ordinal)).Split('|', StringSplitOptions.TrimEntries);
            if (cells[3] != "-")
                Assert.Equal(cells[3], $"{RestAnswer.CodeV3(error)}");
            if (cells[4] != "-" && error != CoordinatorError.StorageFailed)
                Assert.Equal(cells[4], $"{ActivationEndpoints.StatusOf(error)}");
        }
    }

    [Fact]
    public async Task The_readme_example_runs()
    {
        string readme = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "src", "Cloister.Coordinator", "README.md"));
        string root = Directory.CreateTempSubdirectory("cloister-readme-").FullName, sealFolder = Path.Combine(root, "seal"), hostKeyFolder = Path.Combine(root, "host");
        using ECDsa owner = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ReadOnlyMemory<byte> ownerKey = owner.ExportSubjectPublicKeyInfo();
        string simulatorSocket = Path.Combine(root, "simulator.sock");
        await using (CoordinatorHost host = await CoordinatorHost.CreateAsync(new CoordinatorOptions
        {
            ClientAddress = "localhost:0",      // a free port; ":4433" by default
            MeshAddress = "localhost:0",        // ":2001" by default
            SealFolder = sealFolder,            // sealed_data and sealed_key
            HostKeyFolder = hostKeyFolder,      // the key that seals them, on a machine without a TEE or TPM
            OwnerKeys = [ownerKey],             // who must have signed the manifest; leave out to accept the first one
            SimulatorSocket = simulatorSocket,  // simulated evidence; null where there is none
        }))
        {
            using HttpClient client = Hosting.TestCoordinator.Connect(host.ClientAddress.Port, null, null);
            string status = await client.GetStringAsync("/api/v3/status");
            Assert.Contains(status.Trim(), readme, StringComparison.Ordinal);
            Assert.NotEqual(0, host.MeshAddress.Port);
        }
        string[] source = File.ReadAllLines(Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Coordinator.Tests", "DocumentsTests.cs"));
        Assert.All(readme.Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal)),
            line => Assert.Contains(source, written => written.Trim() == line.Trim()));
        Directory.Delete(root, recursive: true);
    }
}

using System.Xml.Linq;

namespace Cloister.Tests;

/// <summary>The arrows between rooms only point down: each room names what it may stand on.</summary>
public sealed class DesignMapTests
{
    private static readonly Dictionary<string, string[]> StandsOn = new()
    {
        ["Attestation"] = [],
        ["Sealing"] = [],
        ["Onnx"] = [],
        ["Homomorphic"] = [],
        ["Homomorphic.Import"] = ["Homomorphic", "Onnx"],
        ["Partitioning"] = ["Onnx"],
        ["Collateral"] = ["Attestation"],
        ["Protocol"] = ["Attestation"],
        ["Platform"] = ["Attestation", "Sealing"],
        ["Coordinator"] = ["Protocol", "Platform", "Collateral", "Sealing"],
        ["Workload"] = ["Protocol", "Platform"],
        ["Client"] = ["Protocol", "Collateral", "Sealing", "Homomorphic"],
        ["Images"] = ["Attestation", "Sealing"],
        ["Agent"] = ["Images", "Workload"],
        ["Serving"] = ["Workload", "Sealing", "Onnx", "Partitioning", "Homomorphic"],
        ["Cli"] = ["Coordinator", "Client", "Serving", "Homomorphic.Import", "Images", "Partitioning"],
    };

    public static TheoryData<string> Rooms() => [.. Directory.EnumerateDirectories(Path.Combine(TestData.RepositoryRoot, "src"), "Cloister.*").Select(folder => Path.GetFileName(folder)["Cloister.".Length..])];

    [Theory, MemberData(nameof(Rooms))]
    public void A_room_stands_only_on_what_the_map_allows(string room)
    {
        Assert.True(StandsOn.ContainsKey(room), $"Room {room} is not on the map: add it to docs/decisions and here.");
        string[] references = [.. ProjectFile(room).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)["Cloister.".Length..])];
        Assert.Empty(references.Except(StandsOn[room]));
    }

    [Theory, MemberData(nameof(Rooms))]
    public void A_library_room_has_a_readme_and_packs(string room)
    {
        Assert.True(File.Exists(Path.Combine(Folder(room), "README.md")) || room is "Cli", $"src/Cloister.{room}/README.md is missing.");
        Assert.NotEmpty(ProjectFile(room).Descendants("Description").Single().Value);
    }

    [Fact]
    public void Every_project_is_in_the_solution_with_its_lock_file()
    {
        string solution = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "Cloister.slnx"));
        foreach (string project in Projects())
        {
            string relative = Path.GetRelativePath(TestData.RepositoryRoot, project).Replace('\\', '/');
            Assert.True(solution.Contains(relative, StringComparison.Ordinal), $"{relative} is not in Cloister.slnx.");
            Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), $"{relative} has no lock file.");
        }
    }

    private static IEnumerable<string> Projects() => new[] { "src", "tests", "bench", "samples" }
        .Select(folder => Path.Combine(TestData.RepositoryRoot, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories))
        .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

    private static string Folder(string room) => Path.Combine(TestData.RepositoryRoot, "src", "Cloister." + room);

    private static XDocument ProjectFile(string room) => XDocument.Load(Path.Combine(Folder(room), $"Cloister.{room}.csproj"));
}

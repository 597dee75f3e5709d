using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>What an operator can change of a machine's files, and what becomes of the machine. Start lines and TPMs: QuickstartTests; disks: their own.</summary>
[Collection(ManyProgramsFixture.Name)]
public sealed class OperatorTests(ManyProgramsFixture fixture)
{
    private const int Block = 4096;

    [MachineFact]
    public async Task A_changed_block_of_the_root_ends_the_machine()
    {
        using var folder = new TemporaryFolder();
        string image = folder["image"];
        Directory.CreateDirectory(image);
        foreach (string file in Directory.EnumerateFiles(fixture.Image))
            File.Copy(file, Path.Combine(image, Path.GetFileName(file)));
        using (FileStream root = File.OpenWrite(Path.Combine(image, "root.img")))
        {
            // A bit in every eighth block behind the first megabyte: whatever the agent reads of its own program meets one.
            for (long at = 1 << 20; at < root.Length; at += 8 * Block)
            {
                root.Position = at;
                root.WriteByte(0x5A);
            }
        }
        Ended ended = await CloisterCommand.RunAsync("image", "start", image, "--machine", folder["machine"], "--json");
        Assert.NotEqual(0, ended.Code);
        Ended status = await CloisterCommand.RunAsync("image", "status", folder["machine"]);
        Assert.DoesNotContain("running", status.Output, StringComparison.OrdinalIgnoreCase);
    }

    [MachineFact]
    public async Task A_containers_archive_becomes_an_image_and_runs()
    {
        using var folder = new TemporaryFolder();
        ContainerArchive.Write(folder["greeter.tar"]);
        (await CloisterCommand.RunAsync("image", "import", folder["greeter.tar"], folder["greeter"], "--json")).Succeeded();
        (await CloisterCommand.RunAsync("image", "build", folder["greeter"], "--json")).Succeeded();
        Ended ended = await CloisterCommand.RunAsync("image", "run", Path.Combine(folder["greeter"], "image"), "--machine", folder["machine"]);
        ended.Succeeded();
        Assert.Contains(ContainerArchive.Greeting, ended.Output, StringComparison.Ordinal);
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>A supervisor that is killed, with real QEMU and a real TPM in which nothing but the firmware runs.</summary>
public sealed class SupervisorTests
{
    private const string Definition = """{"name":"firmware","entries":{"date":{"command":["/bin/date"]}},"machine":{"memory":256}}""";

    private static readonly string Digest = new('0', 64);
    private static readonly string Registers = "{" + string.Join(',', new[] { 4, 5, 7, 9, 11, 12 }.Select(register => $"\"{register}\":\"{Digest}\"")) + "}";
    private static readonly string Measurements =
        $"{{\"Format\":1,\"Name\":\"firmware\",\"Product\":0,\"Version\":0,\"Debug\":false,\"Uki\":\"{Digest}\",\"RootHash\":\"{Digest}\",\"Pcrs\":{{\"Kernel\":{Registers},\"Disk\":{Registers}}}}}";

    [MachineFact]
    public async Task Nothing_outlives_a_supervisor_that_is_killed_and_the_next_start_is_as_any()
    {
        using var folder = new TemporaryFolder();
        string image = WriteImage(folder["image"]), machine = folder["machine"];
        string[] run = ["image", "run", image, "--machine", machine, "--accelerator", "tcg", "--authority", folder["authority"], "--json"];
        using (Process supervisor = CloisterCommand.Start(run))
        {
            await CloisterCommand.WaitForAsync(supervisor, "firmware");
            int[] children = ChildrenIn(machine);
            Assert.Equal(2, children.Length);
            supervisor.Kill();
            await supervisor.WaitForExitAsync();
            await EndAsync(children);
        }
        Assert.Equal("killed", await StateAsync(machine));
        Assert.NotEqual(0, (await CloisterCommand.RunAsync("image", "exec", machine, "date")).Code);
        (await CloisterCommand.RunAsync("image", "stop", machine)).Succeeded();
        byte[] root = await File.ReadAllBytesAsync(Path.Combine(machine, "tpm", "root.pem"));
        using (Process again = CloisterCommand.Start(run))
        {
            await CloisterCommand.WaitForAsync(again, "firmware");
            Assert.NotEqual(0, (await CloisterCommand.RunAsync(run)).Code); // it runs already
            (await CloisterCommand.RunAsync("image", "stop", machine)).Succeeded();
            await again.WaitForExitAsync();
        }
        Assert.Empty(ChildrenIn(machine));
        Assert.Equal("off", await StateAsync(machine));
        Assert.Equal(root, await File.ReadAllBytesAsync(Path.Combine(machine, "tpm", "root.pem")));
    }

    [MachineFact]
    public async Task A_start_that_is_killed_takes_the_machine_with_it()
    {
        using var folder = new TemporaryFolder();
        string image = WriteImage(folder["image"]), machine = folder["machine"];
        using Process starter = CloisterCommand.Start("image", "start", image, "--machine", machine, "--accelerator", "tcg", "--authority", folder["authority"], "--json");
        await CloisterCommand.WaitForAsync(starter, "firmware");
        int supervisor = (int)(await StatusAsync(machine))["pid"]!;
        int[] children = ChildrenIn(machine);
        starter.Kill();
        await EndAsync([supervisor, .. children]);
        Assert.Equal("off", await StateAsync(machine));
    }

    private static string WriteImage(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "image.json"), Definition);
        File.WriteAllText(Path.Combine(folder, "measurements.json"), Measurements);
        File.WriteAllBytes(Path.Combine(folder, "uki.efi"), new byte[64 << 10]);
        File.WriteAllBytes(Path.Combine(folder, "root.img"), new byte[1 << 20]);
        return folder;
    }

    private static async Task<string> StateAsync(string machine) => (string)(await StatusAsync(machine))["state"]!;

    private static async Task<JsonObject> StatusAsync(string machine)
    {
        Ended status = await CloisterCommand.RunAsync("image", "status", machine, "--json");
        status.Succeeded();
        return status.Lines[^1];
    }

    private static async Task EndAsync(int[] processes)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (processes.Any(IsAlive))
            await Task.Delay(50, patience.Token);
    }

    private static bool IsAlive(int process)
    {
        string status = $"/proc/{process.ToString(CultureInfo.InvariantCulture)}/status";
        try
        {
            return File.Exists(status) && !File.ReadAllText(status).Contains("State:\tZ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    // QEMU and the TPM work in the machine's folder.
    private static int[] ChildrenIn(string machine) =>
        [.. Process.GetProcesses().Where(process => process.ProcessName.StartsWith("qemu", StringComparison.Ordinal) || process.ProcessName.StartsWith("swtpm", StringComparison.Ordinal))
            .Select(process => process.Id).Where(id => WorksIn(id) == machine && IsAlive(id))];

    private static string? WorksIn(int process)
    {
        try
        {
            return Directory.ResolveLinkTarget($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/cwd", returnFinalTarget: false)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

using System.Text.Json.Nodes;
using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>What a program inside finds when it tries all that it must not be able to do: the probe's report, field by field.</summary>
[Collection(ManyProgramsFixture.Name)]
public sealed class HardeningTests(HardeningTests.Report report) : IClassFixture<HardeningTests.Report>
{
    private const string Allowed = "ALLOWED", NoCapabilities = "0000000000000000";

    private static readonly string[] Permitted = ["kill process 1"];

    [MachineFact]
    public void The_program_has_no_rights_beyond_its_own()
    {
        JsonNode found = report.Found;
        Assert.Equal((1000, 1000), ((int)found["user"]!, (int)found["group"]!));
        Assert.Empty(found["groups"]!.AsArray());
        Assert.All(found["capabilities"]!.AsObject(), set => Assert.Equal(NoCapabilities, (string?)set.Value));
        Assert.Equal(5, found["capabilities"]!.AsObject().Count);
        Assert.Equal(1, (int)found["noNewPrivileges"]!);
        Assert.Equal(2, (int)found["seccomp"]!);
        Assert.Equal([0, 0], found["coreLimit"]!.AsArray().Select(limit => (int)limit!));
        Assert.Empty(found["privileged"]!.AsArray());
    }

    [MachineFact]
    public void The_kernel_is_locked()
    {
        JsonNode found = report.Found;
        Assert.Contains("[confidentiality]", (string?)found["lockdown"], StringComparison.Ordinal);
        Assert.Equal(0, (int)found["swaps"]!);
        string line = (string)found["commandLine"]!;
        foreach (string word in new[] { "roothash=", "lockdown=confidentiality", "module.sig_enforce=1", "panic=-1", "oops=panic" })
            Assert.Contains(word, line, StringComparison.Ordinal);
        Assert.DoesNotContain("console=ttyS", line, StringComparison.Ordinal);
        var wanted = new Dictionary<string, string>
        {
            ["kernel.modules_disabled"] = "1",
            ["kernel.kexec_load_disabled"] = "1",
            ["kernel.sysrq"] = "0",
            ["kernel.kptr_restrict"] = "2",
            ["kernel.dmesg_restrict"] = "1",
            ["kernel.yama.ptrace_scope"] = "3",
            ["kernel.unprivileged_bpf_disabled"] = "1",
            ["kernel.randomize_va_space"] = "2",
            ["kernel.panic_on_oops"] = "1",
            ["kernel.panic"] = "-1",
            ["fs.suid_dumpable"] = "0",
            ["fs.protected_hardlinks"] = "1",
            ["fs.protected_symlinks"] = "1",
            ["user.max_user_namespaces"] = "0",
            ["vm.unprivileged_userfaultfd"] = "0",
            ["net.core.bpf_jit_harden"] = "EACCES", // set to 2 by init; root's alone to read
            ["net.ipv4.ip_forward"] = "0",
        };
        Assert.Equal(wanted, wanted.ToDictionary(one => one.Key, one => (string)found["sysctls"]![one.Key]!));
    }

    [MachineFact]
    public void Everything_that_is_tried_fails()
    {
        JsonObject attempts = report.Found["attempts"]!.AsObject();
        Assert.True(attempts.Count > 80, $"only {attempts.Count} attempts");
        string[] succeeded = [.. attempts.Where(attempt => (string?)attempt.Value == Allowed && !Permitted.Contains(attempt.Key)).Select(attempt => attempt.Key)];
        Assert.True(succeeded.Length == 0, string.Join(", ", succeeded));
        // Refused by the rule that is meant, not because the thing happens to be absent.
        foreach ((string name, string[] reasons) in new (string, string[])[]
        {
            ("create in /usr", ["EROFS"]), ("create in /etc", ["EROFS"]), ("create in /", ["EROFS", "EACCES"]), ("execute from /tmp", ["EACCES"]), ("execute from /data", ["EACCES"]),
            ("read /dev/tpmrm0", ["EACCES"]), ("mount", ["EPERM"]), ("bpf", ["EPERM"]), ("kexec_load", ["EPERM"]), ("init_module", ["EPERM"]), ("packet socket", ["EPERM", "EAFNOSUPPORT"]),
            ("raw socket", ["EPERM"]), ("ptrace process 1", ["EPERM", "ESRCH"]), ("new user namespace", ["EPERM", "ENOSPC"]), ("read the agent's port", ["EACCES"]),
        })
            Assert.True(reasons.Contains((string?)attempts[name]), $"{name}: {attempts[name]}");
    }

    [MachineFact]
    public void What_can_be_written_is_in_memory_and_what_can_be_executed_is_in_the_proven_root()
    {
        JsonObject mounts = report.Found["mounts"]!.AsObject();
        Assert.Equal("squashfs", (string?)mounts["/"]!["type"]);
        foreach ((string path, JsonNode? mount) in mounts)
        {
            string[] options = [.. mount!["options"]!.AsArray().Select(option => (string)option!)];
            string type = (string)mount["type"]!;
            Assert.Contains(type, new[] { "squashfs", "tmpfs", "ramfs", "rootfs", "devtmpfs", "proc", "sysfs", "securityfs", "devpts" });
            if (type == "squashfs") Assert.Contains("ro", options);
            else if (!options.Contains("ro"))
                Assert.True(options.Contains("noexec") && options.Contains("nosuid"), $"{path}: {string.Join(',', options)}");
        }
    }

    [MachineFact]
    public void Nothing_runs_and_nothing_listens_but_what_was_started()
    {
        JsonNode found = report.Found;
        Assert.Empty(found["shells"]!.AsArray());
        Assert.All(found["processes"]!.AsArray(), process => Assert.Contains((string)process!["name"]!, new[] { "cloister-agent", "redis-server", "python3" }));
        Assert.All(found["listeners"]!.AsArray(), listener => Assert.Contains((string)listener!, new[] { "tcp:6379", "tcp:6380" }));
        Assert.All(found["interfaces"]!.AsArray(), name => Assert.Contains((string)name!, new[] { "lo", "eth0" }));
        Assert.All(found["devices"]!.AsArray(), device => Assert.Contains((string)device!, new[] { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts/ptmx" }));
    }

    /// <summary>Runs the probe once.</summary>
    public sealed class Report(ManyProgramsFixture fixture) : IAsyncLifetime
    {
        internal JsonNode Found { get; private set; } = new JsonObject();

        public async Task InitializeAsync()
        {
            if (MachineFactAttribute.Reason is not null) return;
            Ended ended = await fixture.Machine.ExecAsync("probe");
            ended.Succeeded();
            Found = JsonNode.Parse(ended.Output)!;
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>Images as a person makes them, without a boot.</summary>
public sealed class ImageVerbsTests
{
    [Fact]
    public async Task A_definition_is_written_once_and_what_is_wrong_in_it_is_named()
    {
        using var folder = new TemporaryFolder();
        (await CloisterCommand.RunAsync("image", "new", folder["hello"])).Succeeded();
        string yaml = folder["hello/image.yaml"], text = await File.ReadAllTextAsync(yaml);
        Ended again = await CloisterCommand.RunAsync("image", "new", folder["hello"]);
        Assert.Equal(4, again.Code);
        Assert.Contains("never overwritten", again.Error, StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(yaml));

        foreach ((string wrong, string named) in new[] { ("entries: {}", "entries"), ("user: 0", "entries.hello.user"), ("memory: 16", "needs at least 170"), ("surprise: 1", "surprise"), ("name: [", "line") })
        {
            await File.WriteAllTextAsync(yaml, wrong switch
            {
                "user: 0" => text.Replace("user: 1000", wrong, StringComparison.Ordinal),
                "memory: 16" => text.Replace("memory: 512", wrong, StringComparison.Ordinal),
                "surprise: 1" => text + wrong + "\n",
                _ => "name: x\n" + wrong + "\n",
            });
            Ended refused = await CloisterCommand.RunAsync("image", "build", folder["hello"]);
            Assert.Equal(4, refused.Code);
            Assert.Contains(named, refused.Error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(folder["hello/image"]));
        }
        Assert.Equal(4, (await CloisterCommand.RunAsync("image", "build", folder["absent"])).Code);
        Assert.Equal(4, (await CloisterCommand.RunAsync("image", "measure", folder["hello"])).Code);
        Ended imported = await CloisterCommand.RunAsync("image", "import", "debian:redis-server", folder["hello"], "--", "/usr/bin/redis-server", "--port", "6379");
        Assert.Equal(4, imported.Code);
        Assert.Contains("packages: [redis-server]", imported.Error, StringComparison.Ordinal);
        Assert.Contains("command: [/usr/bin/redis-server, \"--port\", \"6379\"]", imported.Error, StringComparison.Ordinal);
    }

    [BuildFact]
    public async Task What_new_writes_builds_as_it_is_and_says_what_is_in_it()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["guest/agent"]);
        File.Copy("/bin/true", folder["guest/agent/cloister-agent"]);
        (await CloisterCommand.RunAsync("image", "new", folder["hello"])).Succeeded();
        Ended built = await CloisterCommand.RunAsync("image", "build", folder["hello"], "--programs", folder["guest"], "--json");
        built.Succeeded();
        JsonNode measurements = Assert.Single(built.Lines)["measurements"]!;
        Assert.Equal("hello", (string?)measurements["Name"]);

        (await CloisterCommand.RunAsync("image", "package", folder["hello/image"], folder["hello.tar"], "--disk")).Succeeded();
        Ended measured = await CloisterCommand.RunAsync("image", "measure", folder["hello.tar"], "--json");
        measured.Succeeded();
        Assert.Equal((string?)measurements["Pcrs"]!["Kernel"]!["11"], (string?)Assert.Single(measured.Lines)["Pcrs"]!["Kernel"]!["11"]);
        Ended inspected = await CloisterCommand.RunAsync("image", "inspect", folder["hello/image"], "--files");
        inspected.Succeeded();
        foreach (string part in new[] { ".cmdline", "roothash=", "busybox-static", "/cloister/launch/hello", "\"command\"" })
            Assert.Contains(part, inspected.Output, StringComparison.Ordinal);

        // Another day, folder, time zone, umask and cache, and a clock that somebody set for tools that obey it.
        (await CloisterCommand.RunAsync("image", "new", folder["elsewhere/hello"])).Succeeded();
        Directory.CreateDirectory(folder["cache"]);
        string caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        Directory.CreateSymbolicLink(folder["cache/packages"], Path.Combine(caches, "cloister", "packages"));
        string[] command = ["-c", "umask 077; exec \"$@\"", "sh", CloisterCommand.Executable, "image", "build", folder["elsewhere/hello"], "--programs", folder["guest"], "--cache", folder["cache"]];
        var start = new ProcessStartInfo("/bin/sh", command) { RedirectStandardError = true, RedirectStandardOutput = true };
        (start.Environment["TZ"], start.Environment["SOURCE_DATE_EPOCH"], start.Environment["LC_ALL"]) = ("Asia/Tokyo", "1234567890", "C.UTF-8");
        using (Process process = Process.Start(start)!)
        {
            Task<string> error = process.StandardError.ReadToEndAsync();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, await error);
        }
        foreach (string file in Directory.EnumerateFiles(folder["hello/image"]))
            Assert.True(File.ReadAllBytes(file).AsSpan().SequenceEqual(File.ReadAllBytes(folder["elsewhere/hello/image/" + Path.GetFileName(file)])), file);

        await using (FileStream root = File.OpenWrite(folder["hello/image/root.img"]))
            root.WriteByte(0);
        Ended changed = await CloisterCommand.RunAsync("image", "measure", folder["hello/image"]);
        Assert.Equal(3, changed.Code);
        Assert.Contains("root.img", changed.Error, StringComparison.Ordinal);
    }
}

/// <summary>A fact that builds an image; skipped, with the reason, where that cannot be done.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BuildFactAttribute : FactAttribute
{
    public BuildFactAttribute()
    {
        if (new[] { "sqfstar", "apt-get", "dpkg-deb" }.FirstOrDefault(tool => !File.Exists("/usr/bin/" + tool)) is { } missing)
            Skip = $"{missing} is not there: apt-get install -y squashfs-tools";
    }
}

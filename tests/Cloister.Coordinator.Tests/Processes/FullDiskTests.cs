using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>A test on a disk of its own, mounted in a namespace of its own.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute()
    {
        if (!OperatingSystem.IsLinux() || !CanMount())
            Skip = "No small disk can be mounted here: that takes Linux with unshare(1) and user namespaces.";
    }

    private static bool CanMount()
    {
        try
        {
            using Process tried = Process.Start("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", Path.GetTempPath()]);
            tried.WaitForExit();
            return tried.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>A disk that is really full: what does not fit is refused, what was acknowledged stays, and with more room the coordinator goes on.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const int Secrets = 40, SecretBytes = 30_000;

    // Two lives on one disk, which is larger in the second; the process id before each.
    private const string Script = """
        mount -t tmpfs -o size=600k tmpfs "$1" || exit 9
        exec 3<&0
        "$0" coordinator <&3 & echo $!; wait $!
        mount -o remount,size=4m "$1" || exit 9
        "$0" coordinator <&3 & echo $!; wait $!
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-full-disk-").FullName;
    private readonly X509Certificate2 _user = TestManifest.Certificate("user");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [SmallDiskFact]
    public async Task What_was_acknowledged_outlives_a_full_disk()
    {
        using Process shell = Start();
        (int pid, int port) = await LifeAsync(shell);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(port, "/manifest", Manifest())).Code);
        var acknowledged = new Dictionary<string, byte[]>();
        string refusal = "";
        for (int i = 0; i < Secrets && refusal.Length == 0; i++)
        {
            byte[] value = RandomNumberGenerator.GetBytes(SecretBytes);
            (HttpStatusCode code, string answer) = await UploadAsync(port, Name(i), value);
            if (code == HttpStatusCode.OK)
                acknowledged.Add(Name(i), value);
            else
                refusal = answer;
        }
        Assert.Contains("The state could not be written", refusal, StringComparison.Ordinal);
        Assert.InRange(acknowledged.Count, 1, Secrets - 1);
        await CheckAsync(port, acknowledged);

        using (Process coordinator = Process.GetProcessById(pid))
            coordinator.Kill();
        (pid, port) = await LifeAsync(shell);
        await CheckAsync(port, acknowledged);
        byte[] late = RandomNumberGenerator.GetBytes(SecretBytes);
        acknowledged[Name(Secrets - 1)] = late;
        Assert.Equal(HttpStatusCode.OK, (await UploadAsync(port, Name(Secrets - 1), late)).Code);
        await CheckAsync(port, acknowledged);
        using (Process coordinator = Process.GetProcessById(pid))
            coordinator.Kill();
        await shell.WaitForExitAsync();
    }

    private async Task CheckAsync(int port, Dictionary<string, byte[]> acknowledged)
    {
        using HttpClient client = TestCoordinator.Connect(port, _user, null);
        JsonElement stored = JsonDocument.Parse(await client.GetStringAsync(new Uri("/secrets?" + string.Join('&', acknowledged.Keys.Select(name => "s=" + name)), UriKind.Relative))).RootElement.GetProperty("data");
        foreach ((string name, byte[] value) in acknowledged)
            Assert.Equal(value, stored.GetProperty(name).GetProperty("Private").GetBytesFromBase64());
    }

    private Task<(HttpStatusCode Code, string Answer)> UploadAsync(int port, string name, byte[] value) =>
        PostAsync(port, "/secrets", new JsonObject { [name] = new JsonObject { ["Key"] = Convert.ToBase64String(value) } }.ToJsonString());

    private async Task<(HttpStatusCode Code, string Answer)> PostAsync(int port, string path, string body)
    {
        using HttpClient client = TestCoordinator.Connect(port, _user, null);
        using HttpResponseMessage answer = await client.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static string Name(int secret) => $"secret{secret}";

    private string Manifest()
    {
        var secrets = new JsonObject();
        var names = new JsonArray();
        for (int i = 0; i < Secrets; i++)
        {
            secrets[Name(i)] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true };
            names.Add(Name(i));
        }
        return new JsonObject
        {
            ["Packages"] = new JsonObject { ["p"] = new JsonObject { ["UniqueID"] = new string('5', 64) } },
            ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p" } },
            ["Secrets"] = secrets,
            ["Users"] = new JsonObject { ["user"] = new JsonObject { ["Certificate"] = _user.ExportCertificatePem(), ["Roles"] = new JsonArray("all") } },
            ["Roles"] = new JsonObject { ["all"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = names, ["Actions"] = new JsonArray("ReadSecret", "WriteSecret") } },
        }.ToJsonString();
    }

    private Process Start()
    {
        var start = new ProcessStartInfo("unshare", ["-rm", "sh", "-c", Script, CoordinatorProcess.Executable, Directory.CreateDirectory(Path.Combine(_root, "disk")).FullName])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        CoordinatorProcess.Configure(start, Path.Combine(_root, "disk", "seal"), Path.Combine(_root, "host"), simulation: true);
        return Process.Start(start)!;
    }

    private static async Task<(int Pid, int Port)> LifeAsync(Process shell)
    {
        string pid = await shell.StandardOutput.ReadLineAsync() ?? "", ports = await shell.StandardOutput.ReadLineAsync() ?? "";
        return (int.Parse(pid, CultureInfo.InvariantCulture), int.Parse(ports.Split(' ')[0], CultureInfo.InvariantCulture));
    }
}

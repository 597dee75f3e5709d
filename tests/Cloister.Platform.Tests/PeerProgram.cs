using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Cloister.Attestation;

namespace Cloister.Tests;

/// <summary>A copy of the peer program in a folder of its own; started, it asks a simulator for evidence about itself.</summary>
internal sealed class PeerProgram : IDisposable
{
    public static readonly byte[] Nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    public static readonly byte[] Key = [0x30, 0x00];
    private readonly TemporaryFolder _folder = new();

    public PeerProgram()
    {
        string built = typeof(PeerProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(value => value.Key == "PeerFolder").Value!;
        Directory.CreateDirectory(Folder);
        foreach (string file in Directory.EnumerateFiles(built).Where(file => Path.GetExtension(file) is not (".pdb" or ".xml")))
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
    }

    public static Binding Binding { get; } = new(AttesterRole.Workload, Nonce, Key);

    public string Folder => _folder["app"];

    public string Executable => Path.Combine(Folder, "peer");

    public async Task<string> RunAsync(string socket, string[]? arguments = null, params (string Name, string Value)[] environment)
    {
        using Process process = Start(socket, arguments, environment);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        Assert.True(output.Length > 0, await error);
        return output;
    }

    public async Task<EvidenceSet> AskAsync(string socket, params string[] arguments) =>
        EvidenceCodec.Decode(Convert.FromHexString(await RunAsync(socket, arguments))).Value;

    public Process Start(string socket, string[]? arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Executable, arguments ?? []) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        // The framework's folder, for a program that is not started by `dotnet`.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment["CLOISTER_SIMULATOR"] = socket;
        start.Environment["PEER_NONCE"] = Convert.ToHexString(Nonce);
        start.Environment["PEER_KEY"] = Convert.ToHexString(Key);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public void Dispose() => _folder.Dispose();
}

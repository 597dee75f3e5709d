using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Coordinator;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Bench;

/// <summary>A coordinator as a process of its own on loopback, so that its CPU time can be read: ours, or MarbleRun's where its binary is named.</summary>
internal sealed class MeasuredCoordinator : IAsyncDisposable
{
    private const string HostKeyFile = "host-key.der";
    private static readonly byte[] Measurement = SHA256.HashData("coordinator"u8);

    private readonly Process _process;
    private readonly string _folder;

    private MeasuredCoordinator(Process process, string folder, int clientPort, int meshPort) =>
        (_process, _folder, ClientPort, MeshPort) = (process, folder, clientPort, meshPort);

    public int MeshPort { get; }

    private int ClientPort { get; }

    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.HasExited ? throw new InvalidOperationException($"The coordinator ended with {_process.ExitCode}.") : _process.TotalProcessorTime;
        }
    }

    /// <summary>Ours; <paramref name="hostKey"/> signs its evidence.</summary>
    public static async Task<MeasuredCoordinator> StartAsync(ECDsa hostKey, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        await File.WriteAllBytesAsync(Path.Combine(folder, HostKeyFile), hostKey.ExportPkcs8PrivateKey(), cancellation);
        Process process = Process.Start(Child("coordinate", folder))!;
        string[] ports = (await process.StandardOutput.ReadLineAsync(cancellation) ?? throw new InvalidOperationException("The coordinator ended before it served.")).Split(' ');
        return new MeasuredCoordinator(process, folder, int.Parse(ports[0], null), int.Parse(ports[1], null));
    }

    /// <summary>
    /// This program again with other arguments. All its code is compiled in full when it is first used, as it is after some minutes anyway:
    /// else the compiler's time would be measured.
    /// </summary>
    public static ProcessStartInfo Child(params string[] arguments) => new(Environment.ProcessPath!, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardInput = true,
        Environment = { ["DOTNET_TieredCompilation"] = "0", ["DOTNET_ReadyToRun"] = "0" },
    };

    /// <summary>The child process: runs until its standard input ends.</summary>
    public static async Task<int> CoordinateAsync(string folder)
    {
        using var hostKey = ECDsa.Create();
        hostKey.ImportPkcs8PrivateKey(await File.ReadAllBytesAsync(Path.Combine(folder, HostKeyFile)), out _);
        await using CoordinatorHost host = await CreateAsync(folder, hostKey);
        Console.WriteLine($"{host.ClientAddress.Port} {host.MeshAddress.Port}");
        await Console.In.ReadLineAsync();
        return 0;
    }

    /// <summary>A coordinator in this process, with its state in the folder.</summary>
    public static Task<CoordinatorHost> CreateAsync(string folder, ECDsa hostKey)
    {
        var options = new CoordinatorOptions
        {
            ClientAddress = "localhost:0",
            MeshAddress = "localhost:0",
            SealFolder = Path.Combine(folder, "seal"),
            HostKeyFolder = Path.Combine(folder, "host"),
            Simulation = true,
        };
        return CoordinatorHost.CreateAsync(
            options, new TestOnlyIssuer(hostKey, Measurement), VerifierRegistry.CreateDefault(), NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
    }

    /// <summary>MarbleRun's coordinator in its simulation, from the binary at <paramref name="path"/>.</summary>
    public static async Task<MeasuredCoordinator> StartMarbleRunAsync(string path, CancellationToken cancellation)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        (int client, int mesh) = (FreePort(), FreePort());
        var start = new ProcessStartInfo(path) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OE_SIMULATION"] = "1";
        start.Environment["EDG_COORDINATOR_CLIENT_ADDR"] = $"localhost:{client}";
        start.Environment["EDG_COORDINATOR_MESH_ADDR"] = $"localhost:{mesh}";
        start.Environment["EDG_COORDINATOR_SEAL_DIR"] = Path.Combine(folder, "seal");
        Process process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var coordinator = new MeasuredCoordinator(process, folder, client, mesh);
        using HttpClient http = Connect(client, null);
        while (true)
        {
            try
            {
                (await http.GetAsync("/status", cancellation)).EnsureSuccessStatusCode();
                return coordinator;
            }
            catch (HttpRequestException) when (!process.HasExited)
            {
                await Task.Delay(100, cancellation);
            }
        }
    }

    /// <summary>Sets the manifest; false says that the coordinator refuses it.</summary>
    public Task<bool> SetManifestAsync(string path, string manifest, CancellationToken cancellation) => SetManifestAsync(ClientPort, path, manifest, cancellation);

    /// <inheritdoc cref="SetManifestAsync(string, string, CancellationToken)"/>
    public static async Task<bool> SetManifestAsync(int port, string path, string manifest, CancellationToken cancellation)
    {
        using HttpClient http = Connect(port, null);
        byte[] bytes = Encoding.UTF8.GetBytes(manifest);
        using JsonContent body = path.Contains("v3", StringComparison.Ordinal)
            ? JsonContent.Create(new { manifest = bytes, ownerSignatures = Array.Empty<object>() })
            : JsonContent.Create(new { manifest = bytes });
        await body.LoadIntoBufferAsync(cancellation);
        using HttpResponseMessage answer = await http.PostAsync(path, body, cancellation);
        if (answer.IsSuccessStatusCode)
            return true;
        Console.Error.WriteLine($"activation: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellation)}");
        return false;
    }

    /// <summary>A client with a connection of its own.</summary>
    public static HttpClient Connect(int port, SslStreamCertificateContext? certificate)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.ClientCertificateContext = certificate;
        // The load goes to a child process; which certificate it shows is of no interest here.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{port}") };
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

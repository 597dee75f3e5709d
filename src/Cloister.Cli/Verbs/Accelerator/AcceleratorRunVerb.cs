using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class AcceleratorRunVerb
{
    private static readonly AcceleratorOptions Defaults = new();

    private static readonly Option<string> Listen = new("--listen") { Description = "unix:/path (workloads may use shm:/path too), tls:host:port or tcp:host:port; port 0 takes a free one. TLS hides from the network what crosses, TCP does not; neither asks who calls, so that whoever reaches the port is served.", Required = true };
    private static readonly Option<string?> Certificate = new("--certificate") { Description = "For tls: the certificate, PEM. Workloads know its key and look at nothing else in it. Without one a key is made that ends with this process." };
    private static readonly Option<string?> PrivateKey = new("--private-key") { Description = "For tls: the certificate's private key, PEM." };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads inside one run; 0 is one a core. Runs go one after the other." };
    private static readonly Option<int> MaximumModels = new("--max-models") { Description = "Models held ready at once.", DefaultValueFactory = _ => Defaults.MaximumModels };
    private static readonly Option<int> MaximumModelMebibytes = new("--max-model-mib") { Description = "Mebibytes of all models.", DefaultValueFactory = _ => (int)(Defaults.MaximumModelBytes >> 20) };
    private static readonly Option<int> MaximumRunMebibytes = new("--max-run-mib") { Description = "Mebibytes of the tensors of one run.", DefaultValueFactory = _ => (int)(Defaults.MaximumRunBytes >> 20) };
    private static readonly Option<int> MaximumConnections = new("--max-connections") { Description = "Workloads at once.", DefaultValueFactory = _ => Defaults.MaximumConnections };

    public static Command Create() => new Verb("run", "Compute the BackNets that workloads send here. It needs no secret and is trusted with none: whoever runs it sees the tensors that cross the cut.",
        "cloister accelerator run --listen unix:/run/cloister/a.sock", "cloister accelerator run --listen tls:10.0.0.7:7700 --certificate cert.pem --private-key key.pem")
    {
        Listen, Certificate, PrivateKey, Threads, MaximumModels, MaximumModelMebibytes, MaximumRunMebibytes, MaximumConnections,
    }.Runs(RunAsync);

    private static async Task RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        AcceleratorAddress address = AcceleratorAddress.Parse(parsed.GetRequiredValue(Listen));
        if (address.Pin is not null)
            throw new CommandException(ExitCode.Usage, "An accelerator listens at tls:host:port; what stands behind # is for workloads, and is printed when it listens.");
        using X509Certificate2? certificate = await CertificateAsync(parsed, address, cancellation);
        var options = new AcceleratorOptions
        {
            Certificate = certificate,
            Threads = AtLeast(parsed, Threads, 0),
            MaximumModels = AtLeast(parsed, MaximumModels, 1),
            MaximumModelBytes = (long)AtLeast(parsed, MaximumModelMebibytes, 1) << 20,
            MaximumRunBytes = (long)AtLeast(parsed, MaximumRunMebibytes, 1) << 20,
            MaximumConnections = AtLeast(parsed, MaximumConnections, 1),
        };
        using ILoggerFactory logs = Logs.Create(screen);
        try
        {
            await AcceleratorHost.RunAsync(address, options, logs.CreateLogger("Cloister.Accelerator"), cancellation, reached =>
                screen.Result($"listening on {reached}", new JsonObject { ["event"] = "listening", ["address"] = reached.ToString() }));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            screen.Line("stopped.");
        }
    }

    private static async Task<X509Certificate2?> CertificateAsync(ParseResult parsed, AcceleratorAddress address, CancellationToken cancellation)
    {
        string? certificate = parsed.GetValue(Certificate), key = parsed.GetValue(PrivateKey);
        if (certificate is null && key is null) return null;
        if (certificate is null || key is null || address.Transport != AcceleratorTransport.Tls)
            throw new CommandException(ExitCode.Usage, $"{Certificate.Name} and {PrivateKey.Name} go together, and with --listen tls:host:port.");
        return await Peer.ReadIdentityAsync(certificate, key, cancellation);
    }

    private static int AtLeast(ParseResult parsed, Option<int> option, int least) => parsed.GetValue(option) is var value && value >= least
        ? value
        : throw new CommandException(ExitCode.Usage, $"{option.Name} is at least {least}.");
}

using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Serialization.Metadata;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Rest;

namespace Cloister.Cli.Quickstart.Attacks;

/// <summary>Reads what anybody can read, verifying nothing, and remembers the certificate that was presented last.</summary>
internal sealed class Eavesdropper : IDisposable
{
    private readonly HttpClient _http;

    public Eavesdropper()
    {
        var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
            {
                Peer = X509CertificateLoader.LoadCertificate(certificate!.RawData);
                return true;
            },
        };
        _http = new HttpClient(handler);
    }

    public X509Certificate2? Peer { get; private set; }

    public async Task<T> GetAsync<T>(Uri server, string path, JsonTypeInfo<JSend<T>> type, CancellationToken cancellation) where T : class
    {
        byte[] body = await _http.GetByteArrayAsync(new Uri(server, path), cancellation);
        return RestJson.Read(body, type).Data ?? throw new CommandException(ExitCode.Unavailable, $"{server} sent no data for {path}.");
    }

    public void Dispose() => _http.Dispose();
}

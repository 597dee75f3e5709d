using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>What an activation answered: a gRPC status, and the parameters of a success.</summary>
internal sealed record Activated(int Code, string Message, IReadOnlyDictionary<string, byte[]> Files, IReadOnlyDictionary<string, byte[]> Env, IReadOnlyList<string> Argv)
{
    public const int InvalidArgument = 3, PermissionDenied = 7, FailedPrecondition = 9, Internal = 13;

    public string File(string path) => Encoding.UTF8.GetString(Files[path]);

    public string Variable(string name) => Encoding.UTF8.GetString(Env[name]);

    public Activated Succeeded()
    {
        Assert.True(Code == 0, $"gRPC {Code}: {Message}");
        return this;
    }

    public void IsRefused(int code, string message) => Assert.Equal((code, message), (Code, Message));
}

/// <summary>
/// Does what MarbleRun's premain does without an enclave: a P-384 key, a certificate signed with it for the connection, a
/// request for a certificate, an empty quote, and no look at the server's certificate.
/// </summary>
internal static class MarbleRunMarble
{
    public static async Task<Activated> ActivateAsync(MarbleRunCoordinator coordinator, string type, string? uuid = null, byte[]? request = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var subject = new CertificateRequest("CN=MarbleRun Marble", key, HashAlgorithmName.SHA384);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        subject.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = subject.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);

        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null,
                ClientCertificates = [certificate],
                LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
            },
        };
        using var http = new HttpClient(handler);
        byte[] message = [.. Field(1, []), .. Field(2, request ?? subject.CreateSigningRequest()), .. Field(3, Encoding.UTF8.GetBytes(type)), .. Field(4, Encoding.UTF8.GetBytes(uuid ?? Guid.NewGuid().ToString()))];
        byte[] frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        using var call = new HttpRequestMessage(HttpMethod.Post, $"https://{coordinator.Mesh}/rpc.Marble/Activate")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        call.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        call.Headers.TE.ParseAdd("trailers");
        using HttpResponseMessage answer = await http.SendAsync(call);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        HttpHeaders status = answer.TrailingHeaders.Contains("grpc-status") ? answer.TrailingHeaders : answer.Headers;
        int code = int.Parse(status.GetValues("grpc-status").Single(), System.Globalization.CultureInfo.InvariantCulture);
        string text = status.TryGetValues("grpc-message", out IEnumerable<string>? messages) ? Uri.UnescapeDataString(messages.Single()) : "";
        return Read(code, text, code == 0 ? body[5..] : []);
    }

    private static Activated Read(int code, string message, byte[] answer)
    {
        var files = new Dictionary<string, byte[]>();
        var env = new Dictionary<string, byte[]>();
        var argv = new List<string>();
        foreach ((int _, byte[] parameters) in Fields(answer))
        {
            foreach ((int field, byte[] value) in Fields(parameters))
            {
                if (field == 3)
                {
                    argv.Add(Encoding.UTF8.GetString(value));
                    continue;
                }
                (int Field, byte[] Value)[] entry = [.. Fields(value)];
                (field == 1 ? files : env)[Encoding.UTF8.GetString(entry.Single(part => part.Field == 1).Value)] = entry.SingleOrDefault(part => part.Field == 2).Value ?? [];
            }
        }
        return new Activated(code, message, files, env, argv);
    }

    // Every field of MarbleRun's messages is length-delimited: a tag, a length, the bytes.
    private static byte[] Field(int number, byte[] value) => [(byte)(number << 3 | 2), .. Varint(value.Length), .. value];

    private static IEnumerable<byte> Varint(int value)
    {
        for (; value > 0x7f; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }

    private static IEnumerable<(int Field, byte[] Value)> Fields(byte[] message)
    {
        for (int at = 0; at < message.Length;)
        {
            int field = message[at++] >> 3, length = 0;
            for (int shift = 0; ; shift += 7)
            {
                length |= (message[at] & 0x7f) << shift;
                if (message[at++] < 0x80)
                    break;
            }
            yield return (field, message[at..(at + length)]);
            at += length;
        }
    }
}

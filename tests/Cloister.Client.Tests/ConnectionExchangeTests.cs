using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Cloister.Tests.Mesh;

namespace Cloister.Client.Tests;

/// <summary>Answers of a server that nobody verified yet, over real TLS.</summary>
public sealed class ConnectionExchangeTests
{
    [Fact]
    public async Task OneAnswerIsTakenAndTheConnectionStaysUsable()
    {
        HttpAnswer answer = await AskAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nServer: any\r\n\r\n{}");
        Assert.Equal((200, "{}"), (answer.Status, Encoding.ASCII.GetString(answer.Body)));
        answer = await AskAsync("HTTP/1.1 503 \r\ncontent-length:0\r\nConnection: keep-alive\r\n\r\n");
        Assert.Equal((503, 0), (answer.Status, answer.Body.Length));
        answer = await AskAsync("HTTP/1.1 404\r\nCONTENT-LENGTH: \t3 \r\n\r\n", "abc");
        Assert.Equal((404, "abc"), (answer.Status, Encoding.ASCII.GetString(answer.Body)));
    }

    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/2 200\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 2000\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}")]
    public async Task WhatIsNotOnePlainAnswerIsRefused(string answer) => Assert.Equal(ClientError.AnswerMalformed, (await FailsAsync(answer)).Error);

    [Fact]
    public async Task AnEndlessHeadIsRefused() => Assert.Equal(ClientError.AnswerMalformed, (await FailsAsync("HTTP/1.1 200 OK\r\nX: " + new string('x', 1 << 20))).Error);

    [Fact]
    public async Task ATooLongBodyIsRefusedBeforeItIsRead() => Assert.Equal(ClientError.AnswerTooLarge, (await FailsAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n")).Error);

    [Fact]
    public async Task AnAnswerThatBreaksOffIsRefused()
    {
        Assert.Equal(ClientError.Unreachable, (await FailsAsync("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}")).Error);
        Assert.Equal(ClientError.Unreachable, (await FailsAsync("HTTP/1.1 200")).Error);
        Assert.Equal(ClientError.Unreachable, (await FailsAsync("")).Error);
    }

    [Fact]
    public void HostileHeadsAreRefusedAndNothingElse() => Mutations.Drive(m => ResponseHead.Fuzz(m.Span), 30_000,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n"u8.ToArray(), "HTTP/1.1 404\r\ncontent-length:0\r\n\r\n"u8.ToArray());

    private static async Task<ClientException> FailsAsync(string answer) => await Assert.ThrowsAsync<ClientException>(() => AskAsync(answer));

    // The server answers in the given pieces, then hangs up.
    private static async Task<HttpAnswer> AskAsync(params string[] answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = ServeAsync(listener, answer);
        await using SslStream connection = await WorkloadConnection.OpenAsync(new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndpoint).Port), null, new ClientOptions(), CancellationToken.None);
        try
        {
            return await ConnectionExchange.GetAsync(connection, "localhost", "/path", 1_000_000, CancellationToken.None);
        }
        finally
        {
            await connection.DisposeAsync();
            await serving;
        }
    }

    private static async Task ServeAsync(TcpListener listener, string[] answer)
    {
        using TcpClient client = await listener.AcceptTcpClientAsync();
        await using var stream = new SslStream(client.GetStream());
        using var certificate = TestCertificate.Create();
        await stream.AuthenticateAsServerAsync(certificate);
        byte[] request = new byte[4096];
        int read = await stream.ReadAsync(request);
        Assert.StartsWith("GET /path HTTP/1.1\r\nHost: localhost\r\n", Encoding.ASCII.GetString(request, 0, read), StringComparison.Ordinal);
        try
        {
            foreach (string piece in answer)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(piece));
                await stream.FlushAsync();
            }
        }
        catch (IOException)
        {
            // The client refused what it had read and hung up.
        }
    }
}

using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Coordinator.Stores;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;

namespace Cloister.Coordinator.Tests.Hosting;

public sealed class HostTests
{
    [Fact]
    public async Task A_client_verifies_the_evidence_over_its_own_connection()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        byte[] key = [], nonce = RandomNumberGenerator.GetBytes(32);
        using HttpClient client = coordinator.Client(serverKey: served => key = served);
        CoordinatorPolicy policy = new(coordinator.CoordinatorPolicy, OwnerRequirement.AnyOwner, ManifestRequirement.AnyManifest);
        AttestationResult before = await JudgeAsync(policy.BeforeManifest());
        Assert.Null(before.Refused);
        Assert.True(before.Simulated);

        string manifest = new TestManifest(coordinator.HostKey).Text;
        await coordinator.SetManifestAsync(manifest);
        Assert.Null((await JudgeAsync(policy with { Manifest = new ManifestRequirement.Exactly(TestManifest.Fingerprint(manifest)) })).Refused);
        Assert.NotNull((await JudgeAsync(policy with { Manifest = new ManifestRequirement.Exactly(new string('0', 64)) })).Refused);
        Assert.NotNull((await JudgeAsync(policy, RandomNumberGenerator.GetBytes(32))).Refused);
        key = RandomNumberGenerator.GetBytes(91);
        Assert.NotNull((await JudgeAsync(policy)).Refused);

        async Task<AttestationResult> JudgeAsync(CoordinatorPolicy wanted, byte[]? expectedNonce = null)
        {
            EvidenceV3 evidence = await ReadAsync("/api/v3/evidence?nonce=" + NonceText.Encode(nonce), RestJson.Strict.JSendEvidenceV3);
            Assert.True(evidence.Simulated);
            ManifestV3? inForce = coordinator.Host.State.Current.Manifest is null ? null : await ReadAsync("/api/v3/manifest", RestJson.Strict.JSendManifestV3);
            return CoordinatorAppraiser.Judge(CoordinatorPresentation.FromRest(evidence, inForce, key), expectedNonce ?? nonce, wanted,
                VerifierRegistry.CreateDefault(), VerificationTime.At(coordinator.Clock.GetUtcNow())).Result;
        }

        async Task<T> ReadAsync<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<JSend<T>> type) =>
            JsonSerializer.Deserialize(await client.GetByteArrayAsync(path), type)!.Data!;
    }

    [Theory, InlineData(""), InlineData("AAAA"), InlineData("not base64 at all, but long enough"), InlineData("====================================")]
    public async Task Evidence_needs_a_nonce(string nonce)
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        Assert.Equal(400, (await coordinator.GetAsync("/api/v3/evidence?nonce=" + Uri.EscapeDataString(nonce))).Code);
    }

    [Fact]
    public async Task A_body_that_comes_too_slowly_is_refused_and_others_are_served_meanwhile()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { SlowClientGrace = TimeSpan.FromSeconds(1.5) });
        await using SslStream slow = await ConnectAsync(coordinator);
        await slow.WriteAsync("POST /api/v3/manifest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"u8.ToArray());
        Task<string> answer = ReadToEndAsync(slow);
        Assert.Equal(200, (await coordinator.GetAsync("/api/v3/status")).Code);
        string text = await answer;
        Assert.StartsWith("HTTP/1.1 408", text, StringComparison.Ordinal);
        Assert.Contains("TooSlow", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_that_never_ends_is_cut_off()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { SlowClientGrace = TimeSpan.FromSeconds(1.5) });
        await using SslStream slow = await ConnectAsync(coordinator);
        await slow.WriteAsync("GET /api/v3/status HTTP/1.1\r\nHost:"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 408", await ReadToEndAsync(slow), StringComparison.Ordinal);
        await using SslStream huge = await ConnectAsync(coordinator);
        await huge.WriteAsync(Encoding.ASCII.GetBytes("GET /api/v3/status HTTP/1.1\r\nHost: x\r\nX: " + new string('x', 40_000) + "\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 431", await ReadToEndAsync(huge), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_all_places_are_taken_the_oldest_idle_connection_makes_room()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { MaxConnections = 2 });
        await using SslStream first = await ConnectAsync(coordinator), second = await ConnectAsync(coordinator), third = await ConnectAsync(coordinator);
        await AssertEndedAsync(first);
        foreach (SslStream kept in new[] { second, third })
        {
            await kept.WriteAsync("GET /api/v3/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
            Assert.StartsWith("HTTP/1.1 200", await ReadToEndAsync(kept), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Connections_with_requests_running_keep_their_places()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { MaxConnections = 2, SlowClientGrace = TimeSpan.FromMinutes(5) });
        await using SslStream first = await ConnectAsync(coordinator), second = await ConnectAsync(coordinator);
        foreach (SslStream busy in new[] { first, second })
        {
            // That it asks for the body shows that the request runs.
            await busy.WriteAsync("POST /api/v3/manifest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"u8.ToArray());
            Assert.StartsWith("HTTP/1.1 100", Encoding.ASCII.GetString((await ReadSomeAsync(busy)).Span), StringComparison.Ordinal);
        }
        Exception turnedAway = await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(coordinator));
        Assert.True(turnedAway is IOException or SocketException or System.Security.Authentication.AuthenticationException, turnedAway.ToString());
        foreach (SslStream busy in new[] { first, second })
        {
            await busy.WriteAsync("{}"u8.ToArray());
            Assert.StartsWith("HTTP/1.1 400", await ReadToEndAsync(busy), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(10_000, null, 10_000)]
    [InlineData(10_000, 1UL << 20, 10_000)]
    [InlineData(10_000, 20_000UL, 9_500)]
    [InlineData(10_000, 1_024UL, 12)]
    [InlineData(10_000, 10UL, 1)]
    [InlineData(2, 20_000UL, 2)]
    public void Places_leave_files_for_the_state(int wanted, ulong? openFiles, int places) => Assert.Equal(places, ConnectionBook.Fitting(wanted, openFiles));

    [Fact]
    public async Task Nonsense_before_TLS_hurts_nobody()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        foreach (int port in new[] { coordinator.Host.ClientAddress.Port, coordinator.Host.MeshAddress.Port })
        {
            using var client = new TcpClient();
            await client.ConnectAsync("localhost", port);
            await client.GetStream().WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
            Assert.True(await client.GetStream().ReadAsync(new byte[100]) < 100);
        }
        Assert.Equal(200, (await coordinator.GetAsync("/api/v3/status")).Code);
    }

    [Fact]
    public async Task The_mesh_port_serves_no_client_API_and_the_client_port_no_activation()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        using HttpClient mesh = coordinator.Mesh(TestManifest.Certificate("x")), client = coordinator.Client();
        using var get = new HttpRequestMessage(HttpMethod.Get, "/api/v3/status") { Version = new Version(2, 0) };
        Assert.Equal(404, (int)(await mesh.SendAsync(get)).StatusCode);
        using var post = new HttpRequestMessage(HttpMethod.Post, "/rpc.Marble/Activate") { Version = new Version(2, 0) };
        Assert.Equal(405, (int)(await client.SendAsync(post)).StatusCode);
    }

    [Fact]
    public async Task A_second_coordinator_on_the_same_folder_is_refused()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        Assert.Equal(StoreError.InUse, (await Assert.ThrowsAsync<StoreException>(() => CoordinatorHost.CreateAsync(coordinator.Options))).Error);
    }

    [Fact]
    public async Task A_damaged_state_stops_the_start_and_is_kept()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        await coordinator.Host.DisposeAsync();
        string path = Path.Combine(coordinator.SealFolder, "sealed_data");
        byte[] file = File.ReadAllBytes(path);
        file[file.Length / 2] ^= 1;
        File.WriteAllBytes(path, file);
        Assert.Equal(StoreError.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => CoordinatorHost.CreateAsync(coordinator.Options))).Error);
        Assert.Equal(file, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task Run_ends_when_cancelled()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        await coordinator.Host.DisposeAsync();
        using var stop = new CancellationTokenSource();
        Task running = CoordinatorHost.RunAsync(coordinator.Options, cancellation: stop.Token);
        await stop.CancelAsync();
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            Assert.True(stop.IsCancellationRequested);
        }
        // The folder is free again.
        await using CoordinatorHost again = await CoordinatorHost.CreateAsync(coordinator.Options);
    }

    private static async Task<SslStream> ConnectAsync(TestCoordinator coordinator)
    {
        var client = new TcpClient();
        await client.ConnectAsync("localhost", coordinator.Host.ClientAddress.Port);
        var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        });
        return stream;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadSomeAsync(SslStream stream)
    {
        byte[] buffer = new byte[4096];
        return buffer.AsMemory(0, await stream.ReadAsync(buffer));
    }

    // An aborted connection ends or is reset; either way nothing was said on it.
    private static async Task AssertEndedAsync(SslStream stream)
    {
        try
        {
            Assert.Equal(0, (await ReadSomeAsync(stream)).Length);
        }
        catch (IOException)
        {
        }
    }

    private static async Task<string> ReadToEndAsync(SslStream stream)
    {
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}

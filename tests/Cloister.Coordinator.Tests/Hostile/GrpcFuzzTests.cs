using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Hostile;

/// <summary>The service for workloads under seeded changes of valid requests: a gRPC status that says what is wrong, never a failure, and nothing used up.</summary>
public sealed class GrpcFuzzTests
{
    private const int Rounds = 1500;

    // What a caller may be told; Unknown would be a failure of the server, Unavailable one of its disk.
    private static readonly GrpcStatus[] s_expected =
    [
        GrpcStatus.Ok, GrpcStatus.InvalidArgument, GrpcStatus.FailedPrecondition, GrpcStatus.PermissionDenied, GrpcStatus.Internal, GrpcStatus.Unimplemented,
        GrpcStatus.ResourceExhausted, GrpcStatus.DeadlineExceeded,
    ];

    [Fact]
    public async Task Cloisters_mode()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        Assert.Equal(200, (await coordinator.SetManifestAsync(new TestManifest(coordinator.HostKey).Text)).Code);
        using var workload = new TestWorkload(coordinator, "once");
        ActivationReq request = await workload.PrepareAsync(await workload.ChallengeAsync());
        byte[] challenge = new ChallengeReq { Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(32)) }.ToByteArray();

        // Its challenge was never given out: whatever the changes make of it, it activates nothing.
        request.Challenge = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(32));
        await FuzzAsync(coordinator, workload.Connection!, [(MarbleService.ActivatePath, request.ToByteArray()), (MarbleService.ChallengePath, challenge)]);
        Assert.Empty(coordinator.Host.State.Current.Activations);
    }

    [Fact]
    public async Task MarbleRuns_wire()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        Assert.Equal(200, (await coordinator.PostAsync("/manifest", """
            { "Packages": { "p": { "UniqueID": "00" } }, "Marbles": { "m": { "Package": "p", "MaxActivations": 3 } } }
            """)).Code);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new ActivationReq { CSR = ByteString.CopyFrom(TestWorkload.Request(key)), MarbleType = "m", UUID = Guid.NewGuid().ToString("D"), Quote = ByteString.CopyFrom(new byte[100]) };

        await FuzzAsync(coordinator, TestWorkload.SelfSigned(key), [(MarbleService.ActivatePath, request.ToByteArray())]);

        Assert.InRange(coordinator.Host.State.Current.Activations.GetValueOrDefault("m"), 0, 3);
    }

    private static async Task FuzzAsync(TestCoordinator coordinator, X509Certificate2 connection, (string Path, byte[] Message)[] calls)
    {
        using HttpClient client = coordinator.Mesh(connection);
        for (int round = 0; round < Rounds; round++)
        {
            var random = new Random(round);
            (string path, byte[] message) = calls[random.Next(calls.Length)];
            string what = $"round {round}: {path}";
            using HttpRequestMessage request = Request(path, message, random);
            using HttpResponseMessage response = await client.SendAsync(request);
            await response.Content.ReadAsByteArrayAsync();
            Assert.True(coordinator.Failures.All.Count == 0, $"{what}: {coordinator.Failures.All.LastOrDefault()}");
            if (response.StatusCode is HttpStatusCode.UnsupportedMediaType or HttpStatusCode.NotFound)
                continue;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            string status = (response.TrailingHeaders.TryGetValues("grpc-status", out var trailing) ? trailing : response.Headers.GetValues("grpc-status")).Single();
            Assert.True(s_expected.Contains((GrpcStatus)int.Parse(status, System.Globalization.CultureInfo.InvariantCulture)), $"{what}: grpc-status {status}");
        }
    }

    private static HttpRequestMessage Request(string path, byte[] message, Random random)
    {
        byte[] body = Frame(Mutate(message, random));
        switch (random.Next(12))
        {
            case 0: BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(1), (uint)random.Next()); break;
            case 1: body[0] = (byte)random.Next(256); break;
            case 2: body = [.. body, .. body]; break;
            case 3: body = body[..random.Next(body.Length)]; break;
        }
        var request = new HttpRequestMessage(HttpMethod.Post, random.Next(30) == 0 ? path + "x" : path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(30) == 0 ? "text/html" : "application/grpc");
        request.Headers.TE.Add(new("trailers"));
        if (random.Next(10) == 0)
            request.Headers.TryAddWithoutValidation("grpc-timeout", new[] { "1S", "0n", "99999999H", "-1S", "x", "" }[random.Next(6)]);
        if (random.Next(10) == 0)
            request.Headers.TryAddWithoutValidation("grpc-encoding", new[] { "gzip", "identity", "deflate", "br" }[random.Next(4)]);
        return request;
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        List<byte> bytes = [.. message];
        for (int change = random.Next(0, 5); change > 0 && bytes.Count > 0; change--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at)); break;
                case 2: bytes.Insert(at, (byte)random.Next(256)); break;
                default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            }
        }
        return [.. bytes];
    }

    private static byte[] Frame(byte[] message)
    {
        byte[] framed = new byte[5 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)message.Length);
        message.CopyTo(framed, 5);
        return framed;
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Tests.Dcap;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Sgx;

/// <summary>A coordinator outside simulation, the fake chip's collateral in its folder, and marbles with quotes of that chip.</summary>
internal sealed class SgxMarble : IAsyncDisposable
{
    public const string UniqueId = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SignerId = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-collateral-").FullName;

    public TestCoordinator Coordinator { get; private set; } = null!;

    public static async Task<SgxMarble> StartAsync(FakeIntel collateralOf, string package, string more = "", bool withCollateral = true)
    {
        var marble = new SgxMarble();
        if (withCollateral)
        {
            string path = Path.Combine(marble._folder, "dcap", "sgx", Convert.ToHexStringLower(collateralOf.Fmspc) + "-platform.json");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, collateralOf.Collateral().ToJson());
        }
        marble.Coordinator = await TestCoordinator.StartAsync(options => options with
        {
            CollateralFolder = withCollateral ? marble._folder : null,
            Anchors = collateralOf.Anchors,
        });
        string manifest = $$$$"""{"Packages":{"p":{{{{package}}}}},"Marbles":{"m":{"Package":"p","Parameters":{"Argv":["./m"]}}}{{{{more}}}}}""";
        (int code, JsonElement answer) = await marble.Coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }));
        Assert.True(code == 200, answer.ToString());
        return marble;
    }

    /// <summary>A quote over report data that begin with a hash.</summary>
    public static FakeIntel Over(FakeIntel chip, byte[] hash) => new()
    {
        Sgx = true,
        Version = 3,
        EditBody = body =>
        {
            body.AsSpan(0x140, 64).Clear();
            hash.CopyTo(body, 0x140);
            chip.EditBody(body);
        },
        EditQuote = chip.EditQuote,
        SgxComponents = chip.SgxComponents,
        PceSvn = chip.PceSvn,
        QuoteSigner = chip.QuoteSigner,
        LeafSigner = chip.LeafSigner,
    };

    public static byte[] WithHeader(byte[] quote, uint type = 2, int length = 0)
    {
        byte[] whole = new byte[16 + quote.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(whole, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(whole.AsSpan(4), type);
        BinaryPrimitives.WriteUInt64LittleEndian(whole.AsSpan(8), (ulong)(quote.Length + length));
        quote.CopyTo(whole, 16);
        return whole;
    }

    /// <summary>Asks with a quote over the connection's certificate, changed as told.</summary>
    public async Task<ActivationResp> ActivateAsync(FakeIntel chip, Func<byte[], byte[]>? change = null)
    {
        using var workload = new TestWorkload(Coordinator, "m");
        using X509Certificate2 certificate = TestWorkload.SelfSigned(workload.Key);
        workload.Connection = certificate;
        byte[] quote = Over(chip, SHA256.HashData(certificate.RawData)).Quote();
        return await workload.SendAsync(new ActivationReq
        {
            CSR = ByteString.CopyFrom(workload.Csr),
            MarbleType = "m",
            UUID = workload.Uuid,
            Quote = ByteString.CopyFrom(change is null ? WithHeader(quote) : change(quote)),
        });
    }

    public async Task<string> RefusedAsync(FakeIntel chip, Func<byte[], byte[]>? change = null)
    {
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => ActivateAsync(chip, change));
        Assert.Equal(GrpcStatus.PermissionDenied, refused.Status);
        Assert.StartsWith("marble verification failed: ", refused.Detail, StringComparison.Ordinal);
        return refused.Detail["marble verification failed: ".Length..];
    }

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

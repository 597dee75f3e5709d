using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.SignQuote;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Tests.Sgx;
using Cloister.Tests.Dcap;

namespace Cloister.Coordinator.Tests.SignQuote;

public sealed class SignQuoteTests
{
    private const string Package = """{"UniqueID":"77"}""", Enabled = ""","Config":{"FeatureGates":["signquoteendpoint"]}""";

    private static FakeIntel Chip { get; } = new() { Sgx = true, Version = 3 };

    [Fact]
    public async Task The_root_signs_a_verified_quote_and_its_platforms_state()
    {
        await using SgxMarble any = await SgxMarble.StartAsync(Chip, Package, Enabled);
        await AssertSignedAsync(any, Chip.Quote(), "UpToDate");
        await AssertSignedAsync(any, SgxMarble.WithHeader(Chip.Quote()), "UpToDate");
        var old = new FakeIntel { Sgx = true, Version = 3, SgxComponents = [6, 6, 2, 3, 255, 255, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0], PceSvn = 11 };
        await AssertSignedAsync(any, old.Quote(), "OutOfDate");

        static async Task AssertSignedAsync(SgxMarble coordinator, byte[] quote, string status)
        {
            (int code, JsonElement answer) = await PostAsync(coordinator, quote);
            Assert.True(code == 200, answer.ToString());
            JsonElement data = answer.GetProperty("data");
            Assert.Equal(status, data.GetProperty("tcbStatus").GetString());
            using ECDsa root = coordinator.Coordinator.Host.State.Current.Authority.Root.GetECDsaPublicKey()!;
            byte[] hash = SHA256.HashData(Encoding.ASCII.GetBytes(Convert.ToBase64String(quote) + status));
            Assert.True(root.VerifyHash(hash, data.GetProperty("verificationSignature").GetBytesFromBase64(), DSASignatureFormat.Rfc3279DerSequence));
        }
    }

    [Fact]
    public async Task What_does_not_verify_is_not_signed()
    {
        await using SgxMarble any = await SgxMarble.StartAsync(Chip, Package, Enabled);
        await AssertRefusedAsync([]);
        await AssertRefusedAsync("no quote"u8.ToArray());
        await AssertRefusedAsync(new FakeIntel { Sgx = true, Version = 3, QuoteSigner = FakeIntel.OtherKey }.Quote());
        await AssertRefusedAsync(new FakeIntel { Version = 4 }.Quote());
        await AssertRefusedAsync(new FakeIntel { Sgx = true, Version = 3, SgxComponents = new byte[16] }.Quote());

        async Task AssertRefusedAsync(byte[] quote)
        {
            (int code, JsonElement answer) = await PostAsync(any, quote);
            Assert.Equal((400, "fail", "quote verification failed"), (code, answer.GetProperty("status").GetString(), answer.GetProperty("message").GetString()));
            Assert.StartsWith("quote verification failed: ", answer.GetProperty("data").GetProperty("sgxQuote").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_body_that_cannot_be_read_is_said_to_be()
    {
        await using SgxMarble any = await SgxMarble.StartAsync(Chip, Package, Enabled);
        (int code, JsonElement answer) = await any.Coordinator.PostAsync(SignQuoteEndpoints.Path, "nonsense");
        Assert.Equal((400, "fail"), (code, answer.GetProperty("status").GetString()));
        Assert.Equal("failed to parse JSON data", answer.GetProperty("data").GetProperty("sgxQuote").GetString());
        Assert.StartsWith("bad request: ", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_feature_or_a_manifest_it_is_forbidden()
    {
        await using SgxMarble without = await SgxMarble.StartAsync(Chip, Package);
        await using TestCoordinator waiting = await TestCoordinator.StartAsync();
        foreach (TestCoordinator coordinator in new[] { without.Coordinator, waiting })
        {
            using HttpClient client = coordinator.Client();
            using HttpResponseMessage refused = await client.PostAsync(SignQuoteEndpoints.Path, new StringContent("{}"));
            Assert.Equal((403, "text/plain"), ((int)refused.StatusCode, refused.Content.Headers.ContentType!.MediaType));
            Assert.Equal("{\"status\":\"error\",\"data\":null,\"message\":\"SignQuoteEndpoint feature is not enabled in the manifest\"}\n", await refused.Content.ReadAsStringAsync());
        }
    }

    private static Task<(int Code, JsonElement Json)> PostAsync(SgxMarble coordinator, byte[] quote) =>
        coordinator.Coordinator.PostAsync(SignQuoteEndpoints.Path, JsonSerializer.Serialize(new { sgxQuote = quote }));
}

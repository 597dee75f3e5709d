using Cloister.Coordinator.Sgx;
using Cloister.Protocol.Marble;
using Cloister.Tests;
using Cloister.Tests.Dcap;

namespace Cloister.Coordinator.Tests.Sgx;

/// <summary>MarbleRun's wire outside simulation: a marble is activated for a proven quote over its connection's certificate, and for nothing else.</summary>
public sealed class SgxActivationTests
{
    private const string ByUniqueId = $$"""{"UniqueID":"{{SgxMarble.UniqueId}}"}""";

    private static FakeIntel Chip { get; } = new() { Sgx = true, Version = 3 };

    private static FakeIntel Hardening { get; } = new()
    {
        Sgx = true,
        Version = 3,
        EditTcbInfo = text => text.Replace("\"UpToDate\"", "\"SWHardeningNeeded\",\"advisoryIDs\":[\"INTEL-SA-00615\"]", StringComparison.Ordinal),
    };

    private static FakeIntel Old { get; } = new() { Sgx = true, Version = 3, SgxComponents = [6, 6, 2, 3, 255, 255, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0], PceSvn = 11 };

    [Fact]
    public async Task A_quote_over_the_connections_certificate_is_accepted_with_and_without_a_header()
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, $$"""{"UniqueID":"{{SgxMarble.UniqueId.ToUpperInvariant()}}"}""");
        ActivationResp answer = await marble.ActivateAsync(Chip);
        Assert.Equal(["./m"], answer.Parameters.Argv);
        Assert.True(answer.Parameters.Env.ContainsKey("MARBLE_PREDEFINED_PRIVATE_KEY"));
        await marble.ActivateAsync(Chip, quote => quote);
        // Real quotes come in buffers with zeros behind them.
        await marble.ActivateAsync(Chip, quote => [.. quote, 0, 0, 0]);
    }

    [Fact]
    public async Task Anything_but_a_proven_quote_is_refused()
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, ByUniqueId);
        Assert.StartsWith("invalid quote: the quote is empty", await marble.RefusedAsync(Chip, _ => []), StringComparison.Ordinal);
        Assert.StartsWith("invalid quote: the quote is empty", await marble.RefusedAsync(Chip, _ => SgxMarble.WithHeader([])), StringComparison.Ordinal);
        Assert.StartsWith("invalid quote: ", await marble.RefusedAsync(Chip, _ => "any quote"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains("header is not that", await marble.RefusedAsync(Chip, quote => SgxMarble.WithHeader(quote, type: 3)), StringComparison.Ordinal);
        Assert.Contains("another length", await marble.RefusedAsync(Chip, quote => SgxMarble.WithHeader(quote, length: 1)), StringComparison.Ordinal);
        Assert.Contains("nobody signed", await marble.RefusedAsync(Chip, quote => [.. quote, 1]), StringComparison.Ordinal);
        Assert.Contains("of another certificate", await marble.RefusedAsync(Chip, _ => Chip.Quote()), StringComparison.Ordinal);
        Assert.Contains("quote_signature", await marble.RefusedAsync(new FakeIntel { Sgx = true, Version = 3, QuoteSigner = FakeIntel.OtherKey }), StringComparison.Ordinal);
        Assert.Contains("chain", await marble.RefusedAsync(new FakeIntel { Sgx = true, Version = 3, LeafSigner = FakeIntel.OtherKey }), StringComparison.Ordinal);
        Assert.Contains("quote_signature", await marble.RefusedAsync(Chip, quote =>
        {
            quote[48 + 0x40] ^= 1;
            return quote;
        }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_collateral_no_quote_is_accepted()
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, ByUniqueId, withCollateral: false);
        Assert.Contains("CLOISTER_COLLATERAL_DIR", await marble.RefusedAsync(Chip), StringComparison.Ordinal);
        await using SgxMarble elsewhere = await SgxMarble.StartAsync(new FakeIntel { Sgx = true, Version = 3, Fmspc = [1, 2, 3, 4, 5, 6] }, ByUniqueId);
        Assert.Contains("is not to be had (NotFound)", await elsewhere.RefusedAsync(Chip), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_platform_is_refused()
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(new FakeIntel { Sgx = true, Version = 3, RevokeLeaf = true }, """{"Debug":true,"AcceptedTCBStatuses":["Revoked"]}""");
        Assert.Contains("revoked", await marble.RefusedAsync(Chip), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"UniqueID":"aaaa"}""", "UniqueID")]
    [InlineData($$"""{"UniqueID":"{{SgxMarble.UniqueId}}","Debug":true}""", "Debug")]
    [InlineData($$"""{"SignerID":"{{SgxMarble.UniqueId}}","ProductID":7,"SecurityVersion":4}""", "SignerID")]
    [InlineData($$"""{"SignerID":"{{SgxMarble.SignerId}}","ProductID":8,"SecurityVersion":4}""", "ProductID")]
    [InlineData($$"""{"SignerID":"{{SgxMarble.SignerId}}","ProductID":7,"SecurityVersion":5}""", "SecurityVersion")]
    [InlineData($$"""{"SignerID":"{{SgxMarble.SignerId}}","ProductID":7,"SecurityVersion":4}""", null)]
    [InlineData($$"""{"SignerID":"{{SgxMarble.SignerId}}","ProductID":7,"SecurityVersion":1}""", null)]
    public async Task Package_properties_are_compared_as_MarbleRun_does(string package, string? differs)
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, package);
        if (differs is null)
            await marble.ActivateAsync(Chip);
        else
            Assert.StartsWith($"invalid quote: PackageProperties not compliant: {differs}:", await marble.RefusedAsync(Chip), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Debug_asks_for_a_debug_enclave_and_an_update_raises_the_security_version()
    {
        var debug = new FakeIntel { Sgx = true, Version = 3, EditBody = body => body[0x30] |= 2 };
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, """{"Debug":true,"SecurityVersion":4}""");
        await marble.ActivateAsync(debug);
        Assert.Contains("Debug", await marble.RefusedAsync(Chip), StringComparison.Ordinal);
        await marble.Coordinator.Host.State.ChangeAsync(current => current with { SecurityVersions = current.SecurityVersions.SetItem("p", 5) }, default);
        Assert.Contains("at least 5", await marble.RefusedAsync(debug), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_platforms_state_is_judged_by_the_package()
    {
        await using (SgxMarble marble = await SgxMarble.StartAsync(Hardening, ByUniqueId))
            await marble.ActivateAsync(Hardening);
        await AssertAsync(Hardening, "\"AcceptedTCBStatuses\":[\"UpToDate\"]", "TCB level invalid: SWHardeningNeeded");
        await AssertAsync(Hardening, "\"AcceptedAdvisories\":[\"INTEL-SA-00001\"]", "advisories not accepted by configuration: [INTEL-SA-00615]");
        await AssertAsync(Hardening, "\"AcceptedAdvisories\":[\"intel-sa-00615\"]", null);
        await AssertAsync(Old, "\"Debug\":false", "TCB level invalid: OutOfDate");
        await AssertAsync(Old, "\"AcceptedTCBStatuses\":[\"OutOfDate\"]", null);

        static async Task AssertAsync(FakeIntel chip, string member, string? refused)
        {
            await using SgxMarble marble = await SgxMarble.StartAsync(chip, $$"""{"UniqueID":"{{SgxMarble.UniqueId}}",{{member}}}""");
            if (refused is null)
                await marble.ActivateAsync(chip);
            else
                Assert.Contains(refused, await marble.RefusedAsync(chip), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("""{"a":{"CPUSVN":"AAAAAAAAAAAAAAAAAAAAAA==","QESVN":8,"PCESVN":13}}""", null)]
    [InlineData("""{"a":{"QESVN":9},"b":{"PCESVN":13}}""", null)]
    [InlineData("""{"a":{"CPUSVN":"AQAAAAAAAAAAAAAAAAAAAA=="}}""", "CPUSVN")]
    [InlineData("""{"a":{"QESVN":9},"b":{"PCESVN":12}}""", "b: PCESVN")]
    [InlineData("""{"a":{"RootCA":"AAAA"}}""", "RootCA")]
    public async Task Infrastructures_are_enforced(string infrastructures, string? differs)
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, ByUniqueId, ",\"Infrastructures\":" + infrastructures);
        if (differs is null)
        {
            await marble.ActivateAsync(Chip);
            return;
        }
        string refused = await marble.RefusedAsync(Chip);
        Assert.StartsWith("invalid infrastructure", refused, StringComparison.Ordinal);
        Assert.Contains(differs, refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_is_named_in_DER_or_PEM()
    {
        byte[] der = Chip.Anchors.Items[0].Bytes.ToArray();
        string pem = System.Security.Cryptography.PemEncoding.WriteString("CERTIFICATE", der);
        foreach (byte[] root in new[] { der, System.Text.Encoding.ASCII.GetBytes(pem) })
        {
            await using SgxMarble marble = await SgxMarble.StartAsync(Chip, ByUniqueId, $$$""","Infrastructures":{"a":{"RootCA":"{{{Convert.ToBase64String(root)}}}"}}""");
            await marble.ActivateAsync(Chip);
        }
    }

    [SharedDataTheory]
    [InlineData("sgx-real-v3"), InlineData("sgx-real-v3-strict"), InlineData("sgx-intel-sample-tcbv2-cdtype1")]
    public async Task Real_quotes_are_of_another_certificate(string name)
    {
        await using SgxMarble marble = await SgxMarble.StartAsync(Chip, """{"Debug":true}""");
        byte[] quote = File.ReadAllBytes(Path.Combine(TestData.Folder!, "attestation", "sgx", "real", name + ".quote"));
        Assert.StartsWith("invalid quote: ", await marble.RefusedAsync(Chip, _ => quote), StringComparison.Ordinal);
        Assert.StartsWith("invalid quote: ", await marble.RefusedAsync(Chip, _ => SgxMarble.WithHeader(quote)), StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_are_read_whatever_the_bytes() => Mutations.Drive(SgxMarble.WithHeader(Chip.Quote()), OeQuote.Fuzz);
}

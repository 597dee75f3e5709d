using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Client.MarbleRun;
using Cloister.Collateral;
using Cloister.Tests.Dcap;

namespace Cloister.Client.Tests.MarbleRun;

/// <summary>A MarbleRun coordinator's quote, from a chip and an Intel that really sign under a root of their own.</summary>
public sealed class MarbleRunVerifierTests
{
    private static readonly string s_enclave = string.Concat(Enumerable.Repeat("aa", 32)), s_signer = string.Concat(Enumerable.Repeat("bb", 32));

    private static EraConfiguration Era(string json) => EraConfiguration.Read(Encoding.UTF8.GetBytes(json));

    private static EraConfiguration Wanted => Era($$"""{ "SignerID": "{{s_signer.ToUpperInvariant()}}", "ProductID": 7, "SecurityVersion": 4 }""");

    private static async Task<VerifiedMarbleRun> VerifyAsync(StandInCoordinator server, FakeIntel intel, EraConfiguration era, byte[]? nonce = null, ImmutableArray<string>? advisories = null, params TcbStatus[] statuses)
    {
        var verifier = new MarbleRunVerifier(new Source(intel), new ClientOptions { Time = new Stopped() }, intel.Anchors);
        return await verifier.VerifyAsync(server.Address, era.ToPolicy(statuses.Length == 0 ? EraConfiguration.UsualStatuses : [.. statuses], advisories), nonce ?? []);
    }

    /// <summary>A quote over the server's root and a nonce, with Open Enclave's header before it.</summary>
    private static byte[] Quote(StandInCoordinator server, byte[] nonce, Action<byte[]>? edit = null, bool header = true)
    {
        byte[] hash = SHA256.HashData([.. server.Root.RawData, .. nonce]);
        byte[] quote = Chip(body =>
        {
            body.AsSpan(0x140, 64).Clear();
            hash.CopyTo(body, 0x140);
            edit?.Invoke(body);
        }).Quote();
        if (!header)
            return quote;
        byte[] before = new byte[16];
        before[0] = 1;
        before[4] = 2;
        BinaryPrimitives.WriteInt64LittleEndian(before.AsSpan(8), quote.Length);
        return [.. before, .. quote];
    }

    private static FakeIntel Chip(Action<byte[]>? edit = null) => new() { Sgx = true, Version = 3, EditBody = edit ?? (_ => { }) };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_wanted_enclave_with_a_fresh_quote_is_verified(bool header)
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Quote = nonce => Quote(server, nonce, header: header);
        VerifiedMarbleRun verified = await VerifyAsync(server, Chip(), Wanted);
        Assert.True(verified.IsFresh);
        Assert.Equal(server.RootKey.ToArray(), verified.RootKey.ToArray());
        Assert.Equal(server.Root.RawData, verified.Certificates.Root.ToArray());
        Assert.All(verified.Result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        _ = await VerifyAsync(server, Chip(), Era($$"""{ "uniqueid": "{{s_enclave}}" }"""), Encoding.UTF8.GetBytes("my own nonce"));
        Assert.Contains("nonce=bXkgb3duIG5vbmNl", server.Requests[^1].Request, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "UniqueID": "ab00000000000000000000000000000000000000000000000000000000000000" }""", Refusal.MeasurementNotAccepted)]
    [InlineData("""{ "SignerID": "cc00000000000000000000000000000000000000000000000000000000000000", "ProductID": 7, "SecurityVersion": 4 }""", Refusal.MeasurementNotAccepted)]
    [InlineData("""{ "SignerID": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "ProductID": 8, "SecurityVersion": 4 }""", Refusal.MeasurementNotAccepted)]
    [InlineData("""{ "SignerID": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "ProductID": 7, "SecurityVersion": 5 }""", Refusal.MeasurementNotAccepted)]
    public async Task Another_enclave_is_refused(string era, Refusal refusal)
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Quote = nonce => Quote(server, nonce);
        Assert.Equal(refusal, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Era(era)))).Refusal);
    }

    [Fact]
    public async Task An_old_quote_a_foreign_root_and_a_changed_quote_are_refused()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync(), other = await StandInCoordinator.StartAsync();
        server.Quote = _ => Quote(server, [1, 2, 3]);
        Assert.Equal(Refusal.ReportDataMismatch, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Wanted))).Refusal);
        server.Quote = nonce => Quote(other, nonce);
        Assert.Equal(Refusal.ReportDataMismatch, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Wanted))).Refusal);
        server.Quote = nonce => Quote(server, nonce) is var quote && (quote[16 + 48 + 0x40] ^= 1) != 0 ? quote : quote;
        Assert.Equal(Refusal.QuoteSignature, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Wanted))).Refusal);
    }

    [Fact]
    public async Task A_man_in_the_middle_who_passes_the_quote_on_is_refused()
    {
        await using StandInCoordinator real = await StandInCoordinator.StartAsync(), middle = await StandInCoordinator.StartAsync();
        byte[] quote = Quote(real, []);
        middle.Succeeds("GET /api/v2/quote", new System.Text.Json.Nodes.JsonObject { ["cert"] = real.Chain, ["quote"] = Convert.ToBase64String(quote) });
        Assert.Equal(Refusal.KeyMismatch, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(middle, Chip(), Wanted))).Refusal);
    }

    [Fact]
    public async Task A_simulating_coordinator_is_refused()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        PeerRefusedException refused = await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Wanted));
        Assert.Equal(Refusal.SimulationNotNamed, refused.Refusal);
        Assert.Contains("simulation", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Debug_enclaves_and_platforms_are_accepted_only_as_said()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Quote = nonce => Quote(server, nonce, body => body[0x30] |= 2);
        Assert.Equal(Refusal.DebugNotAccepted, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, Chip(), Wanted))).Refusal);
        _ = await VerifyAsync(server, Chip(), Wanted with { Debug = true });

        server.Quote = nonce => Quote(server, nonce);
        FakeIntel hardening = new() { Sgx = true, Version = 3, EditTcbInfo = text => text.Replace("\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"SWHardeningNeeded\",\"advisoryIDs\":[\"INTEL-SA-00334\"]", StringComparison.Ordinal) };
        _ = await VerifyAsync(server, hardening, Wanted);
        _ = await VerifyAsync(server, hardening, Wanted, advisories: ["INTEL-SA-00334"]);
        Assert.Equal(Refusal.AdvisoryNotAccepted, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, hardening, Wanted, advisories: ["INTEL-SA-00001"]))).Refusal);
        Assert.Equal(Refusal.TcbStatusNotAccepted, (await Assert.ThrowsAsync<PeerRefusedException>(() => VerifyAsync(server, hardening, Wanted, statuses: TcbStatus.UpToDate))).Refusal);
    }

    [Fact]
    public async Task A_coordinator_without_nonces_is_verified_and_said_to_be_possibly_old()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Fails("GET /api/v2/quote", 405, "");
        server.Succeeds("GET /quote", new System.Text.Json.Nodes.JsonObject { ["Cert"] = server.Chain, ["Quote"] = Convert.ToBase64String(Quote(server, [])) });
        Assert.False((await VerifyAsync(server, Chip(), Wanted)).IsFresh);
        Assert.Equal(405, (await Assert.ThrowsAsync<ClientException>(() => VerifyAsync(server, Chip(), Wanted, [1, 2, 3]))).HttpStatus);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{ "SignerID": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }""")]
    [InlineData("""{ "ProductID": 7, "SecurityVersion": 4 }""")]
    [InlineData("""{ "UniqueID": "aa" }""")]
    [InlineData("""{ "UniqueID": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaax" }""")]
    [InlineData("""{ "SignerID": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "ProductID": 70000, "SecurityVersion": 4 }""")]
    public void Reference_values_that_name_no_enclave_are_refused(string json)
    {
        Assert.Equal(ClientError.AnswerMalformed, Assert.Throws<ClientException>(() => Era(json)).Error);
        EraConfiguration.Fuzz(Encoding.UTF8.GetBytes(json));
    }

    private sealed class Source(FakeIntel intel) : ICollateralSource
    {
        public Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default) =>
            Task.FromResult(new CollateralItem(request, intel.Collateral().ToJson(), new CollateralPeriod(FakeIntel.Now.AddDays(-1), FakeIntel.Now.AddDays(1)), false));
    }

    private sealed class Stopped : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => FakeIntel.Now;
    }
}

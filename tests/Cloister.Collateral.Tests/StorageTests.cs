using System.Security.Cryptography;
using Cloister.Attestation.SevSnp;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>The cache on disk and the folder without a network.</summary>
public sealed class StorageTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SnpRevocationListRequest List = new(SnpProduct.Milan, SnpSigningKey.Vcek);

    private readonly string _folder = Directory.CreateTempSubdirectory("cloister-collateral-").FullName;
    private readonly TestTime _time = new(Now);

    private string Entry => Path.Combine(_folder, "snp", "milan", "vcek", "crl.der");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SharedDataFact]
    public async Task What_is_kept_is_not_fetched_again_until_it_is_out_of_date()
    {
        var source = new CountingSource(_time);
        var cache = new DiskCache(source, _folder, time: _time);
        CollateralItem first = await cache.GetAsync(List), second = await new DiskCache(source, _folder, time: _time).GetAsync(List);
        Assert.Equal(1, source.Count);
        Assert.Equal(first.Bytes.ToArray(), second.Bytes.ToArray());
        Assert.Equal(first.Period, second.Period);

        _time.Advance(first.Period.Until - Now); // the last moment counts
        await cache.GetAsync(List);
        Assert.Equal(1, source.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(CollateralError.OutOfDate, (await RefusedAsync(cache)).Error); // the source has nothing newer
        Assert.Equal(2, source.Count);
    }

    [SharedDataFact]
    public async Task An_entry_that_is_out_of_date_is_replaced_by_a_newer_one()
    {
        var source = new CountingSource(_time) { Body = Inputs.Read("snp/synthetic/milan/crl-old.der"), StaleToo = true };
        _time.Advance(TimeSpan.FromDays(-400));
        await new DiskCache(source, _folder, time: _time).GetAsync(List);
        _time.Advance(TimeSpan.FromDays(400));
        source.Body = Crl();
        Assert.Equal(Crl(), (await new DiskCache(source, _folder, time: _time).GetAsync(List)).Bytes.ToArray());
        Assert.Equal(Crl(), File.ReadAllBytes(Entry));
    }

    [SharedDataFact]
    public async Task What_is_out_of_date_is_served_only_where_that_is_allowed_and_says_so()
    {
        var source = new CountingSource(_time);
        await new DiskCache(source, _folder, time: _time).GetAsync(List);
        _time.Advance(TimeSpan.FromDays(700));
        source.Error = CollateralError.Unreachable;

        Assert.Equal(CollateralError.Unreachable, (await RefusedAsync(new DiskCache(source, _folder, time: _time))).Error);
        CollateralItem stale = await new DiskCache(source, _folder, StaleCollateral.Serve, _time).GetAsync(List);
        Assert.True(stale.IsStale && new CollateralSet([stale]).IsStale);
        Assert.Equal(3, source.Count);

        Assert.Equal(CollateralError.OutOfDate, (await RefusedAsync(new OfflineFolder(_folder, time: _time))).Error);
        Assert.True((await new OfflineFolder(_folder, StaleCollateral.Serve, _time).GetAsync(List)).IsStale);
    }

    [SharedDataFact]
    public async Task A_source_that_serves_stale_items_does_not_make_the_cache_do_so()
    {
        var source = new CountingSource(_time) { Body = Inputs.Read("snp/synthetic/milan/crl-old.der"), StaleToo = true };
        Assert.Equal(CollateralError.OutOfDate, (await RefusedAsync(new DiskCache(source, _folder, time: _time))).Error);
        Assert.False(File.Exists(Entry));
    }

    [SharedDataFact]
    public async Task A_damaged_entry_is_fetched_again()
    {
        var source = new CountingSource(_time);
        var cache = new DiskCache(source, _folder, time: _time);
        byte[] crl = Crl(), flipped = [.. crl];
        flipped[^1] ^= 1; // within the signature: parses as well as before
        string digest = Entry + ".sha256";
        Action[] damages =
        [
            () => File.WriteAllBytes(Entry, []),
            () => File.WriteAllBytes(Entry, crl[..^1]),
            () => File.WriteAllBytes(Entry, flipped),
            () => File.WriteAllBytes(Entry, new byte[List.MaximumSize + 1]),
            () => File.Delete(Entry),
            () => File.Delete(digest),
            () => File.WriteAllText(digest, ""),
            () => File.WriteAllText(digest, new string('0', 64) + "  crl.der\n"),
            () => File.WriteAllBytes(digest, new byte[4096]),
            () => Replace(Inputs.Read("snp/synthetic/genoa/crl-clean.der")), // intact, but of another line
        ];
        await cache.GetAsync(List);
        for (int i = 0; i < damages.Length; i++)
        {
            damages[i]();
            Assert.Equal(crl, (await cache.GetAsync(List)).Bytes.ToArray());
            Assert.Equal(i + 2, source.Count);
            Assert.Equal(crl, (await new OfflineFolder(_folder, time: _time).GetAsync(List)).Bytes.ToArray());
        }
    }

    [SharedDataFact]
    public async Task Callers_at_the_same_time_wait_for_one_fetch()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var source = new CountingSource(_time) { Gate = gate.Task };
        var cache = new DiskCache(source, _folder, time: _time);
        Task<CollateralItem>[] callers = [.. Enumerable.Range(0, 8).Select(_ => cache.GetAsync(List))];
        gate.SetResult();
        await Task.WhenAll(callers);
        Assert.Equal(1, source.Count);
    }

    [SharedDataFact]
    public async Task A_failed_fetch_leaves_nothing_and_no_lock()
    {
        var source = new CountingSource(_time) { Error = CollateralError.Malformed };
        var cache = new DiskCache(source, _folder, time: _time);
        Assert.Equal(CollateralError.Malformed, (await RefusedAsync(cache)).Error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        source.Error = null;
        Assert.False((await cache.GetAsync(List)).IsStale);
        Assert.Equal(["crl.der", "crl.der.sha256"], Directory.EnumerateFiles(Path.GetDirectoryName(Entry)!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.GetAsync(List, cancelled.Token));
    }

    [SharedDataFact]
    public async Task A_folder_that_cannot_be_written_is_an_error()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "in the way");
        CollateralException refused = await RefusedAsync(new DiskCache(new CountingSource(_time), file, time: _time));
        Assert.Equal(CollateralError.Storage, refused.Error);
        Directory.CreateDirectory(Entry);
        Assert.Equal(CollateralError.Storage, (await RefusedAsync(new OfflineFolder(_folder, time: _time))).Error);
    }

    [SharedDataFact]
    public async Task The_digest_is_what_sha256sum_writes()
    {
        await new DiskCache(new CountingSource(_time), _folder, time: _time).GetAsync(List);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Crl())) + "  crl.der\n", File.ReadAllText(Entry + ".sha256"));
    }

    [SharedDataFact]
    public async Task A_folder_filled_by_hand_needs_no_digests_but_those_it_has_must_hold()
    {
        var folder = new OfflineFolder(_folder, time: _time);
        CollateralException absent = await RefusedAsync(folder);
        Assert.Equal(CollateralError.NotFound, absent.Error);
        Assert.Contains("crl.der", absent.Message, StringComparison.Ordinal);

        Directory.CreateDirectory(Path.GetDirectoryName(Entry)!);
        File.WriteAllBytes(Entry, Crl());
        Assert.Equal(Crl(), (await folder.GetAsync(List)).Bytes.ToArray());
        File.WriteAllText(Entry + ".sha256", new string('0', 64) + "  crl.der\n");
        Assert.Equal(CollateralError.Malformed, (await RefusedAsync(folder)).Error);
        File.Delete(Entry + ".sha256");
        File.WriteAllBytes(Entry, new byte[List.MaximumSize + 1]);
        Assert.Equal(CollateralError.TooLarge, (await RefusedAsync(folder)).Error);
        File.WriteAllBytes(Entry, Crl()[..^1]);
        Assert.Equal(CollateralError.Malformed, (await RefusedAsync(folder)).Error);
    }

    [SharedDataFact]
    public async Task The_README_s_way_works_online_and_then_without_a_network()
    {
        byte[] report = Inputs.Read("snp/synthetic/turin/crl-clean.bin");
        SnpPlatform platform = SnpPlatform.Of(report).Value;
        await using (TestService service = await TestService.StartAsync(_time))
        {
            Inputs.AddAmd(service, platform, "turin");
            using var amd = new AmdKeyDistribution(service.Options);
            using var intel = new IntelProvisioningCertification(service.Options);
            var source = new DiskCache(new SourceChain(amd, intel), _folder, time: _time);
            Assert.Equal(3, (await CollateralSet.GetAsync(source, platform)).ToEndorsements().Items.Length);
            await CollateralSet.GetAsync(source, platform);
            Assert.Equal(3, service.Asked.Count);
        }
        Assert.Equal(3, (await CollateralSet.GetAsync(new OfflineFolder(_folder, time: _time), platform)).Items.Length);
    }

    [SharedDataFact]
    public async Task A_chain_asks_on_and_tells_the_error_that_matters()
    {
        var good = new CountingSource(_time);
        Assert.Equal(Crl(), (await new SourceChain(Failing(CollateralError.NotServed), Failing(CollateralError.Unreachable), good).GetAsync(List)).Bytes.ToArray());
        Assert.Equal(CollateralError.Unreachable, (await RefusedAsync(new SourceChain(Failing(CollateralError.NotFound), Failing(CollateralError.Unreachable), Failing(CollateralError.NotServed)))).Error);
        Assert.Equal(CollateralError.NotServed, (await RefusedAsync(new SourceChain(Failing(CollateralError.NotServed)))).Error);
        Assert.Throws<ArgumentException>(() => new SourceChain());
    }

    [SharedDataFact]
    public async Task The_certificate_of_a_VLEK_may_be_left_to_the_evidence()
    {
        SnpPlatform platform = SnpPlatform.Of(Inputs.Read("snp/synthetic/milan/vlek-valid.bin"), SnpProduct.Milan).Value;
        await using TestService service = await TestService.StartAsync(_time);
        service.Add("vlek/v1/Milan/cert_chain", Inputs.Read("snp/synthetic/milan/asvk.pem"));
        service.Add("vlek/v1/Milan/crl", Crl());
        using var amd = new AmdKeyDistribution(service.Options);
        CollateralSet set = await CollateralSet.GetAsync(amd, platform);
        Assert.Equal([SnpEndorsements.Authorities, SnpEndorsements.RevocationList], set.Items.Select(item => item.Request.EndorsementKind));

        string given = Path.Combine(_folder, new SnpKeyRequest(platform).Name);
        Directory.CreateDirectory(Path.GetDirectoryName(given)!);
        File.WriteAllBytes(given, Inputs.Read("snp/synthetic/milan/vlek.der"));
        Assert.Equal(3, (await CollateralSet.GetAsync(new SourceChain(new OfflineFolder(_folder, time: _time), amd), platform)).Items.Length);

        SnpPlatform chip = SnpPlatform.Of(Inputs.Read("snp/synthetic/milan/valid.bin"), SnpProduct.Milan).Value;
        await Assert.ThrowsAsync<CollateralException>(() => CollateralSet.GetAsync(amd, chip)); // a VCEK may not be missing
    }

    private static byte[] Crl() => Inputs.Read("snp/synthetic/milan/crl-clean.der");

    private CountingSource Failing(CollateralError error) => new(_time) { Error = error };

    private void Replace(byte[] bytes)
    {
        File.WriteAllBytes(Entry, bytes);
        File.WriteAllText(Entry + ".sha256", Convert.ToHexStringLower(SHA256.HashData(bytes)) + "  crl.der\n");
    }

    private static Task<CollateralException> RefusedAsync(ICollateralSource source) => Assert.ThrowsAsync<CollateralException>(() => source.GetAsync(List));

    private sealed class CountingSource(TimeProvider time) : ICollateralSource
    {
        private int _count;

        public int Count => _count;

        public byte[] Body { get; set; } = Crl();

        public bool StaleToo { get; init; }

        public CollateralError? Error { get; set; }

        public Task Gate { get; init; } = Task.CompletedTask;

        public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
        {
            Interlocked.Increment(ref _count);
            await Gate;
            if (Error is { } error) throw new CollateralException(error, "as the test wants it");
            return CollateralRequest.Dated(request.Accept(Body, "the test", time), StaleToo ? StaleCollateral.Serve : StaleCollateral.Refuse, "the test");
        }
    }
}

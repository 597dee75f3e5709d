using Cloister.Attestation;
using Cloister.Attestation.SevSnp;
using Cloister.Tests;

namespace Cloister.Collateral.Tests;

/// <summary>AMD's service, replayed on this machine, with everything that goes wrong there.</summary>
public sealed class AmdKeyDistributionTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly SnpRevocationListRequest List = new(SnpProduct.Milan, SnpSigningKey.Vcek);

    [SharedDataTheory]
    [InlineData("milan", SnpProduct.Milan)]
    [InlineData("genoa", SnpProduct.Genoa)]
    [InlineData("turin", SnpProduct.Turin)]
    public async Task What_is_fetched_proves_a_report(string line, SnpProduct product)
    {
        var time = new TestTime(Now);
        await using TestService service = await TestService.StartAsync(time);
        byte[] report = Inputs.Read($"snp/synthetic/{line}/crl-clean.bin");
        SnpPlatform platform = SnpPlatform.Of(report, product).Value;
        Inputs.AddAmd(service, platform, line);
        using var amd = new AmdKeyDistribution(service.Options);

        CollateralSet set = await CollateralSet.GetAsync(amd, platform);

        Assert.False(set.IsStale);
        Assert.Equal(3, service.Asked.Count);
        Assert.All(service.Gaps, gap => Assert.True(gap >= 10, $"{gap} s between two requests"));
        var anchors = new Anchors([new Anchor(TeeKind.SevSnp, "ark", Inputs.Read($"snp/synthetic/{line}/ark.pem"))]);
        AttestationResult result = new SnpVerifier().ProveReport(report, set.ToEndorsements(), anchors, VerificationTime.At(Now), revocationRequired: true) is { } proof
            ? new AttestationResult(proof.Checks, [], false) : throw new InvalidOperationException();
        Assert.All(result.Checks, check => Assert.True(check.Verdict == Verdict.Passed, $"{check.Id}: {check.Reason}"));
    }

    [SharedDataFact]
    public async Task Requests_of_all_callers_take_turns()
    {
        var time = new TestTime(Now, jumps: false);
        await using TestService service = await TestService.StartAsync(time);
        service.Add("vcek/v1/Milan/crl", Crl());
        using var amd = new AmdKeyDistribution(service.Options);

        Task<CollateralItem> first = amd.GetAsync(List);
        await first;
        Task[] others = [amd.GetAsync(List), amd.GetAsync(List)];
        await time.WaitersAsync(2);
        time.Advance(TimeSpan.FromSeconds(9.99));
        Assert.Single(service.Asked);
        time.Advance(TimeSpan.FromSeconds(0.01));
        await await Task.WhenAny(others);
        await time.WaitersAsync(1);
        Assert.Equal(2, service.Asked.Count);
        time.Advance(TimeSpan.FromSeconds(10));
        await Task.WhenAll(others);
        Assert.Equal([10, 10], service.Gaps);
    }

    [SharedDataFact]
    public async Task Who_waits_is_held_back_too_when_the_service_asks_for_it()
    {
        var time = new TestTime(Now, jumps: false);
        await using TestService service = await TestService.StartAsync(time);
        service.Add("vcek/v1/Milan/crl", Crl());
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        service.Fault(async context =>
        {
            await held.Task;
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "60";
        });
        using var amd = new AmdKeyDistribution(service.Options);
        Task first = amd.GetAsync(List), second = amd.GetAsync(List);
        await time.WaitersAsync(1);
        held.SetResult();
        await time.WaitersAsync(2);
        time.Advance(TimeSpan.FromSeconds(10));
        await time.WaitersAsync(2); // the second finds that it is held, and waits again
        Assert.Single(service.Asked);
        time.Advance(TimeSpan.FromSeconds(70));
        await Task.WhenAll(first, second);
        Assert.Equal(3, service.Asked.Count);
    }

    [Fact]
    public async Task Only_so_many_wait_as_will_get_their_turn_in_time()
    {
        var time = new TestTime(Now, jumps: false);
        await using TestService service = await TestService.StartAsync(time);
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.NotFound, amd);
        Task[] waiting = [.. Enumerable.Range(0, 12).Select(_ => RefusedAsync(CollateralError.NotFound, amd))];
        await time.WaitersAsync(12);
        CollateralException refused = await RefusedAsync(CollateralError.RateLimited, amd);
        Assert.Contains("130 s", refused.Message, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(120));
        await Task.WhenAll(waiting);
        Assert.Equal(13, service.Asked.Count);
    }

    [SharedDataTheory]
    [InlineData("25", 25)]
    [InlineData("3", 10)] // never faster than the pace
    [InlineData("Mon, 01 Jun 2026 12:00:40 GMT", 40)]
    [InlineData("soon", 10)]
    [InlineData(null, 10)]
    public async Task Too_many_requests_are_tried_again_when_the_service_says(string? retryAfter, double gap)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Add("vcek/v1/Milan/crl", Crl());
        service.Fault(429, retryAfter is null ? [] : [("Retry-After", retryAfter)]);
        using var amd = new AmdKeyDistribution(service.Options);
        Assert.Equal(Crl(), (await amd.GetAsync(List)).Bytes.ToArray());
        Assert.Equal([gap], service.Gaps);
    }

    [Fact]
    public async Task A_service_that_stays_busy_is_given_up()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        for (int i = 0; i < 8; i++) service.Fault(429);
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.RateLimited, amd);
        Assert.Equal([10, 20, 40], service.Gaps);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_allowed()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Fault(429, ("Retry-After", "3600"));
        using var amd = new AmdKeyDistribution(service.Options);
        CollateralException refused = await RefusedAsync(CollateralError.RateLimited, amd);
        Assert.Contains("3600 s", refused.Message, StringComparison.Ordinal);
        await RefusedAsync(CollateralError.RateLimited, amd);
        Assert.Single(service.Asked);
    }

    [SharedDataFact]
    public async Task A_failure_that_passes_is_tried_again()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Add("vcek/v1/Milan/crl", Crl());
        service.Fault(500);
        service.Fault(503, ("Retry-After", "15"));
        using var amd = new AmdKeyDistribution(service.Options);
        await amd.GetAsync(List);
        Assert.Equal([10, 15], service.Gaps);
    }

    [Theory]
    [InlineData(500, CollateralError.ServiceFailed, 4)]
    [InlineData(404, CollateralError.NotFound, 1)]
    [InlineData(400, CollateralError.ServiceFailed, 1)]
    [InlineData(204, CollateralError.ServiceFailed, 1)]
    [InlineData(206, CollateralError.ServiceFailed, 1)]
    public async Task A_status_that_is_not_OK_is_a_refusal(int status, CollateralError error, int requests)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        for (int i = 0; i < requests; i++) service.Fault(status);
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(error, amd);
        Assert.Equal(requests, service.Asked.Count);
    }

    [SharedDataTheory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirection_is_not_followed(int status)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Add("elsewhere", Crl());
        service.Fault(status, ("Location", new Uri(service.Address, "elsewhere").ToString()));
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.ServiceFailed, amd);
        Assert.Single(service.Asked);
    }

    [SharedDataTheory]
    [InlineData(0)]
    [InlineData(100)]
    public async Task A_slow_answer_is_given_up(int sent)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.FaultSlow(Crl()[..sent]);
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.TimedOut, amd);
    }

    [SharedDataTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_breaks_off_is_none(bool lengthIsSaid)
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.FaultBroken(Crl()[..100], lengthIsSaid ? Crl().Length : null);
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.Unreachable, amd);
    }

    [SharedDataFact]
    public async Task Wrong_content_is_no_answer()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var amd = new AmdKeyDistribution(service.Options);
        byte[][] wrong =
        [
            [], Crl()[..^1], [.. Crl(), 0], "<html>Service unavailable</html>"u8.ToArray(),
            Inputs.Read("snp/synthetic/genoa/crl-clean.der"), Inputs.Read("snp/synthetic/milan/vcek.der"),
        ];
        foreach (byte[] body in wrong)
        {
            service.FaultBody(body);
            await RefusedAsync(CollateralError.Malformed, amd);
        }
        service.FaultBody(Crl(), encoding: "gzip");
        await RefusedAsync(CollateralError.Malformed, amd);
    }

    [SharedDataFact]
    public async Task A_certificate_of_another_kind_or_line_is_no_answer()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var amd = new AmdKeyDistribution(service.Options);
        SnpPlatform milan = SnpPlatform.Of(Inputs.Read("snp/synthetic/milan/valid.bin"), SnpProduct.Milan).Value;
        foreach (string file in new[] { "milan/vlek.der", "genoa/vcek.der", "milan/ask.pem" })
        {
            service.FaultBody(Inputs.Read("snp/synthetic/" + file));
            await RefusedAsync(CollateralError.Malformed, amd, new SnpKeyRequest(milan));
        }
        foreach (string file in new[] { "milan/ark.pem", "milan/asvk.pem", "genoa/ask.pem", "milan/vcek.der" })
        {
            service.FaultBody(Inputs.Read("snp/synthetic/" + file));
            await RefusedAsync(CollateralError.Malformed, amd, new SnpAuthoritiesRequest(SnpProduct.Milan, SnpSigningKey.Vcek));
        }
    }

    [SharedDataFact]
    public async Task What_is_out_of_date_when_it_comes_is_refused()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Add("vcek/v1/Milan/crl", Inputs.Read("snp/synthetic/milan/crl-old.der"));
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.OutOfDate, amd);
    }

    [SharedDataFact]
    public async Task Headers_without_end_are_not_read()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        service.Add("vcek/v1/Milan/crl", Crl(), ("X-Padding", new string('x', 80 * 1024)));
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.Unreachable, amd);
    }

    [Fact]
    public async Task Too_large_an_answer_is_not_read()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var amd = new AmdKeyDistribution(service.Options);
        service.FaultBody(new byte[List.MaximumSize + 1]);
        await RefusedAsync(CollateralError.TooLarge, amd);
        service.FaultBody(new byte[List.MaximumSize + 1], lengthIsSaid: false);
        await RefusedAsync(CollateralError.TooLarge, amd);
        service.FaultBody(new byte[List.MaximumSize], lengthIsSaid: false);
        await RefusedAsync(CollateralError.Malformed, amd); // was read
        service.FaultEndless();
        await RefusedAsync(CollateralError.TooLarge, amd);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_unreachable()
    {
        var time = new TestTime(Now);
        TestService service = await TestService.StartAsync(time);
        CollateralServiceOptions options = service.Options;
        await service.DisposeAsync();
        using var amd = new AmdKeyDistribution(options);
        await RefusedAsync(CollateralError.Unreachable, amd);
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_told_nothing_else()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var cancellation = new CancellationTokenSource();
        service.Fault(async context =>
        {
            await cancellation.CancelAsync();
            context.Abort();
        });
        using var amd = new AmdKeyDistribution(service.Options);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => amd.GetAsync(List, cancellation.Token));
    }

    [Fact]
    public async Task What_AMD_does_not_serve_is_not_asked_for()
    {
        await using TestService service = await TestService.StartAsync(new TestTime(Now));
        using var amd = new AmdKeyDistribution(service.Options);
        await RefusedAsync(CollateralError.NotServed, amd, Inputs.DcapOf("b0c06f000000"));
        await RefusedAsync(CollateralError.NotServed, amd, new SnpKeyRequest(new SnpPlatform(SnpProduct.Milan, SnpSigningKey.Vlek, [], default)));
        Assert.Empty(service.Asked);
    }

    [Theory]
    [InlineData("http://kdsintf.example/")]
    [InlineData("http://127.0.0.1.example/")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("https://user@kdsintf.example/")]
    [InlineData("https://kdsintf.example/?a=b")]
    public void An_address_that_is_not_safe_is_a_mistake(string address) =>
        Assert.Throws<ArgumentException>(() => new AmdKeyDistribution(new CollateralServiceOptions { Address = new Uri(address) }));

    [Fact]
    public void Options_that_cannot_be_are_a_mistake()
    {
        Assert.Throws<ArgumentException>(() => new AmdKeyDistribution(new CollateralServiceOptions { Attempts = 0 }));
        Assert.Throws<ArgumentException>(() => new AmdKeyDistribution(new CollateralServiceOptions { Timeout = TimeSpan.Zero }));
        Assert.Throws<ArgumentException>(() => new AmdKeyDistribution(new CollateralServiceOptions { Pace = TimeSpan.FromSeconds(-1) }));
    }

    private static byte[] Crl() => Inputs.Read("snp/synthetic/milan/crl-clean.der");

    private static async Task<CollateralException> RefusedAsync(CollateralError error, AmdKeyDistribution amd, CollateralRequest? request = null)
    {
        CollateralException refused = await Assert.ThrowsAsync<CollateralException>(() => amd.GetAsync(request ?? List));
        Assert.True(error == refused.Error, $"{refused.Error}: {refused.Message}");
        return refused;
    }
}

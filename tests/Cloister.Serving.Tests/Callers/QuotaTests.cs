using Cloister.Serving.Callers;
using Cloister.Serving.Callers.Quotas;
using Cloister.Serving.Tests.Execution;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Budgets under a clock that the test moves.</summary>
public sealed class QuotaTests
{
    [Fact]
    public void Requests_come_back_steadily_after_a_burst()
    {
        var time = new ManualTime();
        var meter = new QuotaMeter("caller 'a'", new LimitsGrant("") { Requests = 10, Interval = TimeSpan.FromSeconds(5), Burst = 3 }, time);
        for (int i = 0; i < 3; i++) meter.Enter();
        ServingException refused = Exceeded(meter.Enter);
        Assert.Equal(TimeSpan.FromSeconds(0.5), refused.RetryAfter);
        time.Advance(TimeSpan.FromSeconds(0.5));
        meter.Enter();
        Exceeded(meter.Enter);
        time.Advance(TimeSpan.FromHours(1));
        for (int i = 0; i < 3; i++) meter.Enter();
        Exceeded(meter.Enter);
        // Leaving gives back a place, not a request.
        meter.Leave();
        Exceeded(meter.Enter);
    }

    [Fact]
    public void Places_are_given_back()
    {
        var meter = new QuotaMeter("caller 'a'", new LimitsGrant("") { Concurrent = 2 }, new ManualTime());
        meter.Enter();
        meter.Enter();
        Assert.NotNull(Exceeded(meter.Enter).RetryAfter);
        var permit = new CallPermit(null, meter);
        permit.Dispose();
        permit.Dispose();
        Assert.Equal(1, meter.Inside);
        meter.Enter();
        Exceeded(meter.Enter);
    }

    [Fact]
    public void Bytes_and_elements_are_taken_together_or_not_at_all()
    {
        var time = new ManualTime();
        var meter = new QuotaMeter("caller 'a'", new LimitsGrant("") { Bytes = 1000, Elements = 100, Interval = TimeSpan.FromSeconds(10) }, time);
        meter.Charge(900, 10);
        Assert.Equal(TimeSpan.FromSeconds(1), Exceeded(() => meter.Charge(200, 10)).RetryAfter);
        Exceeded(() => meter.Charge(10, 91));
        meter.Charge(100, 90);
        time.Advance(TimeSpan.FromSeconds(1));
        meter.Charge(100, 10);
        // What is larger than the whole budget never fits.
        time.Advance(TimeSpan.FromHours(1));
        ServingException never = Exceeded(() => meter.Charge(1001, 1));
        Assert.Null(never.RetryAfter);
        Assert.Contains("send fewer at once", never.Message, StringComparison.Ordinal);
        meter.Charge(1000, 100);
    }

    [Fact]
    public void Rows_are_taken_before_they_are_computed_and_what_was_paid_counts()
    {
        var time = new ManualTime();
        var meter = new QuotaMeter("caller 'a'", new LimitsGrant("") { Rows = 60, Interval = TimeSpan.FromSeconds(60) }, time);
        meter.ChargeRows(1, 0);
        meter.ChargeRows(60, 1);
        Assert.Equal(TimeSpan.FromSeconds(1), Exceeded(meter.DemandRow).RetryAfter);
        time.Advance(TimeSpan.FromSeconds(1));
        meter.DemandRow();
        meter.ChargeRows(1, 0);
        Assert.Equal(TimeSpan.FromSeconds(9), Exceeded(() => meter.ChargeRows(10, 1)).RetryAfter);
        // What was paid for a query that is then too large is not given back: refused queries cost too.
        time.Advance(TimeSpan.FromHours(1));
        meter.ChargeRows(1, 0);
        ServingException never = Exceeded(() => meter.ChargeRows(61, 1));
        Assert.Null(never.RetryAfter);
        Assert.Contains("61 rows", never.Message, StringComparison.Ordinal);
        meter.ChargeRows(60, 1);
        Exceeded(meter.DemandRow);
        // Without a limit any number goes.
        new QuotaMeter("caller 'b'", new LimitsGrant("") { Requests = 1 }, time).ChargeRows(long.MaxValue, 0);
    }

    [Fact]
    public async Task Each_caller_and_each_model_with_limits_of_its_own_has_its_own_budget()
    {
        CallerGrant Caller(string name, params LimitsGrant[] limits) => new(name, default, System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)), ["digits", "letters", "faces"]) { Limits = limits };
        var rights = new CallerRights([Caller("a", new LimitsGrant("") { Concurrent = 1 }, new LimitsGrant("faces") { Concurrent = 2 }), Caller("b", new LimitsGrant("") { Concurrent = 1 }), Caller("c")], ["open"])
        {
            AnonymousLimits = [new LimitsGrant("") { Concurrent = 1 }],
        };
        await using CallerScene scene = new(rights);
        CallPermit Enter(string? token, string model) => scene.Registry.Enter(token is null ? new DefaultHttpContext() : CallerScene.Bearer(token), model);

        using CallPermit digits = Enter("a", "digits");
        Exceeded(() => Enter("a", "letters"));
        using CallPermit face = Enter("a", "faces"), second = Enter("a", "faces");
        Exceeded(() => Enter("a", "faces"));
        using CallPermit b = Enter("b", "letters"), open = Enter(null, "open");
        Exceeded(() => Enter(null, "open"));
        for (int i = 0; i < 10; i++) _ = Enter("c", "digits");
        digits.Dispose();
        using CallPermit letters = Enter("a", "letters");
        // A caller with a name has its own budget where anybody may call, too.
        Assert.Equal("c", Enter("c", "open").Caller!.Name);
    }

    [Fact]
    public async Task A_change_of_rights_forgets_nobody_who_is_under_way()
    {
        CallerRights Rights(int concurrent, int requests) => new([new CallerGrant("a", default, System.Security.Cryptography.SHA256.HashData("a"u8), ["digits"])
        {
            Limits = [new LimitsGrant("") { Concurrent = concurrent, Requests = requests, Interval = TimeSpan.FromMinutes(1) }],
        }], []);
        await using CallerScene scene = new(Rights(2, 100));
        CallPermit Enter() => scene.Registry.Enter(CallerScene.Bearer("a"), "digits");
        CallPermit first = Enter(), second = Enter();
        scene.Registry.Replace(Rights(2, 100));
        Exceeded(() => Enter());
        scene.Registry.Replace(Rights(3, 100));
        CallPermit third = Enter();
        scene.Registry.Replace(Rights(1, 100));
        first.Dispose();
        second.Dispose();
        Exceeded(() => Enter());
        third.Dispose();
        using CallPermit alone = Enter();
        // The same budget stays used up; a caller who is gone is refused, and its request under way ends by itself.
        scene.Registry.Replace(Rights(9, 1));
        using CallPermit one = Enter();
        scene.Registry.Replace(Rights(9, 1));
        Exceeded(() => Enter());
        scene.Registry.Replace(new CallerRights([], []));
        Assert.Equal(ServingError.CredentialRefused, Assert.Throws<ServingException>(Enter).Error);
    }

    [Fact]
    public async Task Rights_that_contradict_themselves_leave_those_before()
    {
        await using CallerScene scene = new(new CallerRights([new CallerGrant("a", default, System.Security.Cryptography.SHA256.HashData("a"u8), ["digits"])], []));
        Assert.Equal("a", scene.Ask("a"));
        Assert.Throws<ArgumentException>(() => scene.Registry.Replace(new CallerRights([new CallerGrant("b", default, default, [])], [])));
        Assert.Throws<ArgumentException>(() => scene.Registry.Replace(new CallerRights([CallerScene.TokenCaller("b", "nobody")], [])));
        Assert.Equal("a", scene.Ask("a"));
    }

    private static ServingException Exceeded(Action action)
    {
        var refused = Assert.Throws<ServingException>(action);
        Assert.Equal(ServingError.QuotaExceeded, refused.Error);
        return refused;
    }
}

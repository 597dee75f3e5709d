using System.Text.Json.Nodes;
using Cloister.Protocol.Tokens;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Keys that an issuer publishes: rotated, late, absent, hostile. Real TLS under a clock that the test moves.</summary>
#pragma warning disable CA1001 // xunit calls DisposeAsync.
public sealed class KeyAddressTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private static readonly TimeSpan s_refresh = TimeSpan.FromMinutes(5), s_stale = TimeSpan.FromHours(1);

    private readonly KeyEndpoint _endpoint = new();
    private readonly TokenSigner _first = new("ES256"), _second = new("RS256", "k2");

    public Task InitializeAsync() => _endpoint.StartAsync();

    [Fact]
    public async Task Keys_are_fetched_and_follow_the_issuers()
    {
        _endpoint.Serve(_first);
        await using CallerScene scene = await SceneAsync();
        string old = Token(scene, _first);
        Assert.Equal("alice", scene.Ask(old));
        Assert.Equal("alice", scene.Ask(old));

        // Both are published for a while, then the old one is taken back: what it signed ends, remembered or not.
        _endpoint.Serve(_first, _second);
        await PassAsync(scene, s_refresh);
        await UntilAsync(() => scene.Ask(Token(scene, _second)) == "alice");
        Assert.Equal("alice", scene.Ask(old));
        _endpoint.Serve(_second);
        await PassAsync(scene, s_refresh);
        await UntilAsync(() => scene.Ask(old) != "alice");
        scene.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask(old));
    }

    [Fact]
    public async Task A_key_that_is_not_there_is_fetched_at_once_but_not_at_every_strangers_wish()
    {
        _endpoint.Serve(_first);
        await using CallerScene scene = await SceneAsync();
        await _endpoint.AskedAsync();
        _endpoint.Serve(_first, _second);
        string token = Token(scene, _second);
        // The keys were fetched a moment ago.
        Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask(token));
        scene.Time.Advance(TimeSpan.FromSeconds(10));
        ServingException wait = Assert.Throws<ServingException>(() => scene.Registry.Authorise(CallerScene.Bearer(token), "digits"));
        Assert.Equal((ServingError.KeysUnavailable, true), (wait.Error, wait.RetryAfter > TimeSpan.Zero));
        await _endpoint.AskedAsync();
        await UntilAsync(() => scene.Ask(token) == "alice");
        using var stranger = new TokenSigner("ES256", "k3");
        for (int i = 0; i < 20; i++) Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask(Token(scene, stranger)));
    }

    [Fact]
    public async Task While_the_address_is_away_its_keys_stay_for_a_bounded_time()
    {
        _endpoint.Serve(_first);
        await using CallerScene scene = await SceneAsync();
        Assert.Equal("alice", scene.Ask(Token(scene, _first)));
        await _endpoint.StopAsync();
        scene.Time.Advance(s_stale);
        Assert.Equal("alice", scene.Ask(Token(scene, _first)));
        scene.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(Token(scene, _first)));
        await _endpoint.StartAsync();
        await UntilAsync(() =>
        {
            // Each failure is followed by another try soon.
            scene.Time.Advance(TimeSpan.FromSeconds(10));
            return scene.Ask(Token(scene, _first)) == "alice";
        });
    }

    [Fact]
    public async Task A_remembered_token_does_not_outlive_its_keys()
    {
        _endpoint.Serve(_first);
        await using CallerScene scene = await SceneAsync();
        JsonObject claims = TokenSigner.Claims(scene.Now);
        claims["exp"] = scene.Now.AddHours(20).ToUnixTimeSeconds();
        string token = _first.Sign(claims);
        Assert.Equal("alice", scene.Ask(token));
        await _endpoint.StopAsync();
        scene.Time.Advance(s_stale + TimeSpan.FromSeconds(1));
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(token));
    }

    [Theory, InlineData("500"), InlineData("redirect"), InlineData("html"), InlineData("large"), InlineData("endless"), InlineData("secret"), InlineData("empty")]
    public async Task An_address_that_answers_with_anything_else_gives_no_keys(string what)
    {
        byte[] good = TokenSigner.Set(_first);
        _endpoint.Answer = async http =>
        {
            switch (what)
            {
                case "500":
                    http.Response.StatusCode = 500;
                    await http.Response.Body.WriteAsync(good);
                    break;
                case "redirect":
                    if (http.Request.Path == "/elsewhere") await http.Response.Body.WriteAsync(good);
                    else http.Response.Redirect("/elsewhere");
                    break;
                case "html":
                    await http.Response.WriteAsync("<html>not found</html>");
                    break;
                case "large":
                    await http.Response.Body.WriteAsync((byte[])[.. good, .. Enumerable.Repeat((byte)' ', JsonWebKeySet.MaxBytes)]);
                    break;
                case "endless":
                    byte[] spaces = [.. Enumerable.Repeat((byte)' ', 64 << 10)];
                    while (!http.RequestAborted.IsCancellationRequested) await http.Response.Body.WriteAsync(spaces, http.RequestAborted);
                    break;
                case "secret":
                    await http.Response.WriteAsync("""{"keys":[{"kty":"oct","k":"AAAA"}]}""");
                    break;
            }
        };
        await using CallerScene scene = await SceneAsync();
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(Token(scene, _first)));
    }

    [Fact]
    public async Task An_address_that_does_not_end_its_answer_is_given_up()
    {
        _endpoint.Answer = async http =>
        {
            await http.Response.WriteAsync("{\"keys\":");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        await using CallerScene scene = Scene(_endpoint.Root.RawData);
        _ = scene.Registry;
        await _endpoint.AskedAsync();
        scene.Time.Advance(TimeSpan.FromSeconds(10));
        await scene.Registry.KeysTried.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(Token(scene, _first)));
    }

    [Fact]
    public async Task Only_the_root_of_the_manifest_counts()
    {
        _endpoint.Serve(_first);
        using var other = new TokenSigner("ES256");
        await using var foreign = new KeyEndpoint();
        await using CallerScene scene = Scene(foreign.Root.RawData);
        await scene.Registry.KeysTried.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(Token(scene, _first)));
    }

    [Fact]
    public async Task Keys_of_the_manifest_are_there_even_so()
    {
        await _endpoint.StopAsync();
        await using CallerScene scene = Scene(_endpoint.Root.RawData, issuer => issuer with { Keys = TokenSigner.Set(_second) });
        await scene.Registry.KeysTried.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("alice", scene.Ask(Token(scene, _second)));
        Assert.Equal(nameof(ServingError.KeysUnavailable), scene.Ask(Token(scene, _first)));
    }

    [Fact]
    public async Task Other_rights_keep_an_issuers_keys_and_drop_those_of_one_who_is_gone()
    {
        _endpoint.Serve(_first);
        await using CallerScene scene = await SceneAsync();
        await _endpoint.AskedAsync();
        await _endpoint.StopAsync();
        CallerRights rights = Rights(_endpoint.Root.RawData, issuer => issuer);
        // The audience changes, the keys do not: nothing has to be fetched.
        scene.Registry.Replace(rights with { TokenIssuers = [rights.TokenIssuers[0] with { Audiences = ["other"] }] });
        JsonObject claims = TokenSigner.Claims(scene.Now, audience: "other");
        Assert.Equal("alice", scene.Ask(_first.Sign(claims)));
        Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask(Token(scene, _first)));
        scene.Registry.Replace(new CallerRights([], []));
        Assert.Equal(nameof(ServingError.CredentialRefused), scene.Ask(_first.Sign(claims)));
    }

    public async Task DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    private async Task<CallerScene> SceneAsync()
    {
        CallerScene scene = Scene(_endpoint.Root.RawData);
        await scene.Registry.KeysTried.WaitAsync(TimeSpan.FromSeconds(60));
        return scene;
    }

    private CallerScene Scene(byte[] root, Func<TokenIssuerGrant, TokenIssuerGrant>? change = null) => new(Rights(root, change ?? (issuer => issuer)));

    private CallerRights Rights(byte[] root, Func<TokenIssuerGrant, TokenIssuerGrant> change) => new([CallerScene.TokenCaller("alice", "login", ("sub", ["alice"]))], [])
    {
        TokenIssuers = [change(new TokenIssuerGrant("login", "https://login.example", ["models"]) { KeysAddress = _endpoint.Address, KeysRoot = root, Refresh = s_refresh, Stale = s_stale })],
    };

    private static string Token(CallerScene scene, TokenSigner signer) => signer.Sign(TokenSigner.Claims(scene.Now));

    // The loop sets its timer on a thread of its own: time is moved until the address was asked.
    private async Task PassAsync(CallerScene scene, TimeSpan time)
    {
        for (Task asked = DrainedAsync(); !asked.IsCompleted;)
        {
            scene.Time.Advance(time / 10);
            await Task.WhenAny(asked, Task.Delay(20));
        }
    }

    private async Task DrainedAsync()
    {
        await _endpoint.AskedAsync();
        await _endpoint.AskedAsync();
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!holds()) await Task.Delay(10, end.Token);
    }
}

using System.Collections.Concurrent;
using Cloister.Serving.Callers;
using Cloister.Serving.Tests.Execution;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Tests.Callers;

/// <summary>Refused credentials are counted, and logged without what was sent and without filling the log.</summary>
public sealed class RefusalLogTests
{
    [Fact]
    public async Task A_line_a_second_says_why_and_never_what()
    {
        using var signer = new TokenSigner("ES256");
        using var stranger = new TokenSigner("ES256");
        var time = new ManualTime();
        var lines = new Lines();
        await using var registry = new CallerRegistry(
            new CallerRights([CallerScene.TokenCaller("alice", "login", ("sub", ["alice"]))], ["open"]) { TokenIssuers = [CallerScene.Issuer(TokenSigner.Set(signer))] }, time, lines);
        string token = stranger.Sign(TokenSigner.Claims(time.GetUtcNow()));
        string[] sent = [token, "sesame", "sesame.sesame.sesame", "sesame " + token, new string('s', 9000)];
        void All()
        {
            foreach (string one in sent)
                Assert.Equal(ServingError.CredentialRefused, Assert.Throws<ServingException>(() => registry.Authorise(CallerScene.Bearer(one), "open")).Error);
        }

        All();
        time.Advance(TimeSpan.FromSeconds(0.9));
        All();
        Assert.Single(lines);
        time.Advance(TimeSpan.FromSeconds(0.1));
        All();
        Assert.Equal(15, registry.Refused);
        string[] said = [.. lines];
        Assert.Equal(2, said.Length);
        Assert.Contains("not signed by its issuer. 0 more", said[0], StringComparison.Ordinal);
        Assert.Contains(" 9 more", said[1], StringComparison.Ordinal);
        foreach (string line in said)
            foreach (string secret in new[] { "sesame", "sss", token, token.Split('.')[0], token.Split('.')[1], token.Split('.')[2] })
                Assert.DoesNotContain(secret, line, StringComparison.Ordinal);
        // Who sends nothing guesses nothing.
        Assert.Throws<ServingException>(() => registry.Authorise(new DefaultHttpContext(), "digits"));
        Assert.Equal(15, registry.Refused);
    }

    private sealed class Lines : ConcurrentQueue<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Enqueue(formatter(state, exception));
    }
}

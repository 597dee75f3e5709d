using System.Net;
using System.Security.Cryptography;
using System.Text;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>Copying a model by asking it: rows are limited, refused queries count, and a server says who is not.</summary>
public sealed class ExtractionTests
{
    [Fact]
    public async Task Rows_are_limited_by_caller_and_model_whatever_the_surface()
    {
        TestStore store = await EncryptedSurfaceTests.StoreAsync();
        store.Anonymous.Clear();
        store.Callers.Add(Caller("anna", new LimitsGrant("spam") { Rows = 10, Interval = TimeSpan.FromDays(300) }));
        store.Callers.Add(Caller("bert", new LimitsGrant("") { Rows = 10, Interval = TimeSpan.FromDays(300) }));
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedCaller anna = await EncryptedCaller.JoinAsync(server, "spam", "anna"), bert = await EncryptedCaller.JoinAsync(server, "spam", "bert");
        Assert.Equal(6, (await anna.AskAsync(EncryptedModels.Rows(6))).Count);
        // More than the whole budget never fits; a row is gone for it, and one for what does not even open.
        Assert.Contains("11 rows", await anna.RefusedAsync(anna.Query(EncryptedModels.Rows(11)).Envelope, HttpStatusCode.TooManyRequests, ServingError.QuotaExceeded), StringComparison.Ordinal);
        await anna.RefusedAsync([1, 2, 3], HttpStatusCode.BadRequest, ServingError.EnvelopeMalformed);
        (byte[] query, EnvelopeHeader header) = anna.Query(EncryptedModels.Rows(2));
        (HttpStatusCode status, byte[] answer) = await anna.SendAsync(query);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(2, anna.Open(answer, header, 2).Count);
        // Replayed, it counts again: nothing is left, and the body is not even read.
        using HttpResponseMessage refused = await anna.PostAsync(query);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        using HttpClient plain = server.CreateClient();
        plain.DefaultRequestHeaders.Authorization = new("Bearer", "anna");
        using var content = new StringContent($$$"""{"inputs":{"b64":"{{{Convert.ToBase64String(query)}}}"}}""");
        using HttpResponseMessage elsewhere = await plain.PostAsync("/v1/models/spam:predict", content);
        Assert.Equal(HttpStatusCode.TooManyRequests, elsewhere.StatusCode);
        // Another caller has a budget of its own.
        Assert.Equal(10, (await bert.AskAsync(EncryptedModels.Rows(10))).Count);
    }

    [Fact]
    public async Task Who_could_copy_a_model_is_said_loudly()
    {
        var log = new KeptLog();
        TestStore store = await EncryptedSurfaceTests.StoreAsync();
        await store.AddEntriesAsync("hidden", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic(circuitPrivacy: true))));
        store.Anonymous.Remove("spam");
        store.Anonymous.Remove("hidden");
        store.Callers.Add(Caller("anna", new LimitsGrant("") { Rows = 10 }));
        store.Callers.Add(Caller("bert", new LimitsGrant("") { Requests = 10 }));
        await using TestServer server = await TestServer.StartAsync(store, logging: log.Listen);
        string open = Assert.Single(log.Lines, line => line.Contains("ENCRYPTED MODEL spam", StringComparison.Ordinal));
        Assert.Contains("one answer tells its rounded weights", open, StringComparison.Ordinal);
        Assert.Contains("caller 'bert'", open, StringComparison.Ordinal);
        Assert.DoesNotContain("anna", open, StringComparison.Ordinal);
        Assert.Contains($"{EncryptedModels.Features + 1} answered rows determine it", Assert.Single(log.Lines, line => line.Contains("ENCRYPTED MODEL hidden", StringComparison.Ordinal)), StringComparison.Ordinal);
        // And again when rights change; not of models that are not encrypted.
        server.Host.UpdateRights(new CallerRights([Caller("carl")], []));
        Assert.Contains(log.Lines, line => line.Contains("caller 'carl'", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains("MODEL half", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_model_that_hides_itself_answers_with_the_clients_public_key()
    {
        TestStore store = await new TestStore().AddEntriesAsync("hidden", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic(circuitPrivacy: true))));
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "hidden");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(4, seed: 9);
        IReadOnlyList<ModelAnswer> answers = await caller.AskAsync(rows);
        double[] score = new double[1];
        EncryptedModels.Logistic().Score(rows[3], score);
        Assert.Equal(score[0], answers[3].Scores[0], 0.1);
    }

    [Fact]
    public async Task What_a_server_says_never_holds_a_feature()
    {
        var log = new KeptLog();
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync(), logging: log.Listen);
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(5, seed: 77);
        var said = new StringBuilder();
        (byte[] query, _) = caller.Query(rows);
        foreach (byte[] sent in (byte[][])[query, query[..^1], [.. query, 0], [.. query[..200], (byte)(query[200] ^ 1), .. query[201..]], Encoding.UTF8.GetBytes(string.Join(',', rows[0]))])
            said.AppendLine(Encoding.Latin1.GetString((await caller.SendAsync(sent)).Answer));
        Assert.NotEmpty(log.Lines);
        said.AppendJoin('\n', log.Lines);
        string all = said.ToString();
        foreach (double feature in rows.SelectMany(row => row))
            Assert.DoesNotContain(feature.ToString("R", System.Globalization.CultureInfo.InvariantCulture)[..8], all, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(caller.EnvelopeKey), all, StringComparison.Ordinal);
    }

    private static CallerGrant Caller(string name, params LimitsGrant[] limits) =>
        new(name, default, SHA256.HashData(Encoding.UTF8.GetBytes(name)), ["spam", "hidden", "half"]) { Limits = limits };

    /// <summary>Everything that is logged, at every level.</summary>
    private sealed class KeptLog : ILoggerProvider, ILogger
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public void Listen(ILoggingBuilder logging) => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(this);

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
            // It outlives the server that writes into it.
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception) + exception);
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;

namespace Cloister.Client.Tests.Encrypted;

public sealed class EncryptedModelClientTests : IDisposable
{
    private static readonly Uri Server = new("https://localhost:8443");
    private static readonly double[][] Rows = [[0.9, 1], [0.1, 9], [0.5, 1.2]];

    private readonly EncryptedFake _fake = new(EncryptedFake.Compiled);

    public void Dispose() => _fake.Dispose();

    [Theory, InlineData(false), InlineData(true)]
    public async Task Rows_are_predicted_and_the_key_is_registered_once(bool circuitPrivacy)
    {
        using var fake = new EncryptedFake(circuitPrivacy ? EncryptedFake.Compile(circuitPrivacy) : EncryptedFake.Compiled);
        using var client = new EncryptedModelClient(fake, Server, "token");
        ClientSpecification specification = await client.DescribeAsync("spam");
        using EncryptedSession session = client.Open("spam", specification);
        Check(await session.PredictAsync(Rows));
        Check(await session.PredictAsync(Rows));
        Assert.Equal(["", "/keys", "/infer", "/infer"], fake.Paths.Select(path => path["/v2/models/spam/encrypted".Length..]));
        Assert.True(session.Traffic.Sent > 12_000 && session.Traffic.Received > 1000);
    }

    [Fact]
    public async Task Neither_key_nor_rows_are_in_any_byte_that_is_sent()
    {
        using var client = new EncryptedModelClient(_fake, Server, "token");
        ClientSpecification specification = await client.DescribeAsync("spam");
        RlweParameters parameters = ModelClients.Create(specification).Parameters;
        byte[] seed = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];
        using var key = new ClientKey(parameters, seed);
        using (EncryptedSession session = client.Open("spam", specification, key)) Check(await session.PredictAsync(Rows));

        byte[] sent = _fake.Arrived.ToArray();
        Assert.True(sent.AsSpan().IndexOf(key.Id.ToBytes()) >= 0); // what is public is there, so the search does find
        foreach (byte[] secret in Secrets(parameters, seed)) Assert.Equal(-1, sent.AsSpan().IndexOf(secret));
        foreach (double value in Rows.SelectMany(row => row).Where(value => value != 1 && value != 9))
        {
            Assert.Equal(-1, sent.AsSpan().IndexOf(BitConverter.GetBytes(value)));
            Assert.Equal(-1, sent.AsSpan().IndexOf(Encoding.ASCII.GetBytes($"[{value}")));
        }
    }

    // The seed and the secret polynomial in the ways in which a careless program would write them.
    private static IEnumerable<byte[]> Secrets(RlweParameters parameters, byte[] seed)
    {
        yield return seed[..16];
        yield return Encoding.ASCII.GetBytes(Convert.ToBase64String(seed)[..20]);
        yield return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(seed)[..20]);
        using var secret = new RnsPolynomial(parameters.Ring.Basis);
        using (var stream = new SeedExpander(seed, "cloister rlwe secret 1"u8)) Samplers.Ternary(stream, secret);
        double[] coefficients = secret.Limb(0)[..64].ToArray();
        Assert.All(coefficients, c => Assert.True(c is -1 or 0 or 1));
        yield return [.. coefficients.Select(c => (byte)(sbyte)c)];
        yield return MemoryMarshal.AsBytes(coefficients.AsSpan()).ToArray();
        yield return MemoryMarshal.AsBytes(coefficients.Select(c => (int)c).ToArray().AsSpan()).ToArray();
        secret.ToValues();
        yield return MemoryMarshal.AsBytes(secret.Limb(0)[..4]).ToArray();
    }

    [Fact]
    public async Task A_forgotten_key_is_registered_again_once()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        Check(await session.PredictAsync(Rows));
        _fake.Forget();
        Check(await session.PredictAsync(Rows));
        Assert.Equal(2, _fake.Paths.Count(path => path.EndsWith("/keys", StringComparison.Ordinal)));

        _fake.Register = json => { _fake.Forget(); return json; };
        _fake.Forget();
        var refused = await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync(Rows));
        Assert.Equal((ClientError.RefusedByServer, "721"), (refused.Error, refused.ServerCode));
        Assert.Equal(3, _fake.Paths.Count(path => path.EndsWith("/keys", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_expired_key_is_registered_again_before_it_is_used()
    {
        _fake.Lifetime = TimeSpan.FromHours(-1);
        using var client = new EncryptedModelClient(_fake, Server);
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        await session.PredictAsync(Rows);
        await session.PredictAsync(Rows);
        Assert.Equal(2, _fake.Paths.Count(path => path.EndsWith("/keys", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Many_rows_are_asked_in_parts()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        ClientSpecification specification = await client.DescribeAsync("spam");
        using EncryptedSession session = client.Open("spam", specification);
        int rows = (EncryptedSession.QuerySets * specification.Layout.Rows) + 1;
        IReadOnlyList<ModelAnswer> answers = await session.PredictAsync([.. Enumerable.Range(0, rows).Select(i => Rows[i % 3])]);
        Assert.Equal(rows, answers.Count);
        Check([.. answers.Take(3)]);
        Assert.Equal(answers[0].Class, answers[rows - 1 - ((rows - 1) % 3)].Class);
        Assert.Equal(2, _fake.Paths.Count(path => path.EndsWith("/infer", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_answer_that_is_not_bound_to_the_query_is_refused()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        byte[]? kept = null;
        _fake.Deliver = (_, envelope) => kept = envelope;
        Check(await session.PredictAsync(Rows));
        foreach (Func<EnvelopeHeader, byte[], byte[]> deliver in new Func<EnvelopeHeader, byte[], byte[]>[]
        {
            (_, envelope) => [.. envelope[..^1], (byte)(envelope[^1] ^ 1)],
            (_, envelope) => envelope[..^1],
            (_, _) => kept!,
            (_, _) => "<html>"u8.ToArray(),
        })
        {
            _fake.Deliver = deliver;
            Assert.Equal(ClientError.AnswerNotBound, (await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync(Rows))).Error);
        }
    }

    [Fact]
    public async Task A_sealed_answer_that_is_none_is_refused()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        _fake.Compute = answer => answer[..^1];
        var refused = await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync(Rows));
        Assert.Equal((ClientError.AnswerMalformed, HomomorphicError.WireTruncated), (refused.Error, Assert.IsType<HomomorphicException>(refused.InnerException).Error));
        int asked = _fake.Paths.Count;
        Assert.Equal(ClientError.AnswerMalformed, (await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync(Rows))).Error);
        Assert.Equal(asked + 1, _fake.Paths.Count); // the server is told nothing of it, and not asked again
    }

    [Fact]
    public async Task A_model_that_asks_for_what_is_not_secure_or_not_pinned_is_refused()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        string digest = _fake.Model.Client.Digest;
        Assert.Equal(digest, (await client.DescribeAsync("spam", digest.ToUpperInvariant())).Digest);
        await RefusedAsync(() => client.DescribeAsync("spam", new string('0', 64)));

        ClientSpecification honest = _fake.Model.Client;
        foreach (ClientSpecification bad in new[]
        {
            honest with { Parameters = honest.Parameters with { Degree = 1024 } },
            honest with { Parameters = honest.Parameters with { Primes = [.. honest.Parameters.Primes, .. NttPrimes.Generate(48, 4096, 1)] } },
            honest with { Parameters = honest.Parameters with { PlaintextModulus = honest.Parameters.Primes[0] } },
            honest with { Parameters = honest.Parameters with { SecurityBits = 64 } },
            honest with { Layout = honest.Layout with { Rows = honest.Layout.Rows * 2 } },
            honest with { Layout = honest.Layout with { QueryCiphertexts = 16384 } },
        })
        {
            _fake.Description = ClientSpecificationJson.Write(bad);
            await RefusedAsync(() => client.DescribeAsync("spam"));
        }
        _fake.Description = "{}"u8.ToArray();
        await RefusedAsync(() => client.DescribeAsync("spam"));

        static async Task RefusedAsync(Func<Task> asks) => Assert.Equal(ClientError.ModelRefused, (await Assert.ThrowsAsync<ClientException>(asks)).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"keyId":"00000000000000000000000000000000"}""")]
    public async Task A_registration_that_is_none_is_refused(string answer)
    {
        _fake.Register = _ => answer;
        using var client = new EncryptedModelClient(_fake, Server);
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        Assert.Equal(ClientError.AnswerMalformed, (await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync(Rows))).Error);
    }

    [Fact]
    public void Registrations_are_read_strictly()
    {
        string owner = new('a', 64), key = Convert.ToBase64String(new byte[32]), id = new('0', 32);
        string Json(string owner, string key, string expires, string more = "") => $$"""{"keyId":"{{id}}","owner":"{{owner}}","envelopeKey":"{{key}}","expires":"{{expires}}"{{more}}}""";
        const string Time = "2030-01-01T00:00:00.0000000+00:00";
        using (RegisteredKey read = RegisteredKey.Read(Encoding.UTF8.GetBytes(Json(owner, key, Time)), default)) Assert.Equal(2030, read.Expires.Year);
        foreach (string bad in new[]
        {
            Json(owner[2..], key, Time), Json(owner, "AAAA", Time), Json(owner, "?", Time), Json(owner, key, "soon"), Json(owner, key, Time, ",\"surprise\":\"x\""),
            Json(owner, key, Time, $",\"owner\":\"{owner}\""), Json(owner, key, Time) + " 1", Json(owner, key, Time).Replace(id, new string('1', 32), StringComparison.Ordinal),
        })
        {
            var refused = Assert.Throws<ClientException>(() => RegisteredKey.Read(Encoding.UTF8.GetBytes(bad), default));
            Assert.Equal(ClientError.AnswerMalformed, refused.Error);
            Assert.Null(refused.InnerException); // the reader's own text could quote the key
        }
        Cloister.Tests.Mesh.Mutations.Drive(m => RegisteredKey.Fuzz(m.Span), 5000, Encoding.UTF8.GetBytes(Json(owner, key, Time)));
    }

    [Fact]
    public async Task Rows_that_cannot_be_asked_are_refused_by_row_and_column_before_anything_is_sent()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        ClientSpecification specification = await client.DescribeAsync("spam");
        using EncryptedSession session = client.Open("spam", specification);
        foreach ((double[] row, string text) in new[]
        {
            (new[] { 0.5, double.NaN }, "Row 2: 'b' is absent"), ([double.PositiveInfinity, 1], "Row 2: 'a' is infinite"), ([1.0], "Row 2 has 1 values"),
        })
        {
            var refused = await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync([Rows[0], row]));
            Assert.Equal(ClientError.RowRefused, refused.Error);
            Assert.Contains(text, refused.Message, StringComparison.Ordinal);
        }
        Assert.Equal(ClientError.RowRefused, (await Assert.ThrowsAsync<ClientException>(() => session.PredictAsync([]))).Error);
        Assert.Single(_fake.Paths);

        double[][] outside = [[1e9, 1], [0.5, -1e9], [0.5, 1e9]];
        Assert.Equal([("a", 1), ("b", 2)], RowCheck.Require(specification, outside).OrderBy(found => found.Key).Select(found => (found.Key, found.Value)));
        Assert.Equal(["yes", "yes", "no"], (await session.PredictAsync(outside)).Select(answer => answer.Class));
        var strict = Assert.Throws<ClientException>(() => RowCheck.Require(specification, outside, strict: true));
        Assert.Contains("Row 1: 'a' is outside", strict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Absent_values_are_for_models_that_know_them()
    {
        ClientSpecification forest = _fake.Model.Client with
        {
            Design = ModelDesign.Forest,
            Features = [new FeatureSpecification { Name = "a", Edges = [0.5], AbsentLevel = 2 }, new FeatureSpecification { Name = "b", Edges = [5] }],
        };
        Assert.Empty(RowCheck.Require(forest, [[double.NaN, 1e300], [-1e300, 1]], strict: true));
        foreach (double[] row in new double[][] { [1, double.NaN], [double.NegativeInfinity, 1], [double.NaN, double.PositiveInfinity] })
            Assert.Equal(ClientError.RowRefused, Assert.Throws<ClientException>(() => RowCheck.Require(forest, [row])).Error);
    }

    [Fact]
    public async Task A_servers_refusal_is_passed_on()
    {
        using var client = new EncryptedModelClient(_fake, Server);
        var refused = await Assert.ThrowsAsync<ClientException>(() => client.DescribeAsync("ham"));
        Assert.Equal((ClientError.RefusedByServer, 404, "100"), (refused.Error, refused.HttpStatus, refused.ServerCode));
        Assert.Throws<ArgumentException>(() => new EncryptedModelClient(_fake, new Uri("http://localhost")));
    }

    private static void Check(IReadOnlyList<ModelAnswer> answers)
    {
        Assert.Equal(["yes", "no", "yes"], answers.Select(answer => answer.Class));
        foreach ((ModelAnswer answer, double[] row) in answers.Zip(Rows)) Assert.Equal((2 * row[0]) - row[1] + 0.25, Assert.Single(answer.Scores), 0.05);
    }
}

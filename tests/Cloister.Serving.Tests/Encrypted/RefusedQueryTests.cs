using System.Net;
using System.Security.Cryptography;
using System.Text;
using Cloister.Homomorphic.Wire;
using Cloister.Protocol.Tests;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Tests.Execution;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>What is refused, with which words, and that nobody learns more by it.</summary>
public sealed class RefusedQueryTests
{
    [Fact]
    public async Task Every_broken_envelope_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] good, _) = caller.Query(EncryptedModels.Rows(2));
        Task<string> Refused(byte[] envelope, ServingError error, HttpStatusCode status) => caller.RefusedAsync(envelope, status, error);

        await Refused([], ServingError.EnvelopeMalformed, HttpStatusCode.BadRequest);
        await Refused("hello"u8.ToArray(), ServingError.EnvelopeMalformed, HttpStatusCode.BadRequest);
        await Refused(good[..^1], ServingError.EnvelopeMalformed, HttpStatusCode.BadRequest);
        await Refused([.. good, 0], ServingError.EnvelopeMalformed, HttpStatusCode.BadRequest);
        await Refused(Flip(good, 8), ServingError.EnvelopeMalformed, HttpStatusCode.BadRequest);

        // Another model's digest: told which one is served.
        (byte[] other, _) = caller.Query(EncryptedModels.Rows(1), header => header with { ModelDigest = new byte[32] });
        Assert.Contains(caller.Client.Specification.Digest, await Refused(other, ServingError.OtherModelServed, HttpStatusCode.Conflict), StringComparison.Ordinal);

        // What does not authenticate: a key that nobody registered, a changed bit anywhere, another request's id. One text for all.
        var texts = new HashSet<string>();
        (byte[] unknown, _) = caller.Query(EncryptedModels.Rows(1), header => header with { KeyId = KeyId.Random() });
        texts.Add(await Refused(unknown, ServingError.EnvelopeRefused, HttpStatusCode.Forbidden));
        foreach (int at in (int[])[48, 96, 112, 124, good.Length / 2, good.Length - 17, good.Length - 1])
            texts.Add(await Refused(Flip(good, at), ServingError.EnvelopeRefused, HttpStatusCode.Forbidden));
        Assert.Contains("Register the key again", Assert.Single(texts), StringComparison.Ordinal);

        // The same query, unchanged, is answered after all of it.
        Assert.Equal(HttpStatusCode.OK, (await caller.SendAsync(good)).Status);
    }

    [Fact]
    public async Task What_authenticates_and_does_not_fit_is_refused_precisely()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        byte[] body = Body(caller);
        foreach (byte[] broken in (byte[][])[body[..^1], [.. body, 0], Flip(body, 0), Flip(body, 9), RandomNumberGenerator.GetBytes(5000), "x"u8.ToArray()])
        {
            string text = await caller.RefusedAsync(caller.Wrap(broken).Envelope, HttpStatusCode.BadRequest, ServingError.QueryRefused);
            Assert.Contains("error 3", text, StringComparison.Ordinal);
        }
        // Of SEAL's or an unknown kind.
        await caller.RefusedAsync(caller.Wrap(body, header => header with { Kind = EnvelopeKind.SealAnswer }).Envelope, HttpStatusCode.BadRequest, ServingError.EnvelopeMalformed);
    }

    [Fact]
    public async Task A_query_is_its_owners()
    {
        TestStore store = (await EncryptedSurfaceTests.StoreAsync()).AllowToken("anna", "anna's", "spam").AllowToken("bert", "bert's", "spam");
        store.Anonymous.Remove("spam");
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedCaller anna = await EncryptedCaller.JoinAsync(server, "spam", "anna's"), bert = await EncryptedCaller.JoinAsync(server, "spam", "bert's");
        Assert.Equal(SHA256.HashData("anna"u8), anna.Owner);
        Assert.Equal(2, (await anna.AskAsync(EncryptedModels.Rows(2))).Count);
        await bert.RefusedAsync(anna.Query(EncryptedModels.Rows(1)).Envelope, HttpStatusCode.Forbidden, ServingError.OtherOwner);
        // Under anna's name with a key that was derived for bert it does not open.
        (byte[] forged, _) = bert.Query(EncryptedModels.Rows(1), header => header with { Owner = anna.Owner, KeyId = anna.KeyId });
        await anna.RefusedAsync(forged, HttpStatusCode.Forbidden, ServingError.EnvelopeRefused);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/v2/models/spam/encrypted")).Status);
    }

    [Fact]
    public async Task A_key_that_expired_is_registered_again()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync(), time: time);
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] query, _) = caller.Query(EncryptedModels.Rows(1));
        time.Advance(caller.Expires - time.GetUtcNow());
        await caller.RefusedAsync(query, HttpStatusCode.Forbidden, ServingError.EnvelopeRefused);
        await caller.RegisterAsync();
        Assert.Single(await caller.AskAsync(EncryptedModels.Rows(1)));
    }

    [Fact]
    public async Task A_body_above_the_models_own_size_is_not_read()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        using Homomorphic.Models.CompiledModel model = EncryptedModels.CompileLogistic();
        string text = await caller.RefusedAsync(new byte[QuerySizes.Largest(model) + 1], HttpStatusCode.RequestEntityTooLarge, ServingError.TooLarge);
        Assert.Contains(QuerySizes.Largest(model).ToString(System.Globalization.CultureInfo.InvariantCulture), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mutated_bodies_and_envelopes_never_break_the_server()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        (byte[] good, _) = caller.Query(EncryptedModels.Rows(1));
        byte[] body = Body(caller);
        var seen = new List<(byte[] Bytes, bool Authentic)>();
        Mutations.Drive(bytes => seen.Add((bytes, false)), 150, good);
        // Within a good envelope: what a client with a key may send on purpose.
        Mutations.Drive(bytes => seen.Add((bytes.Length == 0 ? [0] : bytes, true)), 150, body);
        foreach ((byte[] bytes, bool authentic) in seen)
        {
            (HttpStatusCode status, byte[] answer) = await caller.SendAsync(authentic ? caller.Wrap(bytes).Envelope : bytes);
            Assert.True(status is HttpStatusCode.OK or HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.Conflict, $"{status}: {Encoding.UTF8.GetString(answer)}");
        }
        Assert.Single(await caller.AskAsync(EncryptedModels.Rows(1)));
    }

    private static byte[] Body(EncryptedCaller caller)
    {
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(2));
        using var key = new EnvelopeKey(caller.EnvelopeKey);
        return Envelope.Open(envelope, header, key);
    }

    private static byte[] Flip(byte[] bytes, int at)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= 1;
        return changed;
    }
}

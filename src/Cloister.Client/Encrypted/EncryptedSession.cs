using System.Security.Cryptography;
using Cloister.Homomorphic;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Client;

/// <summary>
/// One key and one model on a server. The key id is registered when it is first needed, and once again when the server no longer knows it. A key or its seed
/// is never sent. What an answer decrypts to, or that it does not, is never told the server: from that it could learn the key. Not for concurrent use.
/// </summary>
public sealed class EncryptedSession : IDisposable
{
    /// <summary>The most bytes of several row sets that are sent as one query, and the most row sets.</summary>
    internal const int QueryBytes = 8 << 20, QuerySets = 64;

    // ServingError.EnvelopeRefused and OtherOwner: the key is not known to this server, or to it as this caller's.
    private static readonly string[] Unregistered = ["721", "723"];

    private readonly ServerExchange _server;
    private readonly KeyedModel _model;
    private readonly string _name, _path;
    private readonly byte[] _digest;
    private RegisteredKey? _registered;

    internal EncryptedSession(ServerExchange server, string model, ClientSpecification specification, ClientKey? key)
    {
        _server = server;
        _name = model;
        _path = EncryptedModelClient.Path(model);
        _model = new KeyedModel(specification, key);
        _digest = Convert.FromHexString(specification.Digest);
    }

    /// <summary>The model.</summary>
    public ClientSpecification Specification => _model.Client.Specification;

    /// <summary>The key's public name.</summary>
    public KeyId KeyId => _model.KeyId;

    /// <summary>Bytes that the last prediction sent and received.</summary>
    public (long Sent, long Received) Traffic { get; private set; }

    /// <summary>Encrypts rows, lets the server compute, and decrypts: in several requests where they are many.</summary>
    /// <param name="rows">One number a feature; values out of range are held at its end (<see cref="RowCheck"/> counts them).</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for.</exception>
    /// <exception cref="ClientException">A row or the answer is refused, or the server refused.</exception>
    public async Task<IReadOnlyList<ModelAnswer>> PredictAsync(IReadOnlyList<double[]> rows, CancellationToken cancellation = default)
    {
        RowCheck.Require(Specification, rows);
        Traffic = default;
        var answers = new List<ModelAnswer>(rows.Count);
        foreach (double[][] part in rows.Chunk(RowsPerQuery))
        {
            byte[] answer = await AskAsync(Encrypt(part), cancellation);
            try
            {
                answers.AddRange(_model.Decrypt(answer, part.Length));
            }
            catch (HomomorphicException refusal)
            {
                throw new ClientException(ClientError.AnswerMalformed, $"The encrypted answer is refused: {refusal.Message}", refusal);
            }
        }
        return answers;
    }

    private byte[] Encrypt(double[][] rows)
    {
        try
        {
            return _model.Encrypt(rows);
        }
        catch (HomomorphicException refusal)
        {
            throw new ClientException(ClientError.RowRefused, refusal.Message, refusal);
        }
    }

    /// <summary>Sends a query that is encrypted already and returns the encrypted answer, out of its envelope.</summary>
    /// <param name="query">As <see cref="QueryFormat"/> wrote it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PeerRefusedException">The server is not the workload that was asked for.</exception>
    /// <exception cref="ClientException">The server refused, or the answer is not bound to this query.</exception>
    public async Task<byte[]> AskAsync(ReadOnlyMemory<byte> query, CancellationToken cancellation = default)
    {
        RegisteredKey key = await RegisterAsync(null, cancellation);
        try
        {
            return await AskAsync(query, key, cancellation);
        }
        catch (ClientException refused) when (refused.Error == ClientError.RefusedByServer && Unregistered.Contains(refused.ServerCode))
        {
            return await AskAsync(query, await RegisterAsync(key, cancellation), cancellation);
        }
    }

    private async Task<byte[]> AskAsync(ReadOnlyMemory<byte> query, RegisteredKey key, CancellationToken cancellation)
    {
        var header = new EnvelopeHeader(EnvelopeKind.Query, _digest, KeyId, key.Owner, Envelope.NewRequestId());
        byte[] sent = Envelope.Seal(header, query.Span, key.Key);
        byte[] received = await _server.SendAsync(HttpMethod.Post, _path + "/infer", sent, "application/octet-stream", EncryptedModelClient.MaximumQueryBytes, $"encrypted inference by model '{_name}'", cancellation);
        Traffic = (Traffic.Sent + sent.Length, Traffic.Received + received.Length);
        try
        {
            return Envelope.Open(received, header with { Kind = EnvelopeKind.Answer }, key.Key);
        }
        catch (HomomorphicException refusal)
        {
            throw new ClientException(ClientError.AnswerNotBound, $"The encrypted answer is refused: {refusal.Message}", refusal);
        }
    }

    /// <summary>The registered key, registering it where there is none, where it has ended, or where it is the one that was refused.</summary>
    private async Task<RegisteredKey> RegisterAsync(RegisteredKey? refused, CancellationToken cancellation)
    {
        if (_registered is { } known && !ReferenceEquals(known, refused) && known.Expires > _server.Time.GetUtcNow()) return known;
        byte[] answer = await _server.SendAsync(HttpMethod.Post, _path + "/keys", RegisteredKey.WriteRequest(KeyId), "application/json", RegisteredKey.MaximumBytes, $"the registration of key {KeyId}", cancellation);
        try
        {
            RegisteredKey registered = RegisteredKey.Read(answer, KeyId);
            _registered?.Dispose();
            return _registered = registered;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(answer);
        }
    }

    /// <summary>About how many bytes a query has for one row set.</summary>
    internal static long SetBytes(ClientSpecification specification)
    {
        ParameterSpecification parameters = specification.Parameters;
        long bits = parameters.Primes.SkipLast(parameters.SpecialPrimes).Sum(prime => (long)(64 - ulong.LeadingZeroCount(prime)));
        return specification.Layout.QueryCiphertexts * ((bits * parameters.Degree / 8) + 32);
    }

    private int RowsPerQuery => (int)Math.Min(QueryFormat.MaximumRows, Math.Clamp(QueryBytes / SetBytes(Specification), 1, QuerySets) * Specification.Layout.Rows);

    /// <summary>Zeroes the keys.</summary>
    public void Dispose()
    {
        _model.Dispose();
        _registered?.Dispose();
    }
}

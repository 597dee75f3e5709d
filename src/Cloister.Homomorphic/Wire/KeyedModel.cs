using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A model as the holder of a key sees it: rows become a query's bytes, an answer's bytes become predictions. It asks nobody. Zeroes its secrets when disposed of.</summary>
public sealed class KeyedModel : IDisposable
{
    private readonly SecretKey _secret;
    private readonly PublicKey? _public;

    /// <summary>Joins a model and a key.</summary>
    /// <param name="specification">The model's.</param>
    /// <param name="key">The client's key; it may be disposed of afterwards. Null for a fresh one that is never kept.</param>
    /// <exception cref="HomomorphicException">The specification is refused, or the key is for other parameters.</exception>
    public KeyedModel(ClientSpecification specification, ClientKey? key = null)
    {
        Client = ModelClients.Create(specification);
        using ClientKey? fresh = key is null ? ClientKey.Generate(Client.Parameters) : null;
        ClientKey used = key ?? fresh!;
        KeyId = used.Id;
        _secret = used.ToSecretKey(Client.Parameters);
        _public = specification.Parameters.CircuitPrivacy ? PublicKey.Of(_secret) : null;
    }

    /// <summary>The model.</summary>
    public ModelClient Client { get; }

    /// <summary>The key's public name.</summary>
    public KeyId KeyId { get; }

    /// <summary>Quantises and encrypts rows; features out of range are held at its end.</summary>
    /// <param name="rows">One number a feature.</param>
    /// <exception cref="HomomorphicException">A row is refused.</exception>
    public byte[] Encrypt(IReadOnlyList<double[]> rows)
    {
        using ClientQuery query = Client.Encrypt(rows, _secret, _public);
        return QueryFormat.Write(query, Client.Specification);
    }

    /// <summary>Decrypts an answer. Tell nobody whose answer it is what came out, or that nothing did.</summary>
    /// <param name="answer">What a server gave, out of its envelope.</param>
    /// <param name="rows">How many rows were asked, where that is known.</param>
    /// <exception cref="HomomorphicException">It is no answer of this model, or was not made with this key.</exception>
    public IReadOnlyList<ModelAnswer> Decrypt(ReadOnlySpan<byte> answer, int? rows = null)
    {
        using EncryptedAnswer read = AnswerFormat.Read(answer, Client.Parameters, Client.Specification, rows);
        return Client.Decrypt(read, _secret);
    }

    /// <summary>Zeroes the key.</summary>
    public void Dispose()
    {
        _secret.Dispose();
        _public?.Dispose();
    }
}

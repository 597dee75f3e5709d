using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>A client of a compiled model: it turns rows into ciphertexts and answers into predictions. It needs the public specification and a key, and asks nobody.</summary>
public abstract class ModelClient
{
    /// <summary>What it was made of.</summary>
    public abstract ClientSpecification Specification { get; }

    /// <summary>What keys are generated for.</summary>
    public abstract RlweParameters Parameters { get; }

    /// <summary>Quantises and encrypts rows.</summary>
    /// <param name="rows">One number a feature; NaN where a feature is absent and may be.</param>
    /// <param name="key">The client's key.</param>
    /// <param name="publicKey">Its public key, where the specification asks for one.</param>
    /// <exception cref="HomomorphicException">A row has another number of features, or a number that is not finite where none may be absent.</exception>
    public abstract ClientQuery Encrypt(IReadOnlyList<double[]> rows, SecretKey key, PublicKey? publicKey);

    /// <summary>Decrypts an answer.</summary>
    /// <param name="answer">What the server gave.</param>
    /// <param name="key">The key that the query was made with.</param>
    /// <exception cref="HomomorphicException">The answer does not have the model's layout, or no prediction comes out of it: another key, or another model.</exception>
    public abstract IReadOnlyList<ModelAnswer> Decrypt(EncryptedAnswer answer, SecretKey key);
}

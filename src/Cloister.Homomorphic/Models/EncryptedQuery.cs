using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>What a client sends: fresh ciphertexts of some rows, and its public key where the model hides itself in its answers. Owns the ciphertexts, not the key.</summary>
public sealed class ClientQuery(int rows, IReadOnlyList<SeededCiphertext> ciphertexts, PublicKey? publicKey) : IDisposable
{
    /// <summary>How many rows.</summary>
    public int Rows => rows;

    /// <summary>Row set after row set, in the order of the design.</summary>
    public IReadOnlyList<SeededCiphertext> Ciphertexts => ciphertexts;

    /// <summary>The client's public key, or null.</summary>
    public PublicKey? PublicKey => publicKey;

    /// <summary>How many features were out of the model's range and were held at its end.</summary>
    public int Clamped { get; init; }

    /// <summary>What a server reads it as.</summary>
    public EncryptedQuery Expand() => new(rows, [.. ciphertexts.Select(ciphertext => ciphertext.Expand())], publicKey);

    /// <summary>Frees the ciphertexts.</summary>
    public void Dispose()
    {
        foreach (SeededCiphertext ciphertext in ciphertexts) ciphertext.Dispose();
    }
}

/// <summary>What a server computes on. Owns the ciphertexts, not the key.</summary>
public sealed class EncryptedQuery(int rows, IReadOnlyList<Ciphertext> ciphertexts, PublicKey? publicKey) : IDisposable
{
    /// <summary>How many rows.</summary>
    public int Rows => rows;

    /// <summary>Row set after row set, in the order of the design.</summary>
    public IReadOnlyList<Ciphertext> Ciphertexts => ciphertexts;

    /// <summary>The client's public key, or null.</summary>
    public PublicKey? PublicKey => publicKey;

    /// <summary>Frees the ciphertexts.</summary>
    public void Dispose()
    {
        foreach (Ciphertext ciphertext in ciphertexts) ciphertext.Dispose();
    }
}

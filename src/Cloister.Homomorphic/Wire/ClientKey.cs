using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire;

/// <summary>A client's key as it is kept: the seed of its secret key, what it is for, and its public name. Zeroed when disposed of.</summary>
public sealed class ClientKey : IDisposable
{
    private readonly byte[] _seed = GC.AllocateArray<byte>(SeedExpander.SeedBytes, pinned: true);
    private bool _disposed;

    /// <summary>Copies a seed.</summary>
    /// <param name="parameters">What the key is for.</param>
    /// <param name="seed">32 bytes from a cryptographic random number generator, used for nothing else.</param>
    public ClientKey(RlweParameters parameters, ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedExpander.SeedBytes) throw new ArgumentException($"A seed has {SeedExpander.SeedBytes} bytes, not {seed.Length}.", nameof(seed));
        Parameters = parameters;
        seed.CopyTo(_seed);
        Id = Name(parameters, _seed);
    }

    /// <summary>What the key is for.</summary>
    public RlweParameters Parameters { get; }

    /// <summary>Its public name, which follows from seed and parameters and tells nothing of the seed.</summary>
    public KeyId Id { get; }

    /// <summary>The seed, valid until it is disposed of.</summary>
    internal ReadOnlySpan<byte> Seed
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _seed;
        }
    }

    /// <summary>Draws a key from the system's random numbers.</summary>
    public static ClientKey Generate(RlweParameters parameters)
    {
        Span<byte> seed = stackalloc byte[SeedExpander.SeedBytes];
        RandomNumberGenerator.Fill(seed);
        try
        {
            return new ClientKey(parameters, seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>The secret key; the caller disposes of it.</summary>
    /// <param name="parameters">Those that it will be used with, the very object.</param>
    /// <exception cref="HomomorphicException">They are not what the key is for.</exception>
    public SecretKey ToSecretKey(RlweParameters parameters)
    {
        if (!CryptographicOperations.FixedTimeEquals(ParameterBlock.Identity(parameters), ParameterBlock.Identity(Parameters)))
            throw new HomomorphicException(HomomorphicError.WireParameters, "The key was made for other parameters than the model's. Make one for this model.");
        return SecretKey.FromSeed(parameters, Seed);
    }

    /// <summary>Zeroes the seed.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_seed);
    }

    private static KeyId Name(RlweParameters parameters, ReadOnlySpan<byte> seed)
    {
        var value = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, seed, value, [], Labels.Join("cloister/he/key-id-value/v1"u8));
        return new KeyId(SHA256.HashData(Labels.Join("cloister/he/key-id/v1"u8, ParameterBlock.Identity(parameters), value)).AsSpan(0, KeyId.Size));
    }
}

using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;

namespace Cloister.Bench;

/// <summary>Our side of <see cref="Lattice"/>: each operation as SEAL's of the same name does it, with its result in memory of its own where SEAL writes one.</summary>
internal sealed class LatticeOperations : IDisposable
{
    private readonly SecretKey _key;
    private readonly PublicKey _open;
    private readonly RelinearizationKey _relinearization;
    private readonly GaloisKeys _galois;
    private readonly CiphertextMultiplier _multiplier;
    private readonly PreparedPlaintext _prepared;
    private readonly Ciphertext _x, _y, _product;
    private readonly ulong[] _message;

    public LatticeOperations(int degree)
    {
        ulong t = NttPrimes.Generate(20, 2 * (ulong)degree, 1)[0];
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(degree), t, specialModuli: 1);
        _key = SecretKey.Generate(parameters);
        _open = PublicKey.Of(_key);
        _relinearization = RelinearizationKey.Of(_key);
        _galois = GaloisKeys.Of(_key, [1]);
        _multiplier = new CiphertextMultiplier(parameters);
        _message = new SlotEncoder(parameters).Encode([.. Enumerable.Range(0, degree).Select(i => (ulong)i * 7919 % 65537)]);
        _prepared = PreparedPlaintext.Of(parameters, _message);
        (_x, _y) = (Encryption.Encrypt(_message, _open), Encryption.Encrypt(_message, _open));
        _product = _multiplier.Multiply(_x, _y);
    }

    public Action Of(string operation) => operation switch
    {
        "encryptPublic" => () => Encryption.Encrypt(_message, _open).Dispose(),
        "encryptSymmetric" => EncryptSymmetric,
        "decrypt" => () => Encryption.Decrypt(_x, _key),
        "add" => () => _x.Add(_y),
        "multiply" => () => _multiplier.Multiply(_x, _y).Dispose(),
        "multiplyPlain" => () => _x.MultiplyPlain(_message),
        "multiplyPrepared" => () => _x.MultiplyPlain(_prepared),
        "relinearize" => Relinearize,
        "rotate" => () => _x.RotateRows(1, _galois),
        _ => throw new ArgumentException($"There is no operation '{operation}'.", nameof(operation)),
    };

    public void Dispose()
    {
        foreach (IDisposable part in (IDisposable[])[_key, _open, _relinearization, _galois, _prepared, _x, _y, _product]) part.Dispose();
    }

    // With both parts in full, as SEAL gives them.
    private void EncryptSymmetric()
    {
        using SeededCiphertext seeded = Encryption.Encrypt(_message, _key);
        seeded.Expand().Dispose();
    }

    // Of a copy, since it is done in place.
    private void Relinearize()
    {
        using Ciphertext product = _product.Copy();
        product.Relinearize(_relinearization);
    }
}

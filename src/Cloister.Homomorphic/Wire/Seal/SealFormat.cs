using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// Reads and writes SEAL's objects (docs/formats/seal-wire.md), so that clients with SEAL 4 or node-seal 7 and servers with Cloister understand each
/// other, and the reverse. Parameters have one modulus, or one special modulus; see <see cref="SealParameters"/>.
/// </summary>
/// <remarks>
/// Every reader takes one whole object, compressed by zlib or not, checks every number in it, and allocates no more than the parameters ask for. What it
/// refuses throws <see cref="HomomorphicException"/> with a number from 300 to 319. The version that an object was saved by is given back: answers
/// are written with it, since node-seal reads its own version alone.
/// </remarks>
public static class SealFormat
{
    /// <summary>The most bytes that the members of any object have: 1 GiB.</summary>
    public const int MaximumBytes = 1 << 30;

    /// <summary>Reads a ciphertext of two polynomials, seeded or not, or of three, at any level of the data.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What it was made with.</param>
    /// <param name="version">The version that it was saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static Ciphertext ReadCiphertext(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version) => SealCiphertexts.Read(source, parameters, out version);

    /// <summary>Writes a ciphertext, not seeded.</summary>
    /// <param name="ciphertext">What is written.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    /// <exception cref="HomomorphicException">Everybody could read it (<see cref="HomomorphicError.SealTransparent"/>).</exception>
    public static byte[] WriteCiphertext(Ciphertext ciphertext, SealVersion version, SealCompression compression = SealCompression.None) => SealCiphertexts.Write(ciphertext, version, compression);

    /// <summary>Encrypts with the secret key as SEAL does for saving: half the size of a ciphertext, since a seed stands for its second polynomial.</summary>
    /// <param name="message">n coefficients below t.</param>
    /// <param name="key">The key; the same one decrypts.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    public static byte[] Encrypt(ReadOnlySpan<ulong> message, SecretKey key, SealVersion version, SealCompression compression = SealCompression.None) => SealCiphertexts.Encrypt(message, key, version, compression);

    /// <summary>Reads a message: n coefficients below t. It is not secret to whoever holds the bytes, but may be to others.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What it was made with.</param>
    /// <param name="version">The version that it was saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static ulong[] ReadPlaintext(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version) => SealPlaintexts.Read(source, parameters, out version);

    /// <summary>Writes a message.</summary>
    /// <param name="message">At most n coefficients below t.</param>
    /// <param name="parameters">What it is for.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    public static byte[] WritePlaintext(ReadOnlySpan<ulong> message, RlweParameters parameters, SealVersion version, SealCompression compression = SealCompression.None) => SealPlaintexts.Write(message, parameters, version, compression);

    /// <summary>Reads a secret key. The source is its owner's to zero.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What it was made with.</param>
    /// <param name="version">The version that it was saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static SecretKey ReadSecretKey(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version) => SealSecretKeys.Read(source, parameters, out version);

    /// <summary>Writes a secret key in the clear. The result is the caller's to keep from others, and to zero.</summary>
    /// <param name="key">What is written.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    public static byte[] WriteSecretKey(SecretKey key, SealVersion version, SealCompression compression = SealCompression.None) => SealSecretKeys.Write(key, version, compression);

    /// <summary>Reads a public key, seeded or not.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What it was made with.</param>
    /// <param name="version">The version that it was saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static PublicKey ReadPublicKey(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version) => SealPublicKeys.Read(source, parameters, out version);

    /// <summary>Writes a public key, not seeded.</summary>
    /// <param name="key">What is written.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    public static byte[] WritePublicKey(PublicKey key, SealVersion version, SealCompression compression = SealCompression.None) => SealPublicKeys.Write(key, version, compression);

    /// <summary>Reads RelinKeys with one key, seeded or not.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What they were made with.</param>
    /// <param name="version">The version that they were saved by.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static RelinearizationKey ReadRelinearizationKey(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version) => SealSwitchingKeys.ReadRelinearizationKey(source, parameters, out version);

    /// <summary>Writes RelinKeys, not seeded.</summary>
    /// <param name="key">What is written.</param>
    /// <param name="version">The version of whoever will read it.</param>
    /// <param name="compression">How it is compressed.</param>
    public static byte[] WriteRelinearizationKey(RelinearizationKey key, SealVersion version, SealCompression compression = SealCompression.None) => SealSwitchingKeys.Write(key, version, compression);

    /// <summary>Reads GaloisKeys, seeded or not.</summary>
    /// <param name="source">The whole object.</param>
    /// <param name="parameters">What they were made with.</param>
    /// <param name="version">The version that they were saved by.</param>
    /// <param name="maximumKeys">The most keys. One has 2 (k - 1) k n numbers of 8 bytes, k the moduli of the chain: 2.6 MB for 8192 and five of them.</param>
    /// <exception cref="HomomorphicException">The bytes are refused; the number says why.</exception>
    public static GaloisKeys ReadGaloisKeys(ReadOnlySpan<byte> source, RlweParameters parameters, out SealVersion version, int maximumKeys = 64) => SealSwitchingKeys.ReadGaloisKeys(source, parameters, maximumKeys, out version);

    /// <summary>Writes GaloisKeys, not seeded.</summary>
    /// <param name="keys">What is written.</param>
    /// <param name="version">The version of whoever will read them.</param>
    /// <param name="compression">How they are compressed.</param>
    public static byte[] WriteGaloisKeys(GaloisKeys keys, SealVersion version, SealCompression compression = SealCompression.None) => SealSwitchingKeys.Write(keys, version, compression);

    /// <summary>How many bytes the object has that the bytes begin with: objects that follow each other are told apart by it.</summary>
    /// <param name="source">One object or several.</param>
    /// <exception cref="HomomorphicException">The bytes do not begin with a whole object.</exception>
    public static int LengthOf(ReadOnlySpan<byte> source) => (int)SealHeader.Read(source, "object").TotalBytes;

    /// <summary>Memory for an object of this size, every byte of which is going to be written.</summary>
    internal static byte[] NewObject(long memberBytes, SealVersion version)
    {
        if (!version.IsSupported) throw new ArgumentException($"Objects of SEAL {version} are not written; 4.0 to 4.4 are.", nameof(version));
        if (memberBytes > MaximumBytes) throw new ArgumentException($"The object would have {memberBytes} bytes; {MaximumBytes} is the most. Write fewer keys at once.", nameof(memberBytes));
        return GC.AllocateUninitializedArray<byte>((int)(SealHeader.Bytes + memberBytes));
    }
}

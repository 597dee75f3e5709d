using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Wire;
using static Cloister.Homomorphic.Tests.Wire.WireSample;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class KeyFileTests
{
    private static readonly RlweParameters Parameters = RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 65537, specialModuli: 1);
    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private static ReadOnlySpan<byte> Passphrase => "correct horse"u8;

    [Fact]
    public void LayoutIsFrozen()
    {
        using var key = new ClientKey(Parameters, Seed);
        byte[] file = KeyFile.Write(key, Passphrase, 100_000, Seed.AsSpan(0, 16), Seed.AsSpan(0, 12));
        Assert.Equal("cc7e9e921b57a5af49573486ca1e131e", key.Id.ToString());
        Assert.Equal("a73201a4a6a4009dbc766bd0a5d7f6575995052d110d7d3fb2524d4b3ddf3b94e7a592cb2c6efa5ffb861e822721a985", Convert.ToHexStringLower(file.AsSpan(^48..)));
        Assert.Equal("fa07ecfd87e8904e7bf521e8e87b1508b01f84bff2a87b38884d7d61f262c798", Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    [Fact]
    public void A_key_comes_back_with_its_passphrase_and_no_other()
    {
        using ClientKey key = ClientKey.Generate(Parameters);
        byte[] file = KeyFile.Write(key, Passphrase, KeyFile.MinimumIterations);
        Assert.True(file.Length <= KeyFile.MaximumBytes);
        Assert.Equal(-1, file.AsSpan().IndexOf(key.Seed));
        using ClientKey read = KeyFile.Read(file, Passphrase);
        Assert.Equal(key.Id, read.Id);
        Assert.True(key.Seed.SequenceEqual(read.Seed));
        Refused(HomomorphicError.KeyFilePassphrase, () => KeyFile.Read(file, "correct hors3"u8));
        Refused(HomomorphicError.KeyFilePassphrase, () => KeyFile.Read(file, default));
        Assert.Throws<ArgumentException>(() => KeyFile.Write(key, "short"u8));
        Assert.Throws<ArgumentOutOfRangeException>(() => KeyFile.Write(key, Passphrase, 1000));
    }

    [Fact]
    public void Two_files_of_one_key_have_nothing_secret_in_common()
    {
        using ClientKey key = ClientKey.Generate(Parameters);
        byte[] first = KeyFile.Write(key, Passphrase, KeyFile.MinimumIterations), second = KeyFile.Write(key, Passphrase, KeyFile.MinimumIterations);
        Assert.NotEqual(first[16..44], second[16..44]);
        Assert.NotEqual(first[^48..], second[^48..]);
        Assert.Equal(KeyFile.Describe(first).Id, KeyFile.Describe(second).Id);
    }

    [Fact]
    public void The_key_of_a_seed_decrypts_what_it_encrypted_and_is_for_its_parameters_alone()
    {
        using ClientKey key = ClientKey.Generate(Parameters), other = ClientKey.Generate(Parameters);
        Assert.NotEqual(key.Id, other.Id);
        using SecretKey first = key.ToSecretKey(Parameters), again = key.ToSecretKey(Parameters);
        ulong[] message = [.. Enumerable.Range(0, 4096).Select(i => (ulong)i)];
        using Ciphertext ciphertext = Encryption.Encrypt(message, first).Expand();
        Assert.Equal(message, Encryption.Decrypt(ciphertext, again));
        Refused(HomomorphicError.WireParameters, () => key.ToSecretKey(RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 257, specialModuli: 1)));
        using var sameSeed = new ClientKey(RlweParameters.Create(RingParameters.Create(4096, [45, 45, 16]), 257, specialModuli: 1), key.Seed);
        Assert.NotEqual(key.Id, sameSeed.Id);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.ToSecretKey(Parameters));
    }

    [Fact]
    public void Changed_files_are_refused_by_number_before_anything_is_computed()
    {
        using var key = new ClientKey(Parameters, Seed);
        byte[] file = KeyFile.Write(key, Passphrase, KeyFile.MinimumIterations);
        foreach ((int at, byte[] value, HomomorphicError error) in new (int, byte[], HomomorphicError)[]
        {
            (0, [0], HomomorphicError.WireMagic), (8, [2], HomomorphicError.WireVersion), (9, [2], HomomorphicError.WireReserved), (10, [1], HomomorphicError.WireReserved),
            (12, [1, 0, 0, 0], HomomorphicError.KeyFileIterations), (12, [255, 255, 255, 255], HomomorphicError.KeyFileIterations),
            (60, [255, 255, 0, 0], HomomorphicError.WireOversized), (60, [48, 0, 0, 0], HomomorphicError.WireTruncated), (60, [32, 0, 0, 0], HomomorphicError.WireTrailing),
            (64, [0, 8, 0, 0], HomomorphicError.InsecureParameters), (68, [100, 0], HomomorphicError.NotInTables), (72, [1, 0, 0], HomomorphicError.PlaintextModulus),
        })
        {
            byte[] changed = [.. file];
            value.CopyTo(changed, at);
            Refused(error, () => KeyFile.Read(changed, Passphrase));
        }
        foreach (int at in new[] { 16, 32, 44, 70, file.Length - 48, file.Length - 1 })
        {
            byte[] changed = [.. file];
            changed[at] ^= 1;
            Assert.Throws<HomomorphicException>(() => KeyFile.Read(changed, Passphrase));
        }
        Refused(HomomorphicError.WireTruncated, () => KeyFile.Describe(file.AsSpan(0, file.Length - 1)));
        Refused(HomomorphicError.WireTrailing, () => KeyFile.Describe([.. file, 0]));
    }

    [Fact]
    public void Mutated_key_files_are_refused_and_nothing_else()
    {
        using var key = new ClientKey(Parameters, Seed);
        Mutation.Drive(KeyFile.Write(key, Passphrase, KeyFile.MinimumIterations), KeyFile.Fuzz);
    }
}

using System.Security.Cryptography;

namespace Cloister.Homomorphic.Wire;

/// <summary>Names a client's key: 16 bytes that say nothing of the key. Compared in constant time.</summary>
public readonly struct KeyId : IEquatable<KeyId>
{
    /// <summary>The length.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    /// <summary>Takes over 16 bytes.</summary>
    public KeyId(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size) throw new ArgumentException($"A key id has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        _value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }

    /// <summary>A random one, for a key that this program did not make.</summary>
    public static KeyId Random()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        return new KeyId(bytes);
    }

    /// <summary>Reads 32 hexadecimal digits in lower case.</summary>
    /// <returns>Whether it is a key id.</returns>
    public static bool TryParse(string? text, out KeyId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[Size];
        if (text is not { Length: 2 * Size } || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = new KeyId(bytes);
        return id.ToString() == text;
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void CopyTo(Span<byte> target) => System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(target, _value);

    /// <summary>The 16 bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToBytes());

    /// <inheritdoc/>
    public bool Equals(KeyId other) => CryptographicOperations.FixedTimeEquals(ToBytes(), other.ToBytes());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is KeyId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode();

    /// <summary>Whether they name one key.</summary>
    public static bool operator ==(KeyId left, KeyId right) => left.Equals(right);

    /// <summary>Whether they name two keys.</summary>
    public static bool operator !=(KeyId left, KeyId right) => !left.Equals(right);
}

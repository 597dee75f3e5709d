namespace Cloister.Onnx.Pictures.Png;

/// <summary>The two checksums of a PNG file: CRC-32 over a chunk (PNG, annex D) and Adler-32 over the inflated pixels (RFC 1950).</summary>
internal static class PngChecksum
{
    private const uint Polynomial = 0xEDB88320, Modulus = 65521;
    private static readonly uint[] Table = MakeTable();

    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
            crc = Table[(byte)(crc ^ value)] ^ crc >> 8;
        return ~crc;
    }

    /// <summary>Continues an Adler-32, which begins as 1.</summary>
    public static uint Adler(uint adler, ReadOnlySpan<byte> bytes)
    {
        const int WithoutOverflow = 5552; // The most bytes whose sums fit 32 bits (RFC 1950 reference code, NMAX).
        uint a = adler & 0xffff, b = adler >> 16;
        while (!bytes.IsEmpty)
        {
            int length = Math.Min(bytes.Length, WithoutOverflow);
            foreach (byte value in bytes[..length])
            {
                a += value;
                b += a;
            }

            a %= Modulus;
            b %= Modulus;
            bytes = bytes[length..];
        }

        return b << 16 | a;
    }

    private static uint[] MakeTable()
    {
        uint[] table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? Polynomial ^ value >> 1 : value >> 1;
            table[i] = value;
        }

        return table;
    }
}

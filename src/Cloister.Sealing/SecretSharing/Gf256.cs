namespace Cloister.Sealing;

/// <summary>
/// The field of 256 elements with AES's polynomial x^8 + x^4 + x^3 + x + 1. Every operation takes the same steps whatever the elements are,
/// and none looks anything up by them: neither time nor cache shows a secret.
/// </summary>
internal static class Gf256
{
    public static byte Multiply(byte a, byte b)
    {
        uint product = 0, multiple = a, rest = b;
        for (int bit = 0; bit < 8; bit++)
        {
            product ^= multiple & (0u - (rest & 1));
            rest >>= 1;
            multiple = (multiple << 1) ^ (0x11bu & (0u - (multiple >> 7)));
        }
        return (byte)product;
    }

    /// <summary>The inverse, a^254; 0 for 0.</summary>
    public static byte Invert(byte a)
    {
        // 254 = 2 + 4 + 8 + 16 + 32 + 64 + 128
        byte power = a, product = 1;
        for (int bit = 1; bit < 8; bit++)
        {
            power = Multiply(power, power);
            product = Multiply(product, power);
        }
        return product;
    }
}

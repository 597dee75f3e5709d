using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Ring;

/// <summary>Draws the small coefficients of secrets and errors as signed bytes, 64 at a time where the width allows, without any branch or address that depends on them.</summary>
internal static unsafe class SmallSamplers
{
    /// <summary>Bytes below this are five digits to the base 3: 3^5.</summary>
    private const int TernaryLimit = 243;

    private const int Run = 64, Rows = 6;

    /// <summary>As <see cref="Samplers.Ternary(SeedExpander, RnsPolynomial)"/> says.</summary>
    internal static void Ternary(SeedExpander stream, Span<sbyte> coefficients, VectorWidth width)
    {
        int count = (coefficients.Length + 5 * Run - 1) / (5 * Run) * Run;
        Span<byte> chunk = stackalloc byte[1024], kept = stackalloc byte[count];
        for (int filled = 0; filled < count;)
        {
            stream.Fill(chunk);
            for (int i = 0; i < chunk.Length && filled < count; i++)
            {
                // Written in any case, kept if below the limit.
                kept[filled] = chunk[i];
                filled += (chunk[i] - TernaryLimit) >>> 31;
            }
        }
        // Rows that the polynomial has no room for are not computed.
        for (int row = 0; row * count < coefficients.Length; row++)
        {
            Span<sbyte> target = coefficients[(row * count)..Math.Min(coefficients.Length, (row + 1) * count)];
            if (width == VectorWidth.Scalar) Digits(kept, target);
            else DigitsWide(kept, target);
        }
        CryptographicOperations.ZeroMemory(chunk);
        CryptographicOperations.ZeroMemory(kept);
    }

    /// <summary>As <see cref="Samplers.CenteredBinomial(SeedExpander, RnsPolynomial)"/> says.</summary>
    internal static void CenteredBinomial(SeedExpander stream, Span<sbyte> coefficients, VectorWidth width)
    {
        const int AtOnce = 8 * Run * Rows;
        Span<byte> bytes = stackalloc byte[AtOnce];
        for (; !coefficients.IsEmpty; coefficients = coefficients[(8 * Run)..])
        {
            stream.Fill(bytes);
            for (int run = 0; run < 8; run++)
            {
                ReadOnlySpan<byte> rows = bytes.Slice(run * Run * Rows, Run * Rows);
                Span<sbyte> target = coefficients.Slice(run * Run, Run);
                if (width == VectorWidth.Scalar) Differences(rows, target);
                else DifferencesWide(rows, target);
            }
        }
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>Signed bytes as doubles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Widen(ReadOnlySpan<sbyte> small, Span<double> target)
    {
        // Added to the bits of 1.5 * 2^52, a small integer is the same distance from it as a double.
        Vector512<long> bits = Vector512.Create(BitConverter.DoubleToInt64Bits(Modulus.Magic));
        Vector512<double> magic = Vector512.Create(Modulus.Magic);
        for (int i = 0; i < small.Length; i += 16)
        {
            (Vector128<short> low, Vector128<short> high) = Vector128.Widen(Vector128.Create(small[i..]));
            Vector256<int> first = Vector256.Create(Vector128.WidenLower(low), Vector128.WidenUpper(low)), second = Vector256.Create(Vector128.WidenLower(high), Vector128.WidenUpper(high));
            ((Vector512.Create(Vector256.WidenLower(first), Vector256.WidenUpper(first)) + bits).AsDouble() - magic).CopyTo(target[i..]);
            ((Vector512.Create(Vector256.WidenLower(second), Vector256.WidenUpper(second)) + bits).AsDouble() - magic).CopyTo(target[(i + 8)..]);
        }
    }

    // The definition: the lowest digit of each byte, which leaves the others.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Digits(Span<byte> rest, Span<sbyte> target)
    {
        for (int i = 0; i < rest.Length; i++)
        {
            int third = rest[i] * 171 >> 9; // rest / 3 for rest < 384, without a division, whose time may depend on its operands
            if (i < target.Length) target[i] = (sbyte)(rest[i] - 3 * third - 1);
            rest[i] = (byte)third;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void DigitsWide(Span<byte> rest, Span<sbyte> target)
    {
        for (int i = 0; i < rest.Length; i += Run)
        {
            Vector512<byte> bytes = Vector512.Create<byte>(rest[i..]);
            Vector512<byte> thirds = Vector512.Narrow((Vector512.WidenLower(bytes) * 171) >> 9, (Vector512.WidenUpper(bytes) * 171) >> 9);
            if (i < target.Length) (bytes - thirds - thirds - thirds - Vector512<byte>.One).AsSByte().CopyTo(target[i..]);
            thirds.CopyTo(rest[i..]);
        }
    }

    // The definition.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Differences(ReadOnlySpan<byte> rows, Span<sbyte> target)
    {
        for (int i = 0; i < Run; i++) target[i] = (sbyte)(Ones(rows[i..]) - Ones(rows[(3 * Run + i)..]));

        static int Ones(ReadOnlySpan<byte> rows) => BitOperations.PopCount((uint)(rows[0] | rows[Run] << 8 | (rows[2 * Run] & 0x1F) << 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void DifferencesWide(ReadOnlySpan<byte> rows, Span<sbyte> target) =>
        (Ones(rows) - Ones(rows[(3 * Run)..])).AsSByte().CopyTo(target);

    // Ones of each byte of three rows: by nibbles at most 4 a row, so 12 in a nibble of the sum, then both nibbles of a byte together.
    // Bits that a shift brings in from the next byte are masked out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Ones(ReadOnlySpan<byte> rows)
    {
        Vector512<ulong> low = Vector512.Create(0x0F0F0F0F0F0F0F0FUL);
        Vector512<ulong> sum = Nibbles(Vector512.Create(rows).AsUInt64()) + Nibbles(Vector512.Create(rows[Run..]).AsUInt64())
            + Nibbles(Vector512.Create(rows[(2 * Run)..]).AsUInt64() & Vector512.Create(0x1F1F1F1F1F1F1F1FUL));
        return ((sum & low) + (sum >> 4 & low)).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Nibbles(Vector512<ulong> bits)
    {
        bits -= bits >> 1 & Vector512.Create(0x5555555555555555UL);
        Vector512<ulong> pairs = Vector512.Create(0x3333333333333333UL);
        return (bits & pairs) + (bits >> 2 & pairs);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Serving.Json;

/// <summary>
/// Reads the plain numbers of a list in one go: <c>d.ddd</c> or <c>ddd</c>, a sign or none, at most 19 digits, a comma behind.
/// Sixteen bytes at once say where the digits end and what they are worth. Whatever is written otherwise, and the list's last number,
/// is left to <see cref="FloatParser"/>, which is the definition: both give the same bits.
/// </summary>
internal static class FloatRun
{
    // All digits of a number must fit 64 bits.
    private const int MostWhole = 15, MostPlaces = 18, MostDigits = 19;

    // A sign, a whole part, a point, the places, a comma, a space: all within sixteen bytes of where they may begin.
    private const int Reach = 1 + MostWhole + 1 + 16 + 16;

    // Read from entry n on, these move n digits to the end of the vector and put zeros before them.
    private static ReadOnlySpan<byte> Alignments =>
    [
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ];

    private static ReadOnlySpan<ulong> Powers =>
    [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
        1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000,
        1_000_000_000_000_000_000,
    ];

    /// <summary>Reads numbers from <paramref name="at"/> on into <paramref name="room"/>, from <paramref name="count"/> on.</summary>
    /// <returns>The offset of the first value that was not read.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // one call may take a megabyte: it is to be quick from the first
    public static int Read(ReadOnlySpan<byte> text, int at, Span<float> room, ref int count)
    {
        if (!Ssse3.IsSupported || !Sse41.IsSupported) return at;
        ref byte first = ref MemoryMarshal.GetReference(text);
        int done = count, last = text.Length - Reach;
        while (at < last && done < room.Length)
        {
            ref byte number = ref Unsafe.Add(ref first, at);
            int sign = number == '-' ? 1 : 0;
            number = ref Unsafe.Add(ref number, sign);
            int whole = 1, places = 0;
            ulong mantissa = (uint)number - '0';
            if (mantissa > 9) break;
            if (Unsafe.Add(ref number, 1) != '.' && !TryReadWhole(ref number, ref mantissa, out whole)) break;
            int length = whole;
            if (Unsafe.Add(ref number, whole) == '.')
            {
                ulong fraction = ReadPlaces(ref Unsafe.Add(ref number, whole + 1), out places);
                if (places is 0 or > MostPlaces) break;
                mantissa = (mantissa * Powers[places]) + fraction;
                length += 1 + places;
            }
            if (Unsafe.Add(ref number, length) != ',' || whole + places > MostDigits) break;
            if (!TryRound(mantissa, places, out float value)) break;
            room[done++] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) | (uint)sign << 31);
            at += sign + length + 1;
            // Many writers put a space behind a comma.
            if (Unsafe.Add(ref first, at) == ' ') at++;
        }
        count = done;
        return at;
    }

    /// <summary>Clinger's exact way, as in <see cref="FloatParser.TryRound"/>: both operands are exact, and one rounding to binary32 follows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryRound(ulong mantissa, int places, out float value)
    {
        // A double's shortest digits, which is what JavaScript and Python print, are often too many for that.
        if (mantissa > 1UL << 53) return FloatParser.TryRoundWide(mantissa, -places, out value);
        double rounded = (long)mantissa / (double)Powers[places];
        value = (float)rounded;
        return (BitConverter.DoubleToUInt64Bits(rounded) & 0x1FFF_FFFF) != 0x1000_0000;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadPlaces(ref byte text, out int places)
    {
        Vector128<byte> digits = Digits(ref text, out places);
        ulong value = Value(digits, places);
        if (places < 16) return value;
        for (uint digit; places <= MostPlaces && (digit = (uint)Unsafe.Add(ref text, places) - '0') <= 9; places++) value = (value * 10) + digit;
        return value;
    }

    private static bool TryReadWhole(ref byte number, ref ulong mantissa, out int whole)
    {
        bool zero = number == '0';
        Vector128<byte> digits = Digits(ref number, out whole);
        if (whole > MostWhole || (zero && whole > 1)) return false;
        mantissa = Value(digits, whole);
        return true;
    }

    /// <summary>The sixteen bytes as digits, and how many of them are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Digits(ref byte text, out int count)
    {
        Vector128<byte> digits = Vector128.LoadUnsafe(ref text) - Vector128.Create((byte)'0');
        count = BitOperations.TrailingZeroCount(Vector128.GreaterThan(digits, Vector128.Create((byte)9)).ExtractMostSignificantBits() | 0x1_0000);
        return digits;
    }

    /// <summary>What the first <paramref name="count"/> digits are worth: pairs, fours, eights, in three steps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Value(Vector128<byte> digits, int count)
    {
        Vector128<byte> aligned = Ssse3.Shuffle(digits, Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(Alignments), (nuint)count));
        Vector128<short> pairs = Ssse3.MultiplyAddAdjacent(aligned, Vector128.Create((ushort)0x010A).AsSByte());
        Vector128<int> fours = Sse2.MultiplyAddAdjacent(pairs, Vector128.Create(0x0001_0064).AsInt16());
        Vector128<ushort> packed = Sse41.PackUnsignedSaturate(fours, fours);
        Vector128<int> eights = Sse2.MultiplyAddAdjacent(packed.AsInt16(), Vector128.Create(0x0001_2710).AsInt16());
        return ((ulong)(uint)eights[0] * 100_000_000) + (uint)eights[1];
    }
}
